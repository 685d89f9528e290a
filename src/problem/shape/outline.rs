//! Whether a list of corners is an outline.

use super::ShapeIssue;
use super::piece::{area, edges};

/// What is wrong with an outline, if something is: it needs three corners, an area, and sides of
/// which no two meet but neighbours at their common corner.
pub(crate) fn outline_mistake(corners: &[[f64; 2]]) -> Option<ShapeIssue> {
    if corners.len() < 3 {
        return Some(ShapeIssue::FewCorners { corners: corners.len() });
    }
    let sides: Vec<[[f64; 2]; 2]> = edges(corners).collect();
    let count = sides.len();
    for first in 0..count {
        for second in first + 1..count {
            let neighbours = second == first + 1 || (first == 0 && second + 1 == count);
            let meets = match neighbours {
                // Neighbours may share their corner, not go back over each other.
                true if second == first + 1 => folds(sides[first], sides[second]),
                true => folds(sides[second], sides[first]),
                false => meet(sides[first], sides[second]),
            };
            if meets {
                let (first, second) = (first + 1, second + 1);
                return Some(ShapeIssue::Crossed { first, second });
            }
        }
    }
    (area(corners) == 0.0).then_some(ShapeIssue::Flat)
}

/// Twice the area of a triangle, positive against the clock.
fn turn(a: [f64; 2], b: [f64; 2], c: [f64; 2]) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// Whether the second side leads straight back over the first one, or has no length.
fn folds([a, b]: [[f64; 2]; 2], [_, c]: [[f64; 2]; 2]) -> bool {
    let back = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]) <= 0.0;
    (turn(a, b, c) == 0.0 && back) || a == b || b == c
}

/// Whether two segments have a point in common.
fn meet([a, b]: [[f64; 2]; 2], [c, d]: [[f64; 2]; 2]) -> bool {
    let (s, t) = (turn(a, b, c), turn(a, b, d));
    let (p, q) = (turn(c, d, a), turn(c, d, b));
    let between = |a: [f64; 2], b: [f64; 2], x: [f64; 2]| {
        (0..2).all(|k| (a[k].min(b[k])..=a[k].max(b[k])).contains(&x[k]))
    };
    (s * t < 0.0 && p * q < 0.0)
        || (s == 0.0 && between(a, b, c))
        || (t == 0.0 && between(a, b, d))
        || (p == 0.0 && between(c, d, a))
        || (q == 0.0 && between(c, d, b))
}
