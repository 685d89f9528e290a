//! The ansatz u = lift + distance * network that holds what sides ask for exactly.
//!
//! The network itself is a function of features of the coordinates that have no slope where the flux
//! is given (the network's `flat` inputs), so that u_n = 0 holds there whatever its parameters are.
//! With s the way from a side over the length of the coordinate:
//!
//! | side | factor of the distance | at the other side |
//! | --- | --- | --- |
//! | u = g | s, or 1 - (1 - s)^2 where the flux is given at the other side | no value, or no slope |
//! | u_n + k u = g, k >= 0 | 1 + k L (s - s^2 / 2): its normal derivative is -k times itself | no slope |
//! | the same, k < 0 | 1 over that of -k | no slope |

use super::expression::Expression;
use super::{Boundary, Coordinate, SettingIssue, Side};

/// The most nodes of the lift.
const MAX_LIFT: usize = 65_536;

/// Distance and lift of each unknown; `None` stands for 1 and for 0.
pub(super) struct Ansatz {
    /// Zero on every side with a value.
    pub distance: Option<Vec<Expression>>,
    /// A function that has what every side asks for.
    pub lift: Option<Vec<Expression>>,
}

impl Ansatz {
    /// The lift is the boolean sum of interpolations between opposite sides (transfinite
    /// interpolation: Gordon and Hall, "Construction of curvilinear co-ordinate systems and
    /// applications to mesh generation", 1973): L <- L + P_k(g_k - B_k L) for one coordinate with
    /// sides after the other, B_k what a side looks at. It has all of it if they agree where sides
    /// meet.
    ///
    /// # Errors
    /// Where the lift would be too large: it triples with every coordinate.
    pub(super) fn new(coordinates: &[Coordinate], unknowns: usize) -> Result<Self, SettingIssue> {
        let size = lift_size_bound(coordinates);
        if size > MAX_LIFT {
            return Err(SettingIssue::LiftTooLarge { size, limit: MAX_LIFT });
        }
        let of = |unknown: usize| Self::of_unknown(coordinates, unknown);
        let (distances, lifts): (Vec<_>, Vec<_>) = (0..unknowns).map(of).unzip();
        let unless = |list: Vec<Expression>, neutral: f64| {
            (!list.iter().all(|e| *e == neutral.into())).then_some(list)
        };
        Ok(Self { distance: unless(distances, 1.0), lift: unless(lifts, 0.0) })
    }

    fn of_unknown(coordinates: &[Coordinate], unknown: usize) -> (Expression, Expression) {
        let mut distance = Expression::Constant(1.0);
        let mut lift = Expression::Constant(0.0);
        for (k, coordinate) in coordinates.iter().enumerate() {
            let Some(sides) = coordinate.sides() else { continue };
            let along = Along { k, lower: coordinate.lower, upper: coordinate.upper };
            let own = sides.map(|(of_all, at)| (&of_all[unknown], at));
            distance = distance * along.distance(own.map(|(side, _)| side));
            let flux = own.map(|(side, _)| side.is_flux());
            let missing = |(side, at): (&Side, [f64; 2])| {
                side.value().clone() - side.apply(&lift, (k, coordinates.len()), at)
            };
            let [at_lower, at_upper] = own.map(missing);
            let [of_lower, of_upper] = along.interpolation(flux);
            lift = lift.clone() + of_lower * at_lower + of_upper * at_upper;
        }
        (distance, lift)
    }
}

/// One coordinate's range, of coordinate number `k`.
struct Along {
    k: usize,
    lower: f64,
    upper: f64,
}

impl Along {
    fn length(&self) -> f64 {
        self.upper - self.lower
    }

    /// The way from the lower and from the upper side over the length: 0 and 1 at the sides exactly,
    /// whatever these are.
    fn ways(&self) -> [Expression; 2] {
        let x = Expression::Coordinate(self.k);
        let length = || Expression::Constant(self.length());
        [
            (x.clone() - self.lower.into()) / length(),
            (Expression::Constant(self.upper) - x) / length(),
        ]
    }

    /// The factor of the distance.
    fn distance(&self, sides: [&Side; 2]) -> Expression {
        let [s, r] = self.ways();
        let one = || Expression::Constant(1.0);
        match sides {
            [Side::Value(_), Side::Value(_)] => Expression::Constant(4.0) * (s * r),
            [Side::Value(_), flux] => (one() - r.clone() * r.clone()) * self.robin(flux, r),
            [flux, Side::Value(_)] => (one() - s.clone() * s.clone()) * self.robin(flux, s),
            [lower, upper] => self.robin(lower, s) * self.robin(upper, r),
        }
    }

    /// 1 + k L (s - s^2 / 2), or 1 over it where k is negative, of about size 1.
    fn robin(&self, side: &Side, s: Expression) -> Expression {
        let Side::Flux { factor, steepness, .. } = side else { return Expression::Constant(1.0) };
        let h = || s.clone() - Expression::Constant(0.5) * (s.clone() * s.clone());
        let part = |factor: Expression| {
            let positive = factor.maximum(Expression::Constant(0.0));
            Expression::Constant(1.0) + positive * Expression::Constant(self.length()) * h()
        };
        let size = Expression::Constant(1.0 / (1.0 + 0.5 * steepness));
        match factor {
            Expression::Constant(k) if *k == 0.0 => Expression::Constant(1.0),
            Expression::Constant(k) if *k > 0.0 => size * part(factor.clone()),
            Expression::Constant(_) => Expression::Constant(1.0) / part(-factor.clone()),
            _ => size * part(factor.clone()) / part(-factor.clone()),
        }
    }

    /// Per side a polynomial that has 1 of what the side looks at and 0 of what the other one does,
    /// whatever the factor in u_n + k u is: where the flux is given it has no value, and where only
    /// the other side's is, neither value nor slope.
    fn interpolation(&self, flux: [bool; 2]) -> [Expression; 2] {
        let [s, r] = self.ways();
        let square = |e: &Expression| e.clone() * e.clone();
        // Falls inwards with slope 1.
        let length = || Expression::Constant(-self.length());
        match flux {
            [false, false] => [r, s],
            [true, false] => [length() * (s.clone() * r), square(&s)],
            [false, true] => [square(&r), length() * (s * r)],
            [true, true] => [length() * (s.clone() * square(&r)), length() * (square(&s) * r)],
        }
    }
}

/// A bound on the nodes of the lift before anything of it can cancel.
fn lift_size_bound(coordinates: &[Coordinate]) -> usize {
    /// Nodes of one step of the boolean sum around the old lift and what sides ask for.
    const STEP: usize = 40;
    let nodes = |side: &Side| match side {
        Side::Value(value) => value.size(),
        Side::Flux { factor, value, .. } => factor.size() + value.size(),
    };
    let values = coordinates.iter().filter_map(|coordinate| match &coordinate.boundary {
        Boundary::Sides { lower, upper } => {
            let sides = lower.iter().zip(upper);
            let flux = lower.iter().chain(upper).any(Side::is_flux);
            // A slope's formula is larger than that of its function.
            let times = if flux { 7 } else { 3 };
            sides.map(|(lower, upper)| (times, nodes(lower) + nodes(upper))).max()
        }
        Boundary::Periodic | Boundary::Open => None,
    });
    values.fold(1, |lift: usize, (times, values)| times * lift + values + STEP)
}
