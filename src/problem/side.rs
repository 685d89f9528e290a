//! What holds on the sides of a box.

use super::expression::Expression;
use super::{Boundary, Coordinate};

/// The condition of one unknown on one side of the domain.
#[derive(Clone, Debug, PartialEq)]
pub enum Side {
    /// u = value: the other coordinates, time and parameters.
    Value(Expression),
    /// u_n + factor u = value, u_n the derivative along the outward normal.
    Flux {
        /// The other coordinates and parameters.
        factor: Expression,
        value: Expression,
        /// About |factor| times the length of the coordinate, when the problem was read: how thin a
        /// layer the solution may have there. 0 or a power of two.
        steepness: f64,
    },
}

impl Side {
    /// The right side of the condition.
    #[must_use]
    pub fn value(&self) -> &Expression {
        match self {
            Self::Value(value) | Self::Flux { value, .. } => value,
        }
    }

    #[must_use]
    pub fn is_flux(&self) -> bool {
        matches!(self, Self::Flux { .. })
    }

    /// What then holds for the unknown's rate of change.
    #[must_use]
    pub fn rate(&self) -> Self {
        let mut side = self.clone();
        let (Self::Value(value) | Self::Flux { value, .. }) = &mut side;
        *value = value.differentiate_time().simplify();
        side
    }

    /// `u` or `u_n + factor u` of a function of the coordinates, at the side `at` of coordinate `k`
    /// whose outward normal points along `sign`.
    #[must_use]
    pub fn apply(
        &self,
        u: &Expression,
        (k, dimensions): (usize, usize),
        at: [f64; 2],
    ) -> Expression {
        let [at, sign] = at;
        let here = |e: &Expression| e.substitute_coordinate(k, &at.into());
        match self {
            Self::Value(_) => here(u),
            Self::Flux { factor, .. } => {
                let slope = u.differentiate_coordinate(k, dimensions).simplify();
                Expression::Constant(sign) * here(&slope) + factor.clone() * here(u)
            }
        }
    }

    fn steepness(&self) -> Option<f64> {
        match self {
            Self::Value(_) => None,
            Self::Flux { steepness, .. } => Some(*steepness),
        }
    }
}

impl Coordinate {
    /// The lower and the upper side of all unknowns, where it has sides; with each its place and
    /// the sign of the outward normal.
    #[must_use]
    pub fn sides(&self) -> Option<[(&[Side], [f64; 2]); 2]> {
        match &self.boundary {
            Boundary::Sides { lower, upper } => {
                Some([(lower, [self.lower, -1.0]), (upper, [self.upper, 1.0])])
            }
            Boundary::Periodic | Boundary::Open => None,
        }
    }

    /// The steepness of each end at which the flux is given; all unknowns are alike in that.
    #[must_use]
    pub fn flat_ends(&self) -> [Option<f64>; 2] {
        let steepest = |sides: &[Side]| -> Option<f64> {
            sides
                .iter()
                .map(Side::steepness)
                .collect::<Option<Vec<_>>>()?
                .into_iter()
                .reduce(f64::max)
        };
        self.sides().map_or([None; 2], |sides| sides.map(|(side, _)| steepest(side)))
    }

    /// How many features of it a network has, beside waves: one, or two where the flux is given at an
    /// end.
    #[must_use]
    pub fn features(&self) -> usize {
        match &self.boundary {
            Boundary::Periodic => 0,
            _ if self.flat_ends() == [None; 2] => 1,
            _ => 2,
        }
    }
}
