//! The ansatz u = lift + distance * network that holds Dirichlet values exactly.

use super::expression::Expression;
use super::{Boundary, Coordinate, SettingIssue};

/// The most nodes of the lift.
const MAX_LIFT: usize = 65_536;

/// Distance and lift; `None` stands for 1 and for 0.
pub(super) struct Ansatz {
    /// The product over the Dirichlet coordinates of 4 (x - a)(b - x) / (b - a)^2: zero on every
    /// side, one in the middle.
    pub distance: Option<Expression>,
    /// For each unknown a function that takes its values on every side.
    pub lift: Option<Vec<Expression>>,
}

impl Ansatz {
    /// The lift is the boolean sum of linear interpolations between opposite sides (transfinite
    /// interpolation: Gordon and Hall, "Construction of curvilinear co-ordinate systems and
    /// applications to mesh generation", 1973): L <- L + P_k(g_k - L) for one Dirichlet coordinate
    /// after the other. It takes all values if they agree where sides meet.
    ///
    /// # Errors
    /// Where the lift would be too large: it triples with every coordinate.
    pub(super) fn new(coordinates: &[Coordinate], unknowns: usize) -> Result<Self, SettingIssue> {
        let size = lift_size_bound(coordinates);
        if size > MAX_LIFT {
            return Err(SettingIssue::LiftTooLarge { size, limit: MAX_LIFT });
        }
        let mut distance = Expression::Constant(1.0);
        let mut lifts = vec![Expression::Constant(0.0); unknowns];
        for (k, coordinate) in coordinates.iter().enumerate() {
            let Boundary::Dirichlet { lower, upper } = &coordinate.boundary else {
                continue;
            };
            let (a, b) = (coordinate.lower, coordinate.upper);
            let x = Expression::Coordinate(k);
            let width = || Expression::Constant(b - a);
            // 0 and 1 at the sides exactly, whatever a and b are.
            let from_lower = (x.clone() - a.into()) / width();
            let from_upper = (Expression::Constant(b) - x) / width();
            distance =
                distance * Expression::Constant(4.0) * (from_lower.clone() * from_upper.clone());
            for (lift, (lower, upper)) in lifts.iter_mut().zip(lower.iter().zip(upper)) {
                let correction = |value: &Expression, side: f64| {
                    value.clone() - lift.substitute_coordinate(k, &side.into())
                };
                let (at_lower, at_upper) = (correction(lower, a), correction(upper, b));
                *lift =
                    lift.clone() + from_upper.clone() * at_lower + from_lower.clone() * at_upper;
            }
        }
        let is = |expression: &Expression, neutral: f64| *expression == neutral.into();
        Ok(Self {
            distance: (!is(&distance, 1.0)).then_some(distance),
            lift: (!lifts.iter().all(|lift| is(lift, 0.0))).then_some(lifts),
        })
    }
}

/// A bound on the nodes of the lift before anything of it can cancel.
fn lift_size_bound(coordinates: &[Coordinate]) -> usize {
    /// Nodes of one step of the boolean sum around the old lift and the values.
    const STEP: usize = 18;
    let values = coordinates.iter().filter_map(|coordinate| match &coordinate.boundary {
        Boundary::Dirichlet { lower, upper } => {
            let sides = lower.iter().zip(upper);
            sides.map(|(lower, upper)| lower.size() + upper.size()).max()
        }
        Boundary::Periodic | Boundary::Open => None,
    });
    values.fold(1, |lift: usize, values| 3 * lift + values + STEP)
}
