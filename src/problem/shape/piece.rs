//! One closed surface.

use crate::expression::Expression;

/// A body with a surface, in the coordinates of space.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// `|x - centre| < radius`: a disc, a ball in any number of dimensions.
    Ball { centre: Vec<f64>, radius: f64 },
    /// `|(x - centre) / axes| < 1`, the half axes turned against the clock by `angle` in two
    /// dimensions.
    Ellipsoid { centre: Vec<f64>, axes: Vec<f64>, angle: f64 },
    /// `lower < x < upper`; sides that are not given lie at infinity.
    Box { lower: Vec<f64>, upper: Vec<f64> },
    /// Inside a closed outline, whose corners these are; it does not cross itself.
    Polygon(Vec<[f64; 2]>),
    /// `(x - point) . normal < 0`.
    HalfSpace { point: Vec<f64>, normal: Vec<f64> },
    /// `value < 0`, with its derivatives.
    Formula { value: Expression, slopes: Vec<Expression> },
}

impl Piece {
    /// A formula in coordinates alone.
    #[must_use]
    pub fn formula(value: Expression, dimensions: usize) -> Self {
        let slope = |k| value.differentiate_coordinate(k, dimensions).simplify();
        let slopes = (0..dimensions).map(slope).collect();
        Self::Formula { value, slopes }
    }

    /// Negative inside, positive outside: the distance for balls, boxes, polygons and half spaces
    /// near their sides, else a function that vanishes on the surface.
    #[must_use]
    pub fn signed(&self, x: &[f64]) -> f64 {
        match self {
            Self::Ball { centre, radius } => norm(&difference(x, centre)) - radius,
            Self::Ellipsoid { centre, axes, angle } => {
                let turned = turn(difference(x, centre), -angle);
                norm(&turned.iter().zip(axes).map(|(x, a)| x / a).collect::<Vec<_>>()) - 1.0
            }
            Self::Box { lower, upper } => sides(lower, upper, x).fold(f64::NEG_INFINITY, f64::max),
            Self::Polygon(corners) => {
                let distance = edges(corners).map(|edge| to_segment(edge, x)).fold(1e300, f64::min);
                if winds(corners, x) { -distance } else { distance }
            }
            Self::HalfSpace { point, normal } => dot(&difference(x, point), normal) / norm(normal),
            Self::Formula { value, .. } => value.evaluate_at(x, 0.0, &[]),
        }
    }

    /// The distance to the surface to first order: the signed function over its slope.
    #[must_use]
    pub fn distance(&self, x: &[f64]) -> f64 {
        match self {
            Self::Ellipsoid { .. } | Self::Formula { .. } => {
                self.signed(x) / norm(&self.gradient(x)).max(f64::MIN_POSITIVE)
            }
            _ => self.signed(x),
        }
    }

    /// The unit vector that leads out of the body at a point of its surface; `None` where the
    /// signed function has no slope.
    #[must_use]
    pub fn normal(&self, x: &[f64]) -> Option<Vec<f64>> {
        let gradient = self.gradient(x);
        let length = norm(&gradient);
        (length.is_finite() && length > 0.0)
            .then(|| gradient.into_iter().map(|g| g / length).collect())
    }

    /// Derivatives of the signed function at a point near the surface.
    fn gradient(&self, x: &[f64]) -> Vec<f64> {
        match self {
            Self::Ball { centre, .. } => difference(x, centre),
            Self::Ellipsoid { centre, axes, angle } => {
                let turned = turn(difference(x, centre), -angle);
                let scaled = turned.iter().zip(axes).map(|(x, a)| x / (a * a)).collect::<Vec<_>>();
                let size = norm(&turned.iter().zip(axes).map(|(x, a)| x / a).collect::<Vec<_>>());
                turn(scaled, *angle).into_iter().map(|g| g / size).collect()
            }
            Self::Box { lower, upper } => {
                let far = |&(_, a): &(usize, f64), &(_, b): &(usize, f64)| a.total_cmp(&b);
                let largest = sides(lower, upper, x).enumerate().max_by(|a, b| far(a, b));
                let mut gradient = vec![0.0; x.len()];
                if let Some((side, _)) = largest {
                    gradient[side / 2] = if side % 2 == 0 { -1.0 } else { 1.0 };
                }
                gradient
            }
            Self::Polygon(corners) => {
                let distance = |edge: &[[f64; 2]; 2]| to_segment(*edge, x);
                let near = edges(corners).min_by(|a, b| distance(a).total_cmp(&distance(b)));
                let Some([a, b]) = near else { return vec![0.0; 2] };
                // To the right of an outline that runs against the clock is outside.
                let sign = area(corners).signum();
                vec![sign * (b[1] - a[1]), sign * (a[0] - b[0])]
            }
            Self::HalfSpace { normal, .. } => normal.clone(),
            Self::Formula { slopes, .. } => {
                slopes.iter().map(|slope| slope.evaluate_at(x, 0.0, &[])).collect()
            }
        }
    }
}

/// How far `x` lies beyond each side of a box, lower and upper of one coordinate after the other.
fn sides(lower: &[f64], upper: &[f64], x: &[f64]) -> impl Iterator<Item = f64> {
    let of = |((lower, upper), x): ((&f64, &f64), &f64)| [lower - x, x - upper];
    lower.iter().zip(upper).zip(x).flat_map(of)
}

pub(super) fn edges(corners: &[[f64; 2]]) -> impl Iterator<Item = [[f64; 2]; 2]> {
    let next = |i: usize| corners[(i + 1) % corners.len()];
    corners.iter().enumerate().map(move |(i, &a)| [a, next(i)])
}

/// Twice the area, positive where the outline runs against the clock.
pub(super) fn area(corners: &[[f64; 2]]) -> f64 {
    edges(corners).map(|[a, b]| a[0] * b[1] - b[0] * a[1]).sum()
}

fn to_segment([a, b]: [[f64; 2]; 2], x: &[f64]) -> f64 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let from = [x[0] - a[0], x[1] - a[1]];
    let share = (dot(&from, &along) / dot(&along, &along)).clamp(0.0, 1.0);
    (from[0] - share * along[0]).hypot(from[1] - share * along[1])
}

/// Whether a ray to the right crosses the outline an odd number of times.
fn winds(corners: &[[f64; 2]], x: &[f64]) -> bool {
    let crosses = |&[a, b]: &[[f64; 2]; 2]| {
        (a[1] > x[1]) != (b[1] > x[1])
            && x[0] < a[0] + (x[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
    };
    edges(corners).filter(crosses).count() % 2 == 1
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// Turned against the clock, in two dimensions.
fn turn(mut x: Vec<f64>, angle: f64) -> Vec<f64> {
    if angle != 0.0 && x.len() == 2 {
        let (sin, cos) = angle.sin_cos();
        x = vec![cos * x[0] - sin * x[1], sin * x[0] + cos * x[1]];
    }
    x
}
