//! One least-squares problem for the outer weights of sines: frequencies drawn from a box, rows along
//! all functions with a weight for each equation, and Newton's method where the problem is not linear.

use nalgebra::{DMatrix, DVector};

use super::{Found, in_subspace, share};
use crate::elsewhere::{Use, elsewhere};
use crate::error::OptimizeError;
use crate::field::network::{Input, Network};
use crate::field::plane_waves::PlaneWaves;
use crate::field::residual::Collocation;
use crate::holes::{holes, is_around};
use crate::levenberg::{lift, test_matrix};
use crate::linalg::{PivotedQr, TestMatrix, TestMatrixKind, norm};
use crate::problem::ResidualProblem;
use crate::problem::residual::ResidualBlock;
use crate::random::{Philox, Stream};
use crate::recurrence::Recurrence;

/// Rows above which every trial counts.
const MANY: usize = 4000;
/// Points for each column in a solve, and for the choice.
const ROWS: f64 = 2.0;
const CHOICE_ROWS: f64 = 1.0;
/// Functions around one hole for one that is not.
const AROUND: f64 = 0.125;
/// What equations at the points around holes count for one at points of the whole domain: next to
/// them a residual is large, and hardly an error.
const WEIGHT_AROUND: f64 = 0.1;
/// Coordinates up to which the sides of a box are tried one by one whenever there are more functions.
const MOST_STRETCHED: usize = 3;
/// Pivots below these shares of the largest count as zero.
const CUTOFFS: [f64; 6] = [1e-15, 1e-14, 1e-13, 1e-11, 1e-9, 1e-7];
/// What a Newton step, and a change of the box, has to leave less of.
pub const PROGRESS: f64 = 0.9;
const NEWTON_STEPS: usize = 10;
/// A residual up to so many times the linearised one is as it was told.
const TOLD: f64 = 2.0;
/// Halvings of a step whose residual is larger than before.
const HALVINGS: i32 = 4;

/// Systems of as many points as some number of functions needs, linearised at the start: at the best so
/// far.
pub struct Level<'a> {
    problem: &'a ResidualProblem,
    start: &'a Found,
    solving: Collocation,
    choosing: Collocation,
    /// Functions of each unknown.
    each: usize,
    pub holes: Vec<Vec<f64>>,
    tangent: Option<Tangent>,
    /// Of each equation.
    pub weights: Vec<f64>,
    /// Of the start, less what its own plane waves add to it as linearised: new ones take their place.
    residual: [Vec<f64>; 2],
}

/// A random subspace of the tangent space, and J in it at both sets of points.
struct Tangent {
    test: TestMatrix,
    matrices: [DMatrix<f64>; 2],
}

/// A linearisation: the rows along all functions, made of length one and factored, and as they are at
/// the points of the choice.
struct Linearised {
    factor: PivotedQr,
    there: DMatrix<f64>,
    lengths: Vec<f64>,
    /// Functions that are waves; those behind them are the tangent space's.
    waves: usize,
}

/// A box and its linearisation at the start.
pub struct Trial {
    pub sides: Vec<f64>,
    drawn: Drawn,
    linearised: Linearised,
    /// At the points of the choice after one step: |r|, and that with the weights.
    pub residual: f64,
    pub left: f64,
}

/// Frequencies of waves, and the holes that they are around.
struct Drawn {
    frequencies: Vec<f64>,
    inversions: Vec<f64>,
}

/// A solved linearisation.
struct Step {
    /// Along all functions, the waves first.
    along: Vec<f64>,
    /// At the points of the choice, as linearised: |r|, and that with the weights.
    residual: f64,
    left: f64,
    rank: usize,
}

impl<'a> Level<'a> {
    pub fn new(
        problem: &'a ResidualProblem,
        start: &'a Found,
        functions: usize,
        tangents: usize,
    ) -> Result<Self, OptimizeError> {
        let rows = |share: f64| (share * (functions + tangents) as f64) as usize;
        let mut solving = elsewhere(problem, Use::Correction, Some(rows(ROWS)));
        let mut choosing = elsewhere(problem, Use::Choice, Some(rows(CHOICE_ROWS)));
        let parameters = &start.parameters;
        let tangent = match tangents {
            0 => None,
            _ => Some(Tangent::new(problem, [&mut solving, &mut choosing], parameters, tangents)?),
        };
        let [here, there] =
            [&mut solving, &mut choosing].map(|system| without_waves(system, parameters));
        let each = (functions / problem.unknowns.len()).max(2);
        let residual = [here?, there?];
        let (holes, weights) = (holes(problem), Vec::new());
        Ok(Self { problem, start, solving, choosing, each, holes, tangent, weights, residual })
    }

    fn network(&self) -> &Network {
        self.solving.network()
    }

    /// The best of some boxes by one linear solve each.
    pub fn best_of(&self, boxes: Vec<Vec<f64>>) -> Trial {
        let mut best: Option<Trial> = None;
        for sides in boxes {
            let drawn = self.draw(&sides);
            let linearised = self.linearise(&drawn, &self.start.parameters);
            let Step { residual, left, .. } = self.solve(&linearised, &self.residual);
            if best.as_ref().is_none_or(|best| left < best.left) {
                best = Some(Trial { sides, drawn, linearised, residual, left });
            }
        }
        best.expect("a box")
    }

    /// The best of boxes about as large as one that suited half as many functions; where trials are
    /// expensive, one that has grown as the last time, and at most as is needed for as many in a volume.
    pub fn nearby(&self, sides: &[f64], growth: f64) -> Trial {
        let dimensions = self.problem.dimensions();
        let finer = 2f64.powf(1.0 / dimensions as f64);
        // More functions around a hole stand closer; what is smooth there stays so.
        let scaled = |factor: f64| -> Vec<f64> {
            let each = sides.iter().enumerate();
            each.map(|(k, side)| if k < dimensions { factor * side } else { *side }).collect()
        };
        let few = self.solving.block_rows().iter().sum::<usize>() <= MANY;
        let factors =
            if few { vec![1.0, finer.sqrt(), finer] } else { vec![growth.clamp(1.0, finer)] };
        let best = self.best_of(factors.into_iter().map(scaled).collect());
        if !few || sides.len() == 1 || dimensions > MOST_STRETCHED {
            return best;
        }
        let other = self.best_of(stretched(&best.sides));
        if other.left < PROGRESS * best.left { other } else { best }
    }

    /// Waves of the box, and around every hole some in that of its last side.
    fn draw(&self, sides: &[f64]) -> Drawn {
        let d = self.problem.dimensions();
        let (sides, around) = sides.split_at(d);
        let (count, holes) = (self.each / 2, self.holes.len());
        let of_hole = (AROUND * count as f64 / (1.0 + AROUND * holes as f64)).ceil() as usize;
        let mut frequencies = vec![0.0; d];
        self.fill(sides, count.saturating_sub(holes * of_hole).max(1), &mut frequencies);
        let mut inversions = vec![0.0; 2 * frequencies.len()];
        for hole in &self.holes {
            let sides: Vec<f64> =
                (0..d).map(|k| if hole[d + k] == 0.0 { sides[k] } else { around[0] }).collect();
            let mut mine = Vec::new();
            self.fill(&sides, of_hole, &mut mine);
            inversions.extend(hole.iter().cycle().take(2 * mine.len()));
            frequencies.append(&mut mine);
        }
        Drawn { frequencies, inversions }
    }

    /// So many frequencies in all, evenly in the box, those along periodic coordinates whole numbers, from
    /// a point that the seed draws.
    fn fill(&self, sides: &[f64], count: usize, drawn: &mut Vec<f64>) {
        let d = sides.len();
        let random = Philox::new(self.problem.seed, Stream::Frequencies);
        let draws = Recurrence::new(d, &random, u64::MAX);
        let point = |j: usize| -> Vec<f64> {
            let each = draws.point(j).into_iter().zip(sides).zip(self.network().inputs());
            let along = |((at, side), input): ((f64, &f64), &Input)| {
                let frequency = (2.0 * at - 1.0) * side;
                let periodic = matches!(input, Input::Periodic { .. });
                if periodic { frequency.round() } else { frequency }
            };
            each.map(along).collect()
        };
        // Where all coordinates are periodic a box holds so many and no more.
        for frequency in (0..16 * count).map(point) {
            if drawn.len() >= d * count {
                break;
            }
            let opposite: Vec<f64> = frequency.iter().map(|w| -w).collect();
            let whole = frequency.iter().all(|w| w.fract() == 0.0);
            let known = |known: &[f64]| known == frequency || known == opposite;
            if !(whole && drawn.chunks_exact(d).any(known)) {
                drawn.extend(frequency);
            }
        }
    }

    /// The functions' rows at some parameters, factored.
    fn linearise(&self, drawn: &Drawn, parameters: &[f64]) -> Linearised {
        let waves = self.waves(drawn);
        let systems = [&self.solving, &self.choosing];
        let mut matrices = systems.map(|system| system.along(parameters, &waves));
        let count = matrices[0].ncols();
        if let Some(tangent) = &self.tangent {
            for (matrix, along) in matrices.iter_mut().zip(&tangent.matrices) {
                let columns = along.ncols();
                let own = std::mem::take(matrix);
                *matrix = own.resize_horizontally(count + columns, 0.0);
                matrix.columns_mut(count, columns).copy_from(along);
            }
        }
        let [mut here, there] = matrices;
        let weights = self.spread(&self.solving);
        for mut column in here.column_iter_mut() {
            column.component_mul_assign(&weights);
        }
        let lengths = here.column_iter_mut().map(|mut column| {
            let length = Some(column.norm()).filter(|&length| length > 0.0).unwrap_or(1.0);
            column /= length;
            length
        });
        let lengths = lengths.collect();
        Linearised { factor: PivotedQr::of(here), there, lengths, waves: count }
    }

    /// Sets the weights by what the waves of a box make each equation.
    pub fn weigh(&mut self, sides: &[f64]) {
        let waves = self.waves(&self.draw(sides));
        let rows = self.solving.along(&self.start.parameters, &waves);
        let mut first = 0;
        let weight = |(block, points): (&ResidualBlock, usize)| {
            let seen = rows.rows(first, points).norm();
            first += points;
            let weight = if is_around(block) { WEIGHT_AROUND } else { 1.0 };
            if seen > 0.0 { weight / seen } else { 0.0 }
        };
        self.weights = self.solving.equations().map(weight).collect();
    }

    fn waves(&self, drawn: &Drawn) -> PlaneWaves {
        PlaneWaves::new(self.network(), &drawn.frequencies, &drawn.inversions)
    }

    /// |r| at the points of the choice, with the weights.
    fn left(&self, residual: &[f64]) -> f64 {
        DVector::from_column_slice(residual).component_mul(&self.spread(&self.choosing)).norm()
    }

    /// The same of the start.
    pub fn left_by_start(&mut self) -> Result<f64, OptimizeError> {
        let residual = of(&mut self.choosing, &self.start.parameters)?;
        Ok(self.left(&residual))
    }

    /// The weights of a system's rows.
    fn spread(&self, system: &Collocation) -> DVector<f64> {
        let each = self.weights.iter().zip(system.equations());
        let rows = each.flat_map(|(&weight, (_, points))| std::iter::repeat_n(weight, points));
        DVector::from_vec(rows.collect())
    }

    /// `min |r + J y + W a|` with the weights for the residuals at both sets of points, by the cutoff
    /// that leaves the least at those of the choice.
    fn solve(&self, linearised: &Linearised, residual: &[Vec<f64>; 2]) -> Step {
        let Linearised { factor, there: rows, lengths, .. } = linearised;
        let pivots: Vec<f64> = factor.pivots().collect();
        let largest = pivots.first().copied().unwrap_or(0.0);
        let rank = |cutoff: f64| {
            pivots.iter().take_while(|&&pivot| pivot > 0.0 && pivot >= cutoff * largest).count()
        };
        let ranks = CUTOFFS.map(rank);
        let [here, there] = residual.each_ref().map(|r| DVector::from_column_slice(r));
        let here = here.component_mul(&self.spread(&self.solving));
        let along = vec![0.0; lengths.len()];
        let left = self.left(there.as_slice());
        let mut best = Step { along, residual: there.norm(), left, rank: 0 };
        for (mut v, rank) in factor.solve(here.as_slice(), &ranks).into_iter().zip(ranks) {
            v.iter_mut().zip(lengths).for_each(|(v, length)| *v /= -length);
            let v = DVector::from_vec(v);
            let after = rows * &v + &there;
            let left = self.left(after.as_slice());
            if left < best.left {
                best = Step { along: v.as_slice().to_vec(), residual: after.norm(), left, rank };
            }
        }
        best
    }

    /// Newton's method in one box from the start, and |r| with the weights where it ends. A linearisation
    /// serves while it tells what comes, which of a linear problem is to the end.
    pub fn newton(&mut self, trial: Trial) -> Result<(Found, f64), OptimizeError> {
        let Trial { drawn, mut linearised, .. } = trial;
        let kept = 2 * self.network().parameters();
        let start = &self.start.parameters[..kept];
        let mut parameters = [start, &drawn.frequencies, &drawn.inversions].concat();
        parameters.resize(parameters.len() + linearised.waves, 0.0);
        let mut best = Found { parameters, residual: f64::INFINITY, rank: 0 };
        let (mut residual, mut left) = (self.residual.clone(), f64::INFINITY);
        for _ in 0..NEWTON_STEPS {
            let (step, before) = (self.solve(&linearised, &residual), left);
            for halvings in 0..=HALVINGS {
                let parameters = self.moved(&best.parameters, &step, 0.5f64.powi(halvings));
                let there = of(&mut self.choosing, &parameters)?;
                let after = self.left(&there);
                if after < left {
                    best = Found { parameters, residual: norm(&there), rank: step.rank };
                    (left, residual[1]) = (after, there);
                    break;
                }
            }
            if share(left, before) > PROGRESS {
                break;
            }
            residual[0] = of(&mut self.solving, &best.parameters)?;
            if left >= TOLD * step.left {
                let at = &best.parameters;
                if let Some(tangent) = &mut self.tangent {
                    tangent.renew([&mut self.solving, &mut self.choosing], at)?;
                }
                linearised = self.linearise(&drawn, at);
            }
        }
        Ok((best, left))
    }

    /// Parameters moved by a part of a step.
    fn moved(&self, parameters: &[f64], step: &Step, part: f64) -> Vec<f64> {
        let network = self.network().parameters();
        let mut moved = parameters.to_vec();
        let count = self.network().split(parameters).coefficients.len();
        let (waves, tangent) = step.along.split_at(count);
        if let Some(Tangent { test, .. }) = &self.tangent {
            let y: Vec<f64> = tangent.iter().map(|y| -part * y).collect();
            let c = lift(&parameters[network..2 * network], &y, Some(test));
            moved[network..2 * network].copy_from_slice(&c);
        }
        let first = moved.len() - waves.len();
        moved[first..].iter_mut().zip(waves).for_each(|(to, a)| *to += part * a);
        moved
    }
}

impl Tangent {
    fn new(
        problem: &ResidualProblem,
        systems: [&mut Collocation; 2],
        at: &[f64],
        columns: usize,
    ) -> Result<Self, OptimizeError> {
        let kind = TestMatrixKind::Trigonometric;
        let parameters = systems[0].network().parameters();
        let test = test_matrix(kind, parameters, columns, problem.seed, usize::MAX);
        let [here, there] = systems.map(|system| in_subspace(system, &test, at));
        let matrices = [here?, there?];
        Ok(Self { test, matrices })
    }

    /// J at other parameters.
    fn renew(&mut self, systems: [&mut Collocation; 2], at: &[f64]) -> Result<(), OptimizeError> {
        for (system, matrix) in systems.into_iter().zip(&mut self.matrices) {
            *matrix = in_subspace(system, &self.test, at)?;
        }
        Ok(())
    }
}

/// r at a system's points, linearised there and taken to where the plane waves are not.
fn without_waves(system: &mut Collocation, parameters: &[f64]) -> Result<Vec<f64>, OptimizeError> {
    let mut residual = of(system, parameters)?;
    let parts = system.network().split(parameters);
    if !parts.coefficients.is_empty() {
        let waves = PlaneWaves::new(system.network(), parts.frequencies, parts.inversions);
        let coefficients = DVector::from_column_slice(parts.coefficients);
        let added = system.along(parameters, &waves) * coefficients;
        residual.iter_mut().zip(added.iter()).for_each(|(r, added)| *r -= added);
    }
    Ok(residual)
}

/// r at a system's points.
fn of(system: &mut Collocation, parameters: &[f64]) -> Result<Vec<f64>, OptimizeError> {
    let mut residual = vec![0.0; system.block_rows().iter().sum()];
    system.residual(parameters, &mut residual)?;
    Ok(residual)
}

/// The boxes with one side twice or half as long.
pub fn stretched(sides: &[f64]) -> Vec<Vec<f64>> {
    let changed = |k: usize, factor: f64| {
        let mut sides = sides.to_vec();
        sides[k] *= factor;
        sides
    };
    (0..sides.len()).flat_map(|k| [changed(k, 2.0), changed(k, 0.5)]).collect()
}
