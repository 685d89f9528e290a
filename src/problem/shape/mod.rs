//! Shapes: a domain inside the box of its coordinates' ranges, put together from pieces.
//!
//! A [`Shape`] is a box, cut by a [`Tree`] of pieces that are joined (`a + b`), cut (`a & b`) and
//! subtracted (`a - b`). Every [`Piece`] is a closed surface with a signed function, negative
//! inside. A point of a piece's surface bounds the domain where one side of it lies in the domain
//! and the other does not; the normal there points to the side that does not. Nothing else is
//! known of how the surfaces meet, so that pieces may overlap and coincide as they like.
//!
//! Points inside are those of a box that lie inside; points of a surface are uniform by its
//! measure ([`surface`]), of which those that do not bound the domain are left out.

mod error;
mod hole;
mod outline;
mod piece;
mod surface;
#[cfg(test)]
mod tests;
mod tree;

pub use error::ShapeIssue;
pub use hole::Hole;
pub(crate) use outline::outline_mistake;
pub use piece::Piece;
pub use tree::{Tree, TreeIssue};

use crate::points::Sobol;

/// Points by which a volume is measured, and the share of a surface that bounds the domain.
const IN_VOLUME: usize = 1 << 16;
const ON_SURFACE: usize = 1 << 14;
/// How far from a surface its two sides are looked at, as a share of the box's diagonal.
const NUDGE: f64 = 1e-7;

/// A domain in space.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    lower: Vec<f64>,
    upper: Vec<f64>,
    names: Vec<String>,
    pieces: Vec<Piece>,
    /// Number of the name that each piece belongs to.
    owners: Vec<usize>,
    tree: Tree,
    volume: f64,
    /// Of the part of each piece's surface that bounds the domain.
    measures: Vec<f64>,
}

impl Shape {
    /// A domain in the box from `lower` to `upper`: the part of it that `tree` keeps. Each named
    /// shape is the union of its pieces; the tree counts names.
    ///
    /// Measures are those of some thousand points of Sobol's sequence, good to about 1e-3 and exact
    /// where a whole disc, ball, box or polygon bounds the domain.
    #[must_use]
    pub fn new(
        [lower, upper]: [Vec<f64>; 2],
        named: Vec<(String, Vec<Piece>)>,
        tree: Tree,
    ) -> Self {
        let (mut names, mut pieces, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        for (number, (name, own)) in named.into_iter().enumerate() {
            names.push(name);
            owners.extend(own.iter().map(|_| number));
            pieces.extend(own);
        }
        let (volume, measures) = (0.0, Vec::new());
        let mut shape = Self { lower, upper, names, pieces, owners, tree, volume, measures };
        shape.volume = shape.measured_volume();
        shape.measures =
            (0..shape.pieces.len()).map(|piece| surface::measure(&shape, piece)).collect();
        shape
    }

    /// d: coordinates of its points, those of space.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.lower.len()
    }

    /// Whether a point lies in the domain; its sides belong to it, the pieces' surfaces do not.
    #[must_use]
    pub fn contains(&self, point: &[f64]) -> bool {
        let holds = |point: &[f64]| self.tree.holds(&|name| self.in_named(name, point));
        // Where a piece that is taken away reaches the box, the side behind it is no part of the domain
        // although the piece's surface is not in the piece.
        let inwards = self.inwards(point);
        self.in_box(point) && holds(point) && (inwards == point || holds(&inwards))
    }

    fn in_box(&self, point: &[f64]) -> bool {
        let ranges = self.lower.iter().zip(&self.upper);
        ranges.zip(point).all(|((lower, upper), x)| (lower..=upper).contains(&x))
    }

    /// A point of the box a little away from its sides.
    fn inwards(&self, point: &[f64]) -> Vec<f64> {
        let ranges = self.lower.iter().zip(&self.upper);
        let moved = ranges.zip(point).map(|((lower, upper), x)| {
            let little = 1e-9 * (upper - lower);
            x.clamp(lower + little, upper - little)
        });
        moved.collect()
    }

    /// Whether a point lies in the domain or, but for rounding, on its boundary.
    #[must_use]
    pub fn has(&self, point: &[f64]) -> bool {
        let near = 1e-9 * self.diagonal();
        let on = |&piece: &usize| {
            self.distance(piece, point) < near && self.normal(piece, point).is_some()
        };
        self.contains(point) || (0..self.pieces.len()).any(|piece| on(&piece))
    }

    fn in_named(&self, name: usize, point: &[f64]) -> bool {
        let own = self.pieces.iter().zip(&self.owners).filter(|(_, owner)| **owner == name);
        own.into_iter().any(|(piece, _)| piece.signed(point) < 0.0)
    }

    /// Volume of the domain, or its area, or its length.
    #[must_use]
    pub fn volume(&self) -> f64 {
        self.volume
    }

    /// Volume of the box.
    #[must_use]
    pub fn box_volume(&self) -> f64 {
        self.lower.iter().zip(&self.upper).map(|(lower, upper)| upper - lower).product()
    }

    /// Whether the domain is made with the named shape of this number.
    #[must_use]
    pub fn uses(&self, name: usize) -> bool {
        let mut found = false;
        self.tree.visit(&mut |used| found |= used == name);
        found
    }

    /// Measure of the part of a piece's surface that bounds the domain: an area, a length.
    #[must_use]
    pub fn measure(&self, piece: usize) -> f64 {
        self.measures[piece]
    }

    /// The named shapes that can be parts of the boundary.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The pieces of the named shape of this number.
    pub fn pieces_of(&self, name: usize) -> impl Iterator<Item = usize> {
        (0..self.owners.len()).filter(move |&piece| self.owners[piece] == name)
    }

    /// Number of pieces.
    #[must_use]
    pub fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// The outward unit normal of the domain at a point of a piece's surface; `None` where that
    /// does not bound the domain, or has a corner that no normal is known at.
    #[must_use]
    pub fn normal(&self, piece: usize, point: &[f64]) -> Option<Vec<f64>> {
        self.outward(&self.pieces[piece].normal(point)?, point)
    }

    /// The one of the two unit vectors along `normal` that leads out of the domain.
    fn outward(&self, normal: &[f64], point: &[f64]) -> Option<Vec<f64>> {
        let step = NUDGE * self.diagonal();
        let moved = |sign: f64| -> Vec<f64> {
            point.iter().zip(normal).map(|(x, n)| x + sign * step * n).collect()
        };
        match (self.contains(&moved(-1.0)), self.contains(&moved(1.0))) {
            (true, false) => Some(normal.to_vec()),
            (false, true) => Some(normal.iter().map(|n| -n).collect()),
            _ => None,
        }
    }

    /// Whether a point of a side of the box, where coordinate `k` is smallest or largest, bounds
    /// the domain: what lies before it does.
    #[must_use]
    pub fn bounds_at_side(&self, k: usize, point: &[f64]) -> bool {
        let middle = 0.5 * (self.lower[k] + self.upper[k]);
        let mut inner = point.to_vec();
        inner[k] += (middle - point[k]).signum() * NUDGE * self.diagonal();
        self.contains(&inner)
    }

    /// How far a point is from a piece's surface, to first order.
    #[must_use]
    pub fn distance(&self, piece: usize, point: &[f64]) -> f64 {
        self.pieces[piece].distance(point).abs()
    }

    /// Numbers in (0, 1) that one point of a piece's surface is made of.
    #[must_use]
    pub fn units(&self, piece: usize) -> usize {
        surface::units(&self.pieces[piece], self.dimensions())
    }

    /// Appends the points of a piece's surface that these numbers stand for, and that bound the
    /// domain, to `found`: independent uniform numbers give points that are uniform by measure.
    pub fn on_surface(&self, piece: usize, unit: &[f64], found: &mut Vec<Vec<f64>>) {
        let first = found.len();
        surface::points(self, &self.pieces[piece], unit, found);
        let mut kept = found.split_off(first);
        kept.retain(|point| self.normal(piece, point).is_some());
        found.append(&mut kept);
    }

    fn diagonal(&self) -> f64 {
        let sides = self.lower.iter().zip(&self.upper);
        sides.map(|(lower, upper)| (upper - lower).powi(2)).sum::<f64>().sqrt()
    }

    /// A point of the box, from its shares of the sides.
    fn placed(&self, shares: &[f64]) -> Vec<f64> {
        let ranges = self.lower.iter().zip(&self.upper);
        ranges.zip(shares).map(|((lower, upper), s)| lower * (1.0 - s) + upper * s).collect()
    }

    fn measured_volume(&self) -> f64 {
        let inside = sequence(self.dimensions(), IN_VOLUME)
            .filter(|shares| self.contains(&self.placed(shares)))
            .count();
        self.box_volume() * inside as f64 / IN_VOLUME as f64
    }
}

/// The first points of Sobol's sequence, not shifted.
fn sequence(dimensions: usize, count: usize) -> impl Iterator<Item = Vec<f64>> {
    let sequence = Sobol::new(vec![0; dimensions]);
    (0..count).map(move |index| (0..dimensions).map(|k| sequence.unit(index, k)).collect())
}
