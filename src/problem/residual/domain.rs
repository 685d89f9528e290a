//! The domain of a residual problem: its points, parts, measures and normals.

use super::points::{Draw, sample};
use super::{Axis, Part, Plane, SampleLayout, SampleSettings, space};
use crate::points::Sobol;
use crate::shape::Shape;

/// Points by which the share of a plane is measured that lies in the domain.
const MEASURED: usize = 1 << 13;
/// The least share of a side that bounds the domain.
const LEAST_SHARE: f64 = 1e-3;
/// Draws for each point that is wanted, at most.
const PATIENCE: usize = 1 << 14;

/// A box of space, and of time where that is among the axes, or the part of it in a shape.
#[derive(Clone, Copy, Debug)]
pub struct Domain<'a> {
    pub axes: &'a [Axis],
    /// In the coordinates of space; `None`: the whole box.
    pub shape: Option<&'a Shape>,
}

impl Domain<'_> {
    fn dimensions(&self) -> usize {
        self.axes.len()
    }

    /// Whether a point of the box lies in the domain.
    #[must_use]
    pub fn contains(&self, point: &[f64]) -> bool {
        self.shape.is_none_or(|shape| shape.contains(&self.in_space(point)))
    }

    /// The same, with what lies on the boundary but for rounding.
    #[must_use]
    pub fn has(&self, point: &[f64]) -> bool {
        self.shape.is_none_or(|shape| shape.has(&self.in_space(point)))
    }

    /// The coordinates of space of a point.
    fn in_space(&self, point: &[f64]) -> Vec<f64> {
        space(self.axes).into_iter().map(|k| point[k]).collect()
    }

    /// Points of the unit cube over `free` coordinates as points of the box.
    pub(super) fn placed(
        &self,
        free: &[usize],
        plane: Option<Plane>,
        unit: &[Vec<f64>],
    ) -> Vec<f64> {
        let mut flat = Vec::with_capacity(unit.len() * self.dimensions());
        for point in unit {
            let first = flat.len();
            flat.resize(first + self.dimensions(), plane.map_or(0.0, |plane| plane.at));
            for (&k, &share) in free.iter().zip(point) {
                // Both ends exactly, whatever the rounding in between.
                flat[first + k] = self.axes[k].lower * (1.0 - share) + self.axes[k].upper * share;
            }
        }
        flat
    }

    /// Points in the domain, or in what a plane has of it, with their weights in a mean. Those of a
    /// grid are what the domain holds of it; `count` scattered ones are the first of their sequence
    /// that lie in it.
    pub(super) fn inside(
        &self,
        settings: &SampleSettings,
        plane: Option<Plane>,
        count: usize,
        draw: Draw,
    ) -> (Vec<f64>, Option<Vec<f64>>) {
        let off = |k: &usize| plane.is_none_or(|plane| plane.coordinate != *k);
        let free: Vec<usize> = (0..self.dimensions()).filter(off).collect();
        let drawn = |count: usize| {
            let unit = sample(settings, free.len(), count, draw);
            (self.placed(&free, plane, &unit.points), unit.weights)
        };
        if self.shape.is_none() {
            return drawn(count);
        }
        let kept = |count: usize| -> Vec<f64> {
            let (all, _) = drawn(count);
            let points = all.chunks(self.dimensions());
            points.filter(|point| self.holds(plane, point)).flatten().copied().collect()
        };
        if settings.layout.is_grid() || free.is_empty() {
            return (kept(count), None);
        }
        (until(count, self.dimensions(), kept), None)
    }

    /// Whether the domain has a point of its box, or a plane has it as a part of the domain.
    fn holds(&self, plane: Option<Plane>, point: &[f64]) -> bool {
        let (Some(shape), Some(plane)) = (self.shape, plane) else { return self.contains(point) };
        let axis = &self.axes[plane.coordinate];
        let space = space(self.axes);
        let at_side = plane.at == axis.lower || plane.at == axis.upper;
        match space.iter().position(|&k| k == plane.coordinate) {
            Some(k) if at_side => shape.bounds_at_side(k, &self.in_space(point)),
            _ => self.contains(point),
        }
    }

    /// `count` points of what a piece's surface bounds of the domain, at all times.
    pub(super) fn on_piece(
        &self,
        piece: usize,
        layout: SampleLayout,
        count: usize,
        draw: Draw,
    ) -> Vec<f64> {
        let Some(shape) = self.shape else { return Vec::new() };
        let (space, units) = (space(self.axes), shape.units(piece));
        let time = (0..self.dimensions()).find(|k| !space.contains(k));
        until(count, self.dimensions(), |drawn| {
            let mut flat = Vec::new();
            let mut found = Vec::new();
            for unit in draw.scattered(layout, units + usize::from(time.is_some()), drawn) {
                shape.on_surface(piece, &unit[..units], &mut found);
                for point in found.drain(..) {
                    let first = flat.len();
                    flat.resize(first + self.dimensions(), 0.0);
                    space.iter().zip(point).for_each(|(&k, x)| flat[first + k] = x);
                    if let Some(k) = time {
                        let Axis { lower, upper, .. } = self.axes[k];
                        flat[first + k] = lower + unit[units] * (upper - lower);
                    }
                }
            }
            flat
        })
    }

    /// Measure of the domain, or of a part: a volume, an area, a length, times that of the time
    /// where the part has all times.
    pub(super) fn measure(&self, part: Option<&Part>) -> f64 {
        let lengths = |of: &dyn Fn(usize) -> bool| -> f64 {
            (0..self.dimensions()).filter(|&k| of(k)).map(|k| self.axes[k].length()).product()
        };
        let space = space(self.axes);
        let is_time = |k: usize| !space.contains(&k);
        match (self.shape, part) {
            (None, Some(Part::Plane(plane))) => lengths(&|k| k != plane.coordinate),
            (None, _) => lengths(&|_| true),
            (Some(shape), None) => shape.volume() * lengths(&is_time),
            (Some(shape), Some(Part::Piece(piece))) => shape.measure(*piece) * lengths(&is_time),
            (Some(shape), Some(Part::Plane(plane))) if is_time(plane.coordinate) => shape.volume(),
            (Some(_), Some(Part::Plane(plane))) => {
                lengths(&|k| k != plane.coordinate) * self.share(*plane)
            }
        }
    }

    /// The share of a plane in space that is a part of the domain.
    fn share(&self, plane: Plane) -> f64 {
        let free: Vec<usize> = (0..self.dimensions()).filter(|&k| k != plane.coordinate).collect();
        if free.is_empty() {
            return 1.0;
        }
        let sequence = Sobol::new(vec![0; free.len()]);
        let unit = |index: usize| (0..free.len()).map(|k| sequence.unit(index, k)).collect();
        let unit: Vec<Vec<f64>> = (0..MEASURED).map(unit).collect();
        let points = self.placed(&free, Some(plane), &unit);
        let held = points.chunks(self.dimensions()).filter(|p| self.holds(Some(plane), p));
        held.count() as f64 / MEASURED as f64
    }

    /// Whether nothing of a part bounds the domain: a side that it only touches does not.
    #[must_use]
    pub fn is_empty_part(&self, part: &Part) -> bool {
        let whole = match part {
            Part::Plane(_) => Self { shape: None, ..*self }.measure(Some(part)),
            Part::Piece(_) => 0.0,
        };
        self.measure(Some(part)) <= LEAST_SHARE * whole
    }

    /// The outward unit normal of the domain at points of these parts, point-major: a column per
    /// axis, zero along the time. On a plane in the domain it leads along the plane's coordinate.
    #[must_use]
    pub fn normals(&self, parts: &[Part], points: &[f64]) -> Vec<Vec<f64>> {
        let d = self.dimensions();
        let mut columns = vec![Vec::with_capacity(points.len() / d.max(1)); d];
        for point in points.chunks_exact(d) {
            let normal = self.normal(parts, point);
            columns.iter_mut().zip(normal).for_each(|(column, n)| column.push(n));
        }
        columns
    }

    /// By the nearest part that bounds the domain there; of equally near ones the first.
    fn normal(&self, parts: &[Part], point: &[f64]) -> Vec<f64> {
        let in_space = self.in_space(point);
        let distance = |part: &Part| match (part, self.shape) {
            (Part::Plane(plane), _) => (point[plane.coordinate] - plane.at).abs(),
            (Part::Piece(piece), Some(shape)) => shape.distance(*piece, &in_space),
            (Part::Piece(_), None) => f64::INFINITY,
        };
        let mut near: Vec<(f64, &Part)> = parts.iter().map(|part| (distance(part), part)).collect();
        near.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let found = near.into_iter().find_map(|(_, part)| self.normal_of(part, point, &in_space));
        found.unwrap_or_else(|| vec![0.0; point.len()])
    }

    fn normal_of(&self, part: &Part, point: &[f64], in_space: &[f64]) -> Option<Vec<f64>> {
        let mut normal = vec![0.0; point.len()];
        match part {
            Part::Plane(plane) => {
                let at_lower = plane.at == self.axes[plane.coordinate].lower;
                normal[plane.coordinate] = if at_lower { -1.0 } else { 1.0 };
                self.holds(Some(*plane), point).then_some(normal)
            }
            Part::Piece(piece) => {
                let found = self.shape?.normal(*piece, in_space)?;
                space(self.axes).into_iter().zip(found).for_each(|(k, n)| normal[k] = n);
                Some(normal)
            }
        }
    }

    /// Points of a part for checks of formulas.
    pub(crate) fn points_of_part(&self, part: &Part, count: usize) -> Vec<Vec<f64>> {
        let (layout, draw) = (SampleLayout::Sobol, Draw::for_checks());
        let flat = match part {
            Part::Piece(piece) => self.on_piece(*piece, layout, count, draw),
            Part::Plane(plane) => {
                let count = vec![count];
                let settings =
                    SampleSettings { layout, count, walls: true, resample: 0, refine: 0.0 };
                self.inside(&settings, Some(*plane), settings.count[0], draw).0
            }
        };
        flat.chunks(self.dimensions()).map(<[f64]>::to_vec).collect()
    }
}

/// The first `count` points of those that more and more draws give.
fn until(count: usize, dimensions: usize, drawn: impl Fn(usize) -> Vec<f64>) -> Vec<f64> {
    let (wanted, most) = (count * dimensions, count.saturating_mul(PATIENCE));
    let mut draws = count;
    loop {
        let mut points = drawn(draws);
        if points.len() >= wanted || draws >= most {
            points.truncate(wanted);
            return points;
        }
        // A share of the draws lies in the domain: as many as that asks for, and some.
        let share = (points.len() as f64 / (draws * dimensions) as f64).max(1.0 / 32.0);
        draws = ((1.2 * count as f64 / share) as usize).max(draws + draws / 4 + 1).min(most);
    }
}
