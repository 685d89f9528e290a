//! The ansatz u = lift + distance * network, as power series at fixed points.

use super::jet::JetSet;
use crate::problem::Problem;
use crate::problem::expression::{Channel, Expression, Place};

/// Expressions of the lift and the distance per channel of a jet set (derivatives, not yet Taylor
/// coefficients), and of the lift's rate of change.
#[derive(Clone, Debug)]
pub struct Ansatz {
    jets: JetSet,
    distance: Option<Vec<Expression>>,
    lift: Option<Vec<Expression>>,
    lift_rate: Option<Expression>,
    parameters: Vec<f64>,
}

impl Ansatz {
    #[must_use]
    pub fn new(problem: &Problem, jets: &JetSet) -> Self {
        let of = |e: &Option<Expression>| e.as_ref().map(|e| channel_expressions(e, jets));
        Self {
            jets: jets.clone(),
            distance: of(&problem.distance),
            lift: of(&problem.lift),
            lift_rate: problem.lift.as_ref().map(|e| e.differentiate_time().simplify()),
            parameters: problem.parameters.iter().map(|p| p.value).collect(),
        }
    }

    /// Taylor coefficients of the distance at a point, per channel; `None` where it is 1.
    #[must_use]
    pub fn distance(&self, point: &[f64]) -> Option<Vec<f64>> {
        self.distance.as_ref().map(|list| self.series(list, point, 0.0))
    }

    /// Taylor coefficients of the lift; `None` where it is 0.
    #[must_use]
    pub fn lift(&self, point: &[f64], time: f64) -> Option<Vec<f64>> {
        self.lift.as_ref().map(|list| self.series(list, point, time))
    }

    /// d lift / dt; 0 without a lift.
    #[must_use]
    pub fn lift_rate(&self, point: &[f64], time: f64) -> f64 {
        self.lift_rate.as_ref().map_or(0.0, |e| self.value(e, point, time))
    }

    #[must_use]
    pub fn has_lift(&self) -> bool {
        self.lift.is_some()
    }

    fn series(&self, list: &[Expression], point: &[f64], time: f64) -> Vec<f64> {
        let of = |(c, e): (usize, &Expression)| self.value(e, point, time) / self.jets.factor(c);
        list.iter().enumerate().map(of).collect()
    }

    fn value(&self, expression: &Expression, point: &[f64], time: f64) -> f64 {
        let place = Place { coordinates: point, time, parameters: &self.parameters };
        expression.evaluate(place, &|_| f64::NAN)
    }
}

/// The derivatives of a jet-free expression that the channels name.
fn channel_expressions(expression: &Expression, jets: &JetSet) -> Vec<Expression> {
    let dims = jets.dimensions();
    let along = |e: &Expression, k: usize| e.differentiate_coordinate(k, dims).simplify();
    let of = |channel: &Channel| match channel {
        Channel::Partial(index) => {
            let mut result = expression.clone();
            for (k, &times) in index.0.iter().enumerate() {
                for _ in 0..times {
                    result = along(&result, k);
                }
            }
            result
        }
        Channel::Laplacian => expression.laplacian(dims).simplify(),
    };
    jets.channels().iter().map(of).collect()
}
