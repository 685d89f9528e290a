//! Which columns of the Jacobian are worth more than others: sampling beyond the uniform one of the
//! paper (\[RSNG\], arXiv 2310.04867, section 6, leaves it open).

use std::ops::Range;

use nalgebra::{DMatrix, DMatrixView};

use super::engine::Engine;
use crate::field::cpu::Evaluator;
use crate::linalg::{Cholesky, LeastSquaresError, PivotedQr, product_transposed};
use crate::network::{Network, Site};
use crate::problem::{Problem, Sampling};
use crate::random::{Philox, least};

/// Points at which leverage is measured, at most: every column is looked at there, so that this
/// costs about as much as solving for as many columns.
pub(super) const MOST_POINTS: usize = 400;
/// The ridge of the leverage scores over the root of the trace: directions below it count little,
/// as the damping of the solvers has it.
const RIDGE: f64 = 1e-5;
/// Smaller ones drown in the round-off of the Gram matrix.
const LEAST_RIDGE: f64 = 1e-7;
/// Part of the average score that every column has: none is left out for ever.
const SHARED: f64 = 0.1;

/// How the next subset is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Draw {
    Uniform,
    /// As many of each layer's parameters, as far as it has them. Ranges of the vector per layer.
    ByLayer(Vec<Vec<Range<u32>>>),
    /// With probabilities that grow with these weights.
    Weighted(Vec<f64>),
    /// These, in order of merit, once; then uniformly.
    Ranked(Vec<u32>),
}

impl Draw {
    /// `count` of `total` parameters, ascending.
    pub fn draw(&self, random: &Philox, epoch: u64, total: usize, count: usize) -> Vec<u32> {
        match self {
            _ if count >= total => (0..total as u32).collect(),
            Self::Uniform => random.subset(epoch, total, count),
            Self::ByLayer(layers) => by_layer(layers, random, epoch, count),
            Self::Weighted(weights) => {
                // Efraimidis and Spirakis (2006): the least of -ln(u) / w win.
                let key = |k: u32| -random.uniform(epoch, k).ln() / weights[k as usize];
                least(0..total as u32, count, key)
            }
            Self::Ranked(order) => {
                let mut chosen = order[..count.min(order.len())].to_vec();
                if chosen.len() < count {
                    let taken: Vec<bool> = order.iter().fold(vec![false; total], |mut t, &k| {
                        t[k as usize] = true;
                        t
                    });
                    let others = (0..total as u32).filter(|&k| !taken[k as usize]);
                    let missing = count - chosen.len();
                    chosen.extend(least(others, missing, |k| random.uniform(epoch, k)));
                }
                chosen.sort_unstable();
                chosen
            }
        }
    }
}

/// Equal shares of the layers; what a small one cannot take goes to the others.
fn by_layer(layers: &[Vec<Range<u32>>], random: &Philox, epoch: u64, mut count: usize) -> Vec<u32> {
    let size = |layer: &[Range<u32>]| layer.iter().map(Range::len).sum::<usize>();
    let mut order: Vec<&Vec<Range<u32>>> = layers.iter().collect();
    order.sort_by_key(|layer| size(layer));
    let mut chosen = Vec::new();
    for (done, layer) in order.iter().enumerate() {
        // Rounded up for the small ones: the last takes what is left.
        let share = count.div_ceil(order.len() - done).min(size(layer));
        let numbers = layer.iter().cloned().flatten();
        chosen.extend(least(numbers, share, |k| random.uniform(epoch, k)));
        count -= share;
    }
    chosen.sort_unstable();
    chosen
}

/// The parameters of each layer: the embedding, the hidden layers, the output; each with its
/// activation's coefficients.
fn layers(network: &Network) -> Vec<Vec<Range<u32>>> {
    let mut layers = vec![Vec::new(); network.hidden_layers() + 2];
    for segment in network.layout().segments() {
        let layer = match network.layout().site(segment.offset) {
            Site::Weight { layer, .. } | Site::Bias { layer, .. } => layer,
            Site::Activation { layer, .. } => layer,
            _ => 0,
        };
        let range = segment.range();
        layers[layer].push(range.start as u32..range.end as u32);
    }
    layers
}

/// What the columns of a Jacobian are worth, measured at some of the points.
#[derive(Clone, Debug, PartialEq)]
pub struct Leverage {
    /// Per parameter: `l_k = J_k^T (J J^T + lambda^2)^-1 J_k`, between 0 and 1 (ridge leverage
    /// scores: Alaoui, Mahoney, arXiv 1411.0306, definition 1).
    pub scores: Vec<f64>,
}

impl Leverage {
    /// Of the rows J (m x p), with lambda at `ridge` times the root of the trace of J J^T, which is
    /// the largest singular value or a little more.
    ///
    /// # Errors
    /// When an entry is not finite.
    pub fn of(rows: DMatrixView<'_, f64>, ridge: f64) -> Result<Self, LeastSquaresError> {
        let mut kernel = product_transposed(rows, rows);
        let trace = kernel.trace();
        if !trace.is_finite() {
            return Err(not_finite(rows));
        }
        let ridge = (ridge.max(LEAST_RIDGE).powi(2) * trace).max(f64::MIN_POSITIVE);
        for i in 0..kernel.nrows() {
            kernel[(i, i)] += ridge;
        }
        let Some(factor) = Cholesky::of(kernel) else { return Err(not_finite(rows)) };
        let mut solved = rows.clone_owned();
        factor.solve(solved.as_view_mut());
        let score = |k: usize| rows.column(k).dot(&solved.column(k)).clamp(0.0, 1.0);
        Ok(Self { scores: (0..rows.ncols()).map(score).collect() })
    }

    /// The effective dimension `sum_k l_k`: about the rank down to the ridge.
    #[must_use]
    pub fn dimension(&self) -> f64 {
        self.scores.iter().sum()
    }

    /// The fewest parameters that hold half of the leverage, as a part of all of them: 0.5 where
    /// all are alike, small where a few carry the Jacobian and uniform sampling misses them.
    #[must_use]
    pub fn half(&self) -> f64 {
        let mut sorted = self.scores.clone();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let goal = self.dimension() / 2.0;
        let sums = sorted.iter().scan(0.0, |sum, l| {
            let before = *sum;
            *sum += l;
            Some(before)
        });
        sums.take_while(|&before| before < goal).count() as f64 / self.scores.len().max(1) as f64
    }

    fn weights(&self) -> Vec<f64> {
        let shared = SHARED * self.dimension() / self.scores.len().max(1) as f64;
        self.scores.iter().map(|l| (l + shared).max(f64::MIN_POSITIVE)).collect()
    }
}

fn not_finite(rows: DMatrixView<'_, f64>) -> LeastSquaresError {
    let broken = |k: usize| rows.column(k).iter().position(|v| !v.is_finite()).map(|row| (row, k));
    let (row, column) = (0..rows.ncols()).find_map(broken).unwrap_or_default();
    LeastSquaresError::MatrixNotFinite { row, column }
}

/// All columns of du/dtheta in up to `most` rows, at points evenly spread, by their weights, in f64.
pub fn rows(
    problem: &Problem,
    engine: &Engine,
    (theta, time): (&[f64], f64),
    most: usize,
) -> DMatrix<f64> {
    let network = engine.network();
    let dimensions = network.inputs().len();
    let (points, coordinates) = (engine.points(), engine.coordinates());
    let count = points.min(most.div_ceil(network.outputs()));
    let picked = |i: usize| i * points / count;
    let place = |i: usize| &coordinates[picked(i) * dimensions..][..dimensions];
    let places: Vec<f64> = (0..count).flat_map(place).copied().collect();
    let evaluator = Evaluator::<f64>::new(problem, network, &places);
    let all: Vec<u32> = (0..network.parameters() as u32).collect();
    let mut matrix = DMatrix::zeros(evaluator.rows(), all.len());
    evaluator.columns(theta, time, &all, 0, matrix.as_view_mut());
    if let weights @ [_, ..] = engine.weights() {
        for (i, mut row) in matrix.row_iter_mut().enumerate() {
            row *= weights[picked(i % count)];
        }
    }
    matrix
}

/// How the subsets of a step from theta are drawn.
///
/// # Errors
/// When the Jacobian is not finite.
pub fn draw(
    sampling: Sampling,
    problem: &Problem,
    engine: &Engine,
    at: (&[f64], f64),
    count: usize,
) -> Result<Draw, LeastSquaresError> {
    Ok(match sampling {
        Sampling::Uniform | Sampling::Gaussian => Draw::Uniform,
        Sampling::ByLayer => Draw::ByLayer(layers(engine.network())),
        Sampling::Leverage => {
            let matrix = rows(problem, engine, at, MOST_POINTS);
            Draw::Weighted(Leverage::of(matrix.as_view(), RIDGE)?.weights())
        }
        Sampling::PivotedQr => {
            let matrix = rows(problem, engine, at, count.max(MOST_POINTS));
            if !matrix.iter().all(|entry| entry.is_finite()) {
                return Err(not_finite(matrix.as_view()));
            }
            let pivots = matrix.nrows().min(matrix.ncols());
            let order = PivotedQr::of(matrix).order;
            Draw::Ranked(order[..pivots].iter().map(|&k| k as u32).collect())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Svd;
    use crate::random::Stream;

    const TOTAL: usize = 40;

    fn hits(draw: &Draw, count: usize) -> Vec<u32> {
        let random = Philox::new(4, Stream::Columns);
        let mut hits = vec![0; TOTAL];
        for epoch in 0..3000 {
            let chosen = draw.draw(&random, epoch, TOTAL, count);
            assert_eq!(chosen.len(), count);
            assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]), "distinct and sorted");
            chosen.iter().for_each(|&k| hits[k as usize] += 1);
        }
        hits
    }

    #[test]
    fn weights_decide_how_often_a_parameter_is_drawn() {
        // One draw of one parameter: probabilities in proportion to the weights.
        let weights: Vec<f64> = (0..TOTAL).map(|k| 1.0 + (k % 4) as f64).collect();
        let sum: f64 = weights.iter().sum();
        for (k, &hits) in hits(&Draw::Weighted(weights.clone()), 1).iter().enumerate() {
            let mean = 3000.0 * weights[k] / sum;
            assert!((f64::from(hits) - mean).abs() < 5.0 * mean.sqrt(), "{k}: {hits} of {mean}");
        }
    }

    #[test]
    fn layers_have_equal_shares_as_far_as_they_go() {
        let layers = vec![vec![0..4, 30..40], vec![4..6], vec![6..30]];
        let hits = hits(&Draw::ByLayer(layers), 12);
        // The small layer whole, five of each other one.
        assert_eq!(hits[4..6], [3000, 3000]);
        let of = |range: Range<usize>| hits[range].iter().sum::<u32>();
        assert_eq!(of(0..4) + of(30..40), 5 * 3000);
        assert_eq!(of(6..30), 5 * 3000);
        let mean = 3000.0 * 5.0 / 24.0;
        assert!(hits[6..30].iter().all(|&h| (f64::from(h) - mean).abs() < 5.0 * mean.sqrt()));
    }

    #[test]
    fn a_ranking_is_kept_and_filled_up() {
        let draw = Draw::Ranked(vec![7, 3, 39]);
        let hits_of_two = hits(&draw, 2);
        assert_eq!((hits_of_two[7], hits_of_two[3], hits_of_two[39]), (3000, 3000, 0));
        let hits_of_six = hits(&draw, 6);
        assert_eq!((hits_of_six[7], hits_of_six[39]), (3000, 3000));
        let mean = 3000.0 * 3.0 / 37.0;
        assert!((f64::from(hits_of_six[20]) - mean).abs() < 5.0 * mean.sqrt());
    }

    /// Scores from the singular value decomposition: `sum_i v_ki^2 s_i^2 / (s_i^2 + lambda^2)`.
    #[test]
    fn leverage_is_that_of_the_definition() {
        let random = Philox::new(9, Stream::Vectors);
        let (m, p) = (12, 30);
        let matrix = DMatrix::from_fn(m, p, |i, k| {
            let size = if k < 3 { 5.0 } else { 0.3 };
            size * random.normal(i as u64, k as u32) * 0.5f64.powi(i as i32)
        });
        let Svd { values: s, right: v, .. } = Svd::of(matrix.as_view()).expect("converges");
        let trace: f64 = (0..m).map(|i| s[i] * s[i]).sum();
        let ridge = RIDGE * RIDGE * trace;
        let expected = |k: usize| -> f64 {
            (0..m).map(|i| v[(k, i)].powi(2) * s[i] * s[i] / (s[i] * s[i] + ridge)).sum()
        };
        let leverage = Leverage::of(matrix.as_view(), RIDGE).expect("finite");
        for (k, score) in leverage.scores.iter().enumerate() {
            assert!((score - expected(k)).abs() < 1e-9, "{k}: {score} {}", expected(k));
        }
        let sum: f64 = (0..p).map(expected).sum();
        assert!((leverage.dimension() - sum).abs() < 1e-8 && sum < m as f64);
        assert!(leverage.half() < 0.5);
        let even = Leverage { scores: vec![0.25; 8] };
        assert_eq!(even.half(), 0.5);
        let mut broken = matrix.clone();
        broken[(2, 5)] = f64::NAN;
        let error = Leverage::of(broken.as_view(), RIDGE).expect_err("not a number");
        assert!(
            matches!(error, LeastSquaresError::MatrixNotFinite { row: 2, column: 5 }),
            "{error:?}"
        );
    }
}
