//! Where the equations of a residual problem are looked at.

use super::{
    EvaluationSettings, Location, Part, Plane, ResidualBlock, ResidualProblem, SampleLayout,
    SampleSettings,
};
use crate::points::{Points, Sobol};
use crate::random::{Philox, Stream};

/// The points of one block.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockPoints {
    /// Point-major: the d coordinates of the first point, then those of the second, ...
    pub coordinates: Vec<f64>,
    /// For a seam: the other point of each pair.
    pub partners: Option<Vec<f64>>,
    /// Weight of each point in a mean, 1 on average; `None`: all the same.
    pub weights: Option<Vec<f64>>,
    /// Measure of the part of the domain that the points stand for: a volume, an area, a length;
    /// 1 for single points.
    pub measure: f64,
}

impl ResidualProblem {
    /// The points of block `index` after `generation` redraws; a grid is always the same.
    #[must_use]
    pub fn block_points(&self, index: usize, generation: u64) -> BlockPoints {
        let block = &self.blocks[index];
        let draw = Draw { seed: self.seed, part: (generation << 20) | ((index as u64) << 8) };
        match &block.location {
            Location::Interior => {
                let (coordinates, weights) =
                    self.domain().inside(&block.samples, None, total(block), draw);
                BlockPoints {
                    coordinates,
                    partners: None,
                    weights,
                    measure: self.domain().measure(None),
                }
            }
            Location::Parts(parts) => self.on_parts(block, parts, draw),
            Location::Seam { coordinate } => {
                let k = *coordinate;
                let plane = Plane { coordinate: k, at: self.axes[k].lower };
                let mut points = self.on_parts(block, &[Part::Plane(plane)], draw);
                let mut partners = points.coordinates.clone();
                partners.iter_mut().skip(k).step_by(self.dimensions()).for_each(|x| {
                    *x = self.axes[k].upper;
                });
                points.partners = Some(partners);
                points
            }
            Location::Listed(coordinates) => BlockPoints {
                coordinates: coordinates.clone(),
                partners: None,
                weights: None,
                measure: 1.0,
            },
        }
    }

    /// The points at which the error is measured, point-major; all of them lie in the domain.
    #[must_use]
    pub fn evaluation_points(&self) -> Vec<f64> {
        let (samples, draw) = self.evaluation_draw();
        self.domain().inside(&samples, None, samples.count[0], draw).0
    }

    fn evaluation_draw(&self) -> (SampleSettings, Draw) {
        let EvaluationSettings { layout, count } = &self.evaluation;
        let samples = SampleSettings {
            layout: *layout,
            count: count.clone(),
            walls: true,
            resample: 0,
            refine: 0.0,
        };
        (samples, Draw { seed: self.seed, part: u64::MAX << 8 })
    }

    /// Points on several parts: grids on each plane, with a point that two of them share taken once;
    /// scattered ones divided by the measures of the parts.
    fn on_parts(&self, block: &ResidualBlock, parts: &[Part], draw: Draw) -> BlockPoints {
        let measures: Vec<f64> =
            parts.iter().map(|part| self.domain().measure(Some(part))).collect();
        let shares = divide(total(block), &measures);
        let mut coordinates: Vec<f64> = Vec::new();
        let mut weights: Option<Vec<f64>> = None;
        let mut seen = std::collections::HashSet::new();
        for (number, (part, share)) in parts.iter().zip(shares).enumerate() {
            let draw = draw.of_part(number);
            let (points, own) = match part {
                Part::Plane(plane) => {
                    self.domain().inside(&block.samples, Some(*plane), share, draw)
                }
                Part::Piece(piece) => {
                    (self.domain().on_piece(*piece, block.samples.layout, share, draw), None)
                }
            };
            // Each plane's weights are a mean's: a plane of larger measure counts more.
            if let Some(own) = &own {
                weights.get_or_insert_default().extend(own.iter().map(|w| w * measures[number]));
            }
            for point in points.chunks(self.dimensions()) {
                let bits: Vec<u64> = point.iter().map(|x| (x + 0.0).to_bits()).collect();
                let shared = block.samples.layout == SampleLayout::Grid && !seen.insert(bits);
                if !shared {
                    coordinates.extend(point);
                }
            }
        }
        if let Some(weights) = &mut weights {
            let mean = weights.iter().sum::<f64>() / weights.len() as f64;
            weights.iter_mut().for_each(|w| *w /= mean);
        }
        BlockPoints { coordinates, partners: None, weights, measure: measures.iter().sum() }
    }
}

/// The count of scattered points; of no meaning for grids.
fn total(block: &ResidualBlock) -> usize {
    block.samples.count.first().copied().unwrap_or(1)
}

/// `total` in whole parts as near as can be to the weights' proportion, by largest remainders.
fn divide(total: usize, weights: &[f64]) -> Vec<usize> {
    let sum: f64 = weights.iter().sum();
    let exact: Vec<f64> = weights.iter().map(|w| total as f64 * w / sum).collect();
    let mut parts: Vec<usize> = exact.iter().map(|e| e.floor() as usize).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()));
    let missing = total.saturating_sub(parts.iter().sum());
    for &k in order.iter().cycle().take(missing) {
        parts[k] += 1;
    }
    parts
}

/// Points of a unit cube.
pub(super) struct Unit {
    pub points: Vec<Vec<f64>>,
    /// As in [`BlockPoints`].
    pub weights: Option<Vec<f64>>,
}

/// Points of the unit cube over the free coordinates; `count` is for scattered ones.
pub(super) fn sample(settings: &SampleSettings, free: usize, count: usize, draw: Draw) -> Unit {
    if free == 0 {
        return Unit { points: vec![Vec::new()], weights: None };
    }
    if !settings.layout.is_grid() {
        return Unit { points: draw.scattered(settings.layout, free, count), weights: None };
    }
    let count = |k: usize| *settings.count.get(k).unwrap_or(&settings.count[0]);
    if settings.layout == SampleLayout::Gauss {
        let rules: Vec<(Vec<f64>, Vec<f64>)> =
            (0..free).map(|k| gauss_legendre(count(k))).collect();
        let (nodes, weights): (Vec<_>, Vec<_>) = rules.into_iter().unzip();
        let weights = product(&weights).iter().map(|w| w.iter().product()).collect();
        return Unit { points: product(&nodes), weights: Some(weights) };
    }
    let axes: Vec<Vec<f64>> =
        (0..free).map(|k| nodes_1d(settings.layout, count(k), settings.walls)).collect();
    Unit { points: product(&axes), weights: None }
}

/// Equispaced nodes of the unit interval.
fn nodes_1d(layout: SampleLayout, count: usize, walls: bool) -> Vec<f64> {
    if layout == SampleLayout::Midpoints {
        return (0..count).map(|i| (i as f64 + 0.5) / count as f64).collect();
    }
    let gaps = count.saturating_sub(1).max(1);
    let kept = if walls { 0..count } else { 1..count.saturating_sub(1) };
    kept.map(|i| i as f64 / gaps as f64).collect()
}

/// Nodes and weights (1 on average) of Gauss-Legendre quadrature on the unit interval: exact for
/// polynomials of degree 2 n - 1. The nodes are the roots of Legendre's polynomial, by Newton's
/// method from their asymptotic places.
fn gauss_legendre(count: usize) -> (Vec<f64>, Vec<f64>) {
    const STEPS: usize = 10;
    let n = count as f64;
    // P_n and its derivative by the three-term recurrence.
    let legendre = |x: f64| {
        let (mut before, mut p) = (1.0, x);
        for k in 2..=count {
            let k = k as f64;
            (before, p) = (p, ((2.0 * k - 1.0) * x * p - (k - 1.0) * before) / k);
        }
        (p, n * (x * p - before) / (x * x - 1.0))
    };
    let mut nodes = vec![0.0; count];
    let mut weights = vec![1.0; count];
    for i in 0..count {
        let mut x = -(std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
        for _ in 0..STEPS {
            let (p, slope) = legendre(x);
            x -= p / slope;
        }
        let slope = legendre(x).1;
        nodes[i] = 0.5 * (x + 1.0);
        // 2 / ((1 - x^2) P'^2) over the length 2 of the interval, times n.
        weights[i] = n / ((1.0 - x * x) * slope * slope);
    }
    (nodes, weights)
}

/// Every combination; the last axis runs fastest.
fn product(axes: &[Vec<f64>]) -> Vec<Vec<f64>> {
    axes.iter().fold(vec![Vec::new()], |points, axis| {
        let extended = |point: &Vec<f64>| {
            let point = point.clone();
            axis.iter().map(move |&x| [point.as_slice(), &[x]].concat())
        };
        points.iter().flat_map(extended).collect()
    })
}

/// One set of random draws.
#[derive(Clone, Copy)]
pub(super) struct Draw {
    seed: u64,
    /// Tells the sets apart; the lowest four bits number what is drawn within one.
    part: u64,
}

impl Draw {
    /// Of points that formulas are compared at.
    pub(super) fn for_checks() -> Self {
        Self { seed: 0, part: u64::MAX << 8 }
    }

    /// The draws of one part of a block.
    fn of_part(self, number: usize) -> Self {
        let number = number as u64;
        Self { part: self.part | ((number & 15) << 4) | ((number >> 4) << 48), ..self }
    }

    pub(super) fn scattered(
        self,
        layout: SampleLayout,
        dimensions: usize,
        count: usize,
    ) -> Vec<Vec<f64>> {
        let random = Philox::new(self.seed, Stream::Points);
        let uniform = |index: usize, k: usize| random.uniform(self.part | k as u64, index as u32);
        let points = |unit: &dyn Fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
            (0..count).map(|i| (0..dimensions).map(|k| unit(i, k)).collect()).collect()
        };
        match layout {
            SampleLayout::Sobol => {
                let shift = |k: usize| random.words(self.part | k as u64, u32::MAX)[0];
                let sequence = Sobol::new((0..dimensions).map(shift).collect());
                points(&|index, k| sequence.unit(index, k))
            }
            SampleLayout::LatinHypercube => {
                let slices: Vec<Vec<u32>> =
                    (0..dimensions).map(|k| self.permutation(k, count)).collect();
                points(&|index, k| (f64::from(slices[k][index]) + uniform(index, k)) / count as f64)
            }
            _ => points(&uniform),
        }
    }

    /// A random order of `0..count`: by random keys, ties by number.
    fn permutation(self, k: usize, count: usize) -> Vec<u32> {
        const KEYS: u64 = 8;
        let random = Philox::new(self.seed, Stream::Points);
        let mut keyed: Vec<(u32, u32)> = (0..count as u32)
            .map(|index| (random.words(self.part | KEYS | k as u64, index)[0], index))
            .collect();
        keyed.sort_unstable();
        keyed.into_iter().map(|(_, index)| index).collect()
    }
}

impl Points {
    /// Points of a residual problem's evaluation, with their grid where they form one: then those
    /// of the box, of which a shape may hold a part only.
    #[must_use]
    pub fn of_evaluation(problem: &ResidualProblem) -> Self {
        let settings = &problem.evaluation;
        let dimensions = problem.dimensions();
        if !settings.layout.is_grid() {
            return Self { dimensions, coordinates: problem.evaluation_points(), grid: None };
        }
        let nodes = |k: usize| *settings.count.get(k).unwrap_or(&settings.count[0]);
        let axes: Vec<usize> = (0..dimensions).collect();
        let (samples, draw) = problem.evaluation_draw();
        let unit = sample(&samples, dimensions, 0, draw);
        let coordinates = problem.domain().placed(&axes, None, &unit.points);
        Self { dimensions, coordinates, grid: Some(axes.into_iter().map(nodes).collect()) }
    }
}
