//! The orthonormal coordinates of one unknown's features, and what their derivatives are.

use nalgebra::DMatrix;

use crate::field::cpu::Evaluator;
use crate::field::jet::JetSet;
use crate::linalg::{LeastSquaresError, Svd, product, transposed_product};
use crate::network::Network;
use crate::problem::expression::{Channel, Entry, Expression};
use crate::problem::{MethodSettings, Problem};

/// Singular values below this part of the largest are those of rounding.
const CUTOFF: f64 = MethodSettings::FEATURE_CUTOFF;
/// One unknown's part, or that of several with the same factor before the network.
pub(super) struct Basis {
    /// Of each channel of the jet set that is wanted: n x r; the value is U.
    pub channels: Vec<Option<DMatrix<f64>>>,
    /// U^T times the channel's matrix, for coefficients that are the same everywhere.
    pub projected: Vec<Option<DMatrix<f64>>>,
    pub singular_values: Vec<f64>,
    /// An orthonormal basis of the first half of the features at the points.
    pub half: DMatrix<f64>,
    /// V, K x r.
    pub right: DMatrix<f64>,
}

impl Basis {
    pub fn values(&self) -> &DMatrix<f64> {
        self.channels[0].as_ref().expect("the value is always wanted")
    }

    pub fn rank(&self) -> usize {
        self.right.ncols()
    }
}

/// A derivative of one unknown by the parameters `columns`, at the points: n x K.
pub(super) fn derivatives(
    (problem, network, theta): (&Problem, &Network, &[f64]),
    places: &[f64],
    channel: Channel,
    unknown: usize,
    columns: &[u32],
) -> DMatrix<f64> {
    // As the Jacobian of an equation whose right-hand side is that derivative.
    let mut problem = problem.clone();
    for (q, f) in problem.right_hand_side.iter_mut().enumerate() {
        *f = Expression::Jet(Entry::new(q, channel));
    }
    let evaluator = Evaluator::<f64>::new(&problem, network, places);
    let mut all = DMatrix::<f64>::zeros(evaluator.rows(), columns.len());
    evaluator.rate_columns(theta, 0.0, columns, all.as_view_mut());
    all.rows(unknown * evaluator.points(), evaluator.points()).into_owned()
}

/// Of the channels of the jet set that are wanted.
pub(super) fn basis(
    jets: &JetSet,
    wanted: &[bool],
    of_channel: impl Fn(Channel) -> DMatrix<f64>,
) -> Result<Basis, LeastSquaresError> {
    let of_channel = |c: usize| of_channel(jets.channels()[c]);
    let values = of_channel(0);
    if let Some(at) = values.iter().position(|v| !v.is_finite()) {
        let (row, column) = (at % values.nrows(), at / values.nrows());
        return Err(LeastSquaresError::MatrixNotFinite { row, column });
    }
    let features = values.ncols() - 1;
    let half =
        values.select_columns((0..features / 2).chain([features]).collect::<Vec<_>>().iter());
    let half = cut(Svd::of(half.as_view())?).left;
    let Svd { left, values, right } = cut(Svd::of(values.as_view())?);
    let mut scaled = right.clone();
    scaled.column_iter_mut().zip(&values).for_each(|(mut column, s)| column /= *s);
    let channel = |(c, wanted): (usize, &bool)| match c {
        0 => Some(left.clone()),
        _ => wanted.then(|| product(of_channel(c).as_view(), scaled.as_view())),
    };
    let channels: Vec<Option<DMatrix<f64>>> = wanted.iter().enumerate().map(channel).collect();
    let projected = |m: &Option<DMatrix<f64>>| {
        m.as_ref().map(|m| transposed_product(left.as_view(), m.as_view()))
    };
    let projected = channels.iter().map(projected).collect();
    Ok(Basis { channels, projected, singular_values: values, half, right })
}

/// Without the singular values of rounding.
fn cut(svd: Svd) -> Svd {
    let Svd { left, mut values, right } = svd;
    let rank = values.iter().take_while(|s| **s > CUTOFF * values[0]).count();
    values.truncate(rank);
    Svd {
        left: left.columns(0, rank).into_owned(),
        right: right.columns(0, rank).into_owned(),
        values,
    }
}
