//! Points of a piece's surface, uniform by its measure, and that measure.
//!
//! Circles, spheres, boxes and polygons are laid out by numbers in (0, 1). Every other surface is
//! found where lines through the box cross it. Lines along coordinate k, uniform over the box's
//! side across it, of area P_k, cross a surface element dA with the unit normal n at a rate of
//! `|n_k| dA / P_k` each. With a line along k in proportion to P_k, and each crossing kept with the
//! probability `|n_k|`, the rate is `sum_k n_k^2 dA / sum P = dA / sum P`: uniform, whatever the
//! surface is like.

use std::f64::consts::TAU;

use super::piece::{Piece, edges, norm};
use super::{ON_SURFACE, Shape, sequence};

/// Places along a line at which the signed function is looked at.
const LOOKS: usize = 128;
/// Halvings of an interval with a crossing in it.
const HALVINGS: usize = 50;
/// The share of a surface above which all of it bounds the domain.
const WHOLE: f64 = 0.999;
/// Lines by which the surface of a piece that is only known by its function is measured.
const LINES: usize = 1 << 12;

/// Numbers that one point is made of, in `d` dimensions.
pub(super) fn units(piece: &Piece, d: usize) -> usize {
    match piece {
        Piece::Ball { .. } if d > 3 => d.next_multiple_of(2),
        Piece::Ball { .. } | Piece::Box { .. } => d.saturating_sub(1).max(1),
        Piece::Polygon(_) => 1,
        _ => d,
    }
}

/// The points that these numbers stand for: none, one, or several on one line.
pub(super) fn points(shape: &Shape, piece: &Piece, unit: &[f64], found: &mut Vec<Vec<f64>>) {
    match piece {
        Piece::Ball { centre, radius } => {
            let direction = direction(centre.len(), unit);
            found.push(centre.iter().zip(direction).map(|(c, n)| c + radius * n).collect());
        }
        Piece::Box { lower, upper } => found.extend(on_box(shape, lower, upper, unit)),
        Piece::Polygon(corners) => found.extend(on_outline(corners, unit[0])),
        _ => crossings(shape, piece, unit, &mut |point, rate, keep| {
            if keep < rate {
                found.push(point);
            }
        }),
    }
}

/// The measure of the part of a surface that bounds the domain.
pub(super) fn measure(shape: &Shape, number: usize) -> f64 {
    let (piece, d) = (&shape.pieces[number], shape.dimensions());
    let units = units(piece, d);
    let whole = match piece {
        Piece::Ball { radius, .. } => sphere(d) * radius.powi(d as i32 - 1),
        Piece::Box { lower, upper } => faces(shape, lower, upper).iter().map(|f| f.area).sum(),
        Piece::Polygon(corners) => edges(corners).map(length).sum(),
        _ => {
            let mut sum = 0.0;
            for unit in sequence(units, LINES) {
                crossings(shape, piece, &unit, &mut |point, rate, _| {
                    sum += if shape.normal(number, &point).is_some() { rate } else { 0.0 };
                });
            }
            return sum * across(shape).iter().sum::<f64>() / LINES as f64;
        }
    };
    let mut found = Vec::new();
    for unit in sequence(units, ON_SURFACE) {
        shape.on_surface(number, &unit, &mut found);
    }
    // A corner may have lost a point.
    let share = found.len() as f64 / ON_SURFACE as f64;
    if share > WHOLE { whole } else { whole * share }
}

/// Area of the unit sphere in d dimensions: `2 pi^(d/2) / Gamma(d/2)`, by `S_d = 2 pi S_(d-2) /
/// (d - 2)`.
fn sphere(d: usize) -> f64 {
    match d {
        0 | 1 => 2.0,
        2 => TAU,
        _ => TAU / (d as f64 - 2.0) * sphere(d - 2),
    }
}

/// A unit vector: by the angle, by height and angle, by normal numbers in more dimensions (pairs of
/// them by Box and Muller's formula).
fn direction(d: usize, unit: &[f64]) -> Vec<f64> {
    match d {
        1 => vec![if unit[0] < 0.5 { -1.0 } else { 1.0 }],
        2 => vec![(TAU * unit[0]).cos(), (TAU * unit[0]).sin()],
        3 => {
            let z = 2.0 * unit[0] - 1.0;
            let (sin, cos) = (TAU * unit[1]).sin_cos();
            let ring = (1.0 - z * z).sqrt();
            vec![ring * cos, ring * sin, z]
        }
        _ => {
            let pair = |pair: &[f64]| {
                let (sin, cos) = (TAU * pair[1]).sin_cos();
                let size = (-2.0 * pair[0].ln()).sqrt();
                [size * cos, size * sin]
            };
            let mut normal: Vec<f64> = unit.chunks_exact(2).flat_map(pair).collect();
            normal.truncate(d);
            let size = norm(&normal);
            normal.into_iter().map(|n| n / size).collect()
        }
    }
}

/// A side of a box piece, as far as it lies in the domain's box.
struct Face {
    coordinate: usize,
    at: f64,
    area: f64,
}

/// Ranges of a box piece inside the domain's box.
fn clipped(shape: &Shape, lower: &[f64], upper: &[f64]) -> Vec<[f64; 2]> {
    let own = lower.iter().zip(upper);
    let all = shape.lower.iter().zip(&shape.upper);
    own.zip(all).map(|((a, b), (low, high))| [a.max(*low), b.min(*high)]).collect()
}

fn faces(shape: &Shape, lower: &[f64], upper: &[f64]) -> Vec<Face> {
    let ranges = clipped(shape, lower, upper);
    let area = |k: usize| -> f64 {
        let others = ranges.iter().enumerate().filter(|(j, _)| *j != k);
        others.map(|(_, [a, b])| (b - a).max(0.0)).product()
    };
    let face = |k: usize| [lower[k], upper[k]].map(|at| Face { coordinate: k, at, area: area(k) });
    let inside = |f: &Face| (shape.lower[f.coordinate]..=shape.upper[f.coordinate]).contains(&f.at);
    (0..lower.len()).flat_map(face).filter(inside).collect()
}

/// The first number chooses the side; what is left of it is a share along that.
fn on_box(shape: &Shape, lower: &[f64], upper: &[f64], unit: &[f64]) -> Option<Vec<f64>> {
    let faces = faces(shape, lower, upper);
    let areas: Vec<f64> = faces.iter().map(|face| face.area).collect();
    let (number, rest) = choose(&areas, unit[0])?;
    let ranges = clipped(shape, lower, upper);
    let mut shares = std::iter::once(rest).chain(unit[1..].iter().copied());
    let mut at = |k: usize, [a, b]: [f64; 2]| match faces[number].coordinate == k {
        true => faces[number].at,
        false => a + shares.next().unwrap_or(0.5) * (b - a),
    };
    Some(ranges.iter().enumerate().map(|(k, range)| at(k, *range)).collect())
}

fn on_outline(corners: &[[f64; 2]], unit: f64) -> Option<Vec<f64>> {
    let lengths: Vec<f64> = edges(corners).map(length).collect();
    let (number, share) = choose(&lengths, unit)?;
    let (a, b) = (corners[number], corners[(number + 1) % corners.len()]);
    Some((0..2).map(|k| a[k] + share * (b[k] - a[k])).collect())
}

fn length([a, b]: [[f64; 2]; 2]) -> f64 {
    (b[0] - a[0]).hypot(b[1] - a[1])
}

/// One of the weights in proportion to them, and what is left of the number, in (0, 1) again.
fn choose(weights: &[f64], unit: f64) -> Option<(usize, f64)> {
    let mut rest = unit * weights.iter().sum::<f64>();
    for (number, &weight) in weights.iter().enumerate() {
        if rest < weight {
            return Some((number, rest / weight));
        }
        rest -= weight;
    }
    let last = weights.iter().rposition(|weight| *weight > 0.0)?;
    Some((last, 1.0))
}

/// P_k: areas of the box's sides across each coordinate.
fn across(shape: &Shape) -> Vec<f64> {
    let side = |k: usize| shape.upper[k] - shape.lower[k];
    let d = shape.dimensions();
    (0..d).map(|k| (0..d).filter(|&j| j != k).map(side).product()).collect()
}

/// Where one line crosses the surface, with `|n_k|` there and the number that decides.
fn crossings(
    shape: &Shape,
    piece: &Piece,
    unit: &[f64],
    found: &mut dyn FnMut(Vec<f64>, f64, f64),
) {
    let d = shape.dimensions();
    let Some((along, keep)) = choose(&across(shape), unit[d - 1]) else { return };
    let mut shares = unit[..d - 1].iter().copied();
    let place: Vec<f64> =
        (0..d).map(|k| if k == along { 0.0 } else { shares.next().unwrap_or(0.5) }).collect();
    let at = |share: f64| {
        let mut place = place.clone();
        place[along] = share;
        shape.placed(&place)
    };
    let sign = |share: f64| piece.signed(&at(share)) < 0.0;
    let mut before = sign(0.0);
    for look in 1..=LOOKS {
        let end = look as f64 / LOOKS as f64;
        let after = sign(end);
        if after != before {
            let mut bracket = [end - 1.0 / LOOKS as f64, end];
            for _ in 0..HALVINGS {
                let middle = 0.5 * (bracket[0] + bracket[1]);
                bracket[usize::from(sign(middle) != before)] = middle;
            }
            let point = at(0.5 * (bracket[0] + bracket[1]));
            if let Some(normal) = piece.normal(&point) {
                found(point, normal[along].abs(), keep);
            }
        }
        before = after;
    }
}
