//! Weights along time.

use crate::problem::ResidualProblem;
use crate::problem::residual::{
    BlockPoints, CausalSettings, Condition, Location, Part, Plane, ResidualBlock,
};

/// What each slice of the time axis counts.
///
/// With L_k the mean of F^2 over the points in slice k, summed over the equations of the interior,
/// and L_0 the part of the loss that belongs to the conditions at the start,
///
/// ```text
/// w_k = exp(-tolerance (L_0 + L_1 + .. + L_(k-1))),   k = 1 .. slices
/// ```
///
/// (Wang, Sankaran, Perdikaris, arXiv 2203.07404, equations 2.9 to 2.11). The weights are constants
/// to every derivative. A residual that is not a number leaves what follows without weight.
#[derive(Clone, Debug, PartialEq)]
pub struct CausalWeights {
    settings: CausalSettings,
    weights: Vec<f64>,
}

impl CausalWeights {
    /// Of equal weights.
    pub fn new(settings: CausalSettings) -> Self {
        let weights = vec![1.0; settings.slices];
        Self { settings, weights }
    }

    /// Takes over the weights that belong to L_0 and to the means of F^2 per slice.
    pub fn update(&mut self, start: f64, slices: &[f64]) {
        let mut sum = start;
        for (weight, of_slice) in self.weights.iter_mut().zip(slices) {
            let w = (-self.settings.tolerance * sum).exp();
            *weight = if w.is_nan() { 0.0 } else { w };
            sum += of_slice;
        }
    }

    /// The slice that a point belongs to.
    fn slice(&self, problem: &ResidualProblem, point: &[f64]) -> usize {
        let axis = &problem.axes[self.settings.along];
        let share = (point[self.settings.along] - axis.lower) / axis.length();
        ((share * self.settings.slices as f64) as usize).min(self.settings.slices - 1)
    }

    /// What the squares of the points' rows count, from what they count without these weights.
    pub fn of_points(
        &self,
        problem: &ResidualProblem,
        block: &ResidualBlock,
        points: &BlockPoints,
        plain: &[f64],
    ) -> Vec<f64> {
        if !is_weighted(block) {
            return plain.to_vec();
        }
        let of = points.coordinates.chunks_exact(problem.dimensions());
        of.zip(plain).map(|(point, w)| w * self.weights[self.slice(problem, point)]).collect()
    }

    /// L_0 and the means of F^2 per slice, from the rows of every block as they are without these
    /// weights, and from what those count.
    pub fn losses(
        &self,
        problem: &ResidualProblem,
        points: &[BlockPoints],
        rows: &[&[f64]],
        plain: &[Vec<f64>],
    ) -> (f64, Vec<f64>) {
        let mut start = 0.0;
        let mut sums = vec![0.0; self.settings.slices];
        for (index, block) in problem.blocks.iter().enumerate() {
            if self.is_start(problem, block) {
                start += rows[index].iter().map(|r| r * r).sum::<f64>();
            }
            if !is_weighted(block) {
                continue;
            }
            let slices: Vec<usize> = points[index]
                .coordinates
                .chunks_exact(problem.dimensions())
                .map(|point| self.slice(problem, point))
                .collect();
            let mut means = vec![(0.0, 0usize); self.settings.slices];
            // Row q n + i: a run of points for one equation after the other.
            for rows in rows[index].chunks_exact(slices.len()) {
                for ((r, weight), &slice) in rows.iter().zip(&plain[index]).zip(&slices) {
                    // Points without weight say nothing of F.
                    if *weight > 0.0 {
                        means[slice].0 += r * r / weight;
                    }
                }
            }
            for (weight, &slice) in plain[index].iter().zip(&slices) {
                means[slice].1 += usize::from(*weight > 0.0);
            }
            for (sum, (of_slice, count)) in sums.iter_mut().zip(means) {
                *sum += of_slice / count.max(1) as f64;
            }
        }
        (start, sums)
    }

    /// Whether a block states conditions at the lower end of the coordinate.
    fn is_start(&self, problem: &ResidualProblem, block: &ResidualBlock) -> bool {
        let CausalSettings { along, .. } = self.settings;
        let lower = problem.axes[along].lower;
        let at_start = |part: &Part| *part == Part::Plane(Plane { coordinate: along, at: lower });
        matches!(&block.location, Location::Parts(parts) if parts.iter().all(at_start))
    }
}

/// Equations inside the domain are; energies are no sums of squares.
fn is_weighted(block: &ResidualBlock) -> bool {
    matches!(block.location, Location::Interior)
        && matches!(block.condition, Condition::Equations(_))
}
