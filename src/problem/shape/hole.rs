//! Where a domain is left out around a middle.

use super::Shape;
use super::piece::{Piece, area, edges};

/// A bounded piece outside of the domain whose surface bounds it: its middle and about how far its
/// surface is from there along each coordinate.
#[derive(Clone, Debug, PartialEq)]
pub struct Hole {
    pub centre: Vec<f64>,
    pub axes: Vec<f64>,
}

impl Shape {
    /// Discs, balls, ellipses, boxes and polygons that are no part of the domain and bound it. Where a
    /// piece reaches into the domain from beside it, that is one too, if its middle lies in the box.
    #[must_use]
    pub fn holes(&self) -> Vec<Hole> {
        let bounds = (0..self.pieces()).filter(|&piece| self.measure(piece) > 0.0);
        let holes = bounds.filter_map(|piece| Hole::of(&self.pieces[piece]));
        holes.filter(|hole| self.in_box(&hole.centre) && !self.contains(&hole.centre)).collect()
    }
}

impl Hole {
    /// None of what has no middle, or none that is known.
    fn of(piece: &Piece) -> Option<Self> {
        let (centre, axes) = match piece {
            Piece::Ball { centre, radius } => (centre.clone(), vec![*radius; centre.len()]),
            Piece::Ellipsoid { centre, axes, angle } if *angle == 0.0 => {
                (centre.clone(), axes.clone())
            }
            Piece::Ellipsoid { centre, axes, .. } => {
                let mean = axes.iter().product::<f64>().powf(1.0 / axes.len() as f64);
                (centre.clone(), vec![mean; axes.len()])
            }
            Piece::Box { lower, upper } => {
                let ranges = || lower.iter().zip(upper);
                let centre = ranges().map(|(lower, upper)| 0.5 * (lower + upper));
                (centre.collect(), ranges().map(|(lower, upper)| 0.5 * (upper - lower)).collect())
            }
            Piece::Polygon(corners) => of_polygon(corners),
            Piece::HalfSpace { .. } | Piece::Formula { .. } => return None,
        };
        let hole = Self { centre, axes };
        hole.centre.iter().chain(&hole.axes).all(|v: &f64| v.is_finite()).then_some(hole)
    }
}

/// Its centre of gravity, and the radius of a disc of its area.
fn of_polygon(corners: &[[f64; 2]]) -> (Vec<f64>, Vec<f64>) {
    let twice = area(corners);
    let mut centre = vec![0.0; 2];
    for [a, b] in edges(corners) {
        let part = (a[0] * b[1] - b[0] * a[1]) / (3.0 * twice);
        (0..2).for_each(|k| centre[k] += part * (a[k] + b[k]));
    }
    let radius = (0.5 * twice.abs() / std::f64::consts::PI).sqrt();
    (centre, vec![radius; 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Tree;

    /// A box from (-2, -2) to (2, 2) without one piece.
    fn without(piece: Piece) -> Vec<Hole> {
        let names = ["hole".to_owned()];
        let tree = Tree::parse("box - hole", &names).expect("a tree");
        let corners = [vec![-2.0; 2], vec![2.0; 2]];
        Shape::new(corners, vec![("hole".into(), vec![piece])], tree).holes()
    }

    #[test]
    fn what_is_taken_away_has_a_middle_where_it_bounds_the_domain() {
        let ball = |centre: [f64; 2], radius| Piece::Ball { centre: centre.to_vec(), radius };
        let hole = |centre: [f64; 2], axes: [f64; 2]| Hole {
            centre: centre.to_vec(),
            axes: axes.to_vec(),
        };
        assert_eq!(without(ball([0.5, 1.0], 0.3)), [hole([0.5, 1.0], [0.3, 0.3])]);
        // One half of it reaches in.
        assert_eq!(without(ball([2.0, 0.0], 0.3)).len(), 1);
        assert!(without(ball([5.0, 0.0], 0.3)).is_empty(), "beside the box");
        assert!(without(ball([2.2, 0.0], 0.3)).is_empty(), "its middle is beside the box");
        let square = Piece::Box { lower: vec![-1.0, 0.0], upper: vec![0.0, 3.0] };
        assert_eq!(without(square), [hole([-0.5, 1.5], [0.5, 1.5])]);
        let triangle = without(Piece::Polygon(vec![[0.0, 0.0], [0.0, 0.9], [0.9, 0.0]]));
        assert!(triangle[0].centre.iter().all(|x| (x - 0.3).abs() < 1e-14), "{triangle:?}");
        let radius = (0.5 * 0.81 / std::f64::consts::PI).sqrt();
        assert!((triangle[0].axes[1] - radius).abs() < 1e-14);
        let edge = Piece::HalfSpace { point: vec![0.0; 2], normal: vec![1.0, 0.0] };
        assert!(without(edge).is_empty(), "no middle");
    }
}
