//! Points where the residual is large.

use super::operators::operator;
use super::sweeps;
use crate::cpu::operator::Operator;
use crate::network::Network;
use crate::problem::ResidualProblem;
use crate::problem::residual::BlockPoints;
use crate::random::{Philox, Stream, least};

/// Points that are looked at for each that is kept.
const CANDIDATES: usize = 8;
/// Tells the choice from the draws of the points themselves, whose generations stay far below.
const CHOICE: u64 = 1 << 63;

/// `count` points of a block after `generation` redraws, chosen by the residual F at theta.
///
/// Residual-based adaptive distribution (Wu, Zhu, Tan, Kartha, Lu, arXiv 2207.10289, equation 2):
/// of eight times as many points of the block's layout each is kept with a probability in
/// proportion to `|F|^k / mean |F|^k + 1`, without replacement (by exponential keys: Efraimidis and
/// Spirakis, 2006). The loss is the mean over what is kept: it counts more where F is large.
pub(super) fn refined(
    problem: &ResidualProblem,
    network: &Network,
    index: usize,
    generation: u64,
    theta: &[f64],
    count: usize,
) -> BlockPoints {
    let mut wide = problem.clone();
    wide.blocks[index].samples.count = vec![CANDIDATES * count];
    let mut points = wide.block_points(index, generation);
    let block = &problem.blocks[index];
    let operator: Operator<f64> = operator(problem, network, block, &points);
    let mut rows = vec![0.0; operator.rows()];
    sweeps::residual(std::slice::from_ref(&operator), network, theta, &mut rows);
    let random = Philox::new(problem.seed, Stream::Points);
    let epoch = CHOICE | (generation << 8) | index as u64;
    let uniform = |i: usize| random.uniform(epoch, i as u32);
    let kept = choose(&rows, block.samples.refine, count, uniform);
    let dimensions = problem.dimensions();
    let point = |i: usize| points.coordinates[i * dimensions..(i + 1) * dimensions].to_vec();
    points.coordinates = kept.into_iter().flat_map(point).collect();
    points
}

/// `count` of the rows without replacement, in their order; a residual that is not finite counts
/// as zero.
fn choose(rows: &[f64], k: f64, count: usize, uniform: impl Fn(usize) -> f64) -> Vec<usize> {
    let powers: Vec<f64> =
        rows.iter().map(|r| if r.is_finite() { r.abs().powf(k) } else { 0.0 }).collect();
    let mean = powers.iter().sum::<f64>() / powers.len().max(1) as f64;
    // Where F is zero everywhere all points are alike.
    let share = |power: f64| if mean > 0.0 { power / mean + 1.0 } else { 1.0 };
    let key = |i: u32| -(1.0 - uniform(i as usize)).ln() / share(powers[i as usize]);
    least(0..rows.len() as u32, count, key).into_iter().map(|i| i as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each is kept follows its probability: of two kinds of rows, 1 and 4, the shares
    /// are 1 / 2.5 + 1 and 4 / 2.5 + 1 while few are kept.
    #[test]
    fn rows_are_kept_in_proportion() {
        let random = Philox::new(5, Stream::Vectors);
        let rows: Vec<f64> = (0..4000).map(|i| if i % 2 == 0 { 1.0 } else { -4.0 }).collect();
        let kept = |k: f64| -> f64 {
            let mut large = 0;
            for draw in 0..100 {
                let uniform = |i: usize| random.uniform(draw, i as u32);
                let chosen = choose(&rows, k, 40, uniform);
                assert_eq!(chosen.len(), 40);
                assert!(chosen.is_sorted_by(|a, b| a < b), "without replacement");
                large += chosen.iter().filter(|i| *i % 2 == 1).count();
            }
            large as f64 / 4000.0
        };
        let expected = |ratio: f64| ratio / (1.0 + ratio);
        // 4,000 draws: the standard deviation is 0.0075.
        assert!((kept(1.0) - expected(2.6 / 1.4)).abs() < 0.03);
        assert!((kept(2.0) - expected((16.0 / 8.5 + 1.0) / (1.0 / 8.5 + 1.0))).abs() < 0.03);
        // Both would see it if all rows were alike.
        assert!((kept(0.0) - 0.5).abs() < 0.03 && (kept(1.0) - 0.5).abs() > 0.1);
    }
}
