//! The solution of a training, as a picture is drawn of it.

use serde::{Deserialize, Serialize};
use sketchpde::session::TrainingSession;

/// The solution on a grid, in single precision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingField {
    /// Name and positions of each coordinate; the last one runs fastest.
    pub axes: Vec<(String, Vec<f64>)>,
    pub values: Vec<f32>,
    /// The exact solution, empty where there is none.
    pub exact: Vec<f32>,
}

impl TrainingField {
    /// Of a training now; `None` where it is looked at on points that form no grid.
    pub(super) fn of(training: &TrainingSession) -> Option<Self> {
        let field = training.field()?;
        let time = (field.times.len() > 1).then(|| ("t".to_owned(), field.times));
        let space = field.axes.into_iter().map(|axis| (axis.name, axis.values));
        let single = |values: Vec<f64>| values.into_iter().map(|v| v as f32).collect();
        Some(Self {
            axes: time.into_iter().chain(space).collect(),
            values: single(field.values),
            exact: field.reference.map(single).unwrap_or_default(),
        })
    }
}
