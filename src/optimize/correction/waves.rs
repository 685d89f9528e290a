//! A second network for what the first one leaves: one layer of sines with drawn frequencies, whose
//! outer weights are found by linear least squares (a random feature method: Chen, Chi, E, Yang,
//! "Bridging traditional and machine learning-based algorithms for solving PDEs", 2022).
//!
//! Frequencies fill a box evenly. Its sides, the highest frequency along each coordinate, are what
//! such a method stands and falls with: too small, and fine detail is out of reach; too large, and the
//! functions are too few. They are found by trying: the box whose solution leaves the least residual
//! at points that it was not made for, first among boxes of very different sides, then one side after the
//! other, and again whenever there are twice as many functions. Each trial is one least-squares problem
//! of a few hundred columns.

use nalgebra::{DMatrix, DVector};

use super::{Found, ROUND_OFF, in_subspace, share};
use crate::elsewhere::{Use, elsewhere};
use crate::error::OptimizeError;
use crate::field::network::{Input, Network};
use crate::field::plane_waves::PlaneWaves;
use crate::field::residual::Collocation;
use crate::levenberg::{lift, test_matrix};
use crate::linalg::{PivotedQr, TestMatrix, TestMatrixKind};
use crate::problem::ResidualProblem;
use crate::random::{Philox, Stream};

/// Functions of all unknowns together: of the first trials, of those after them where few functions
/// cannot tell boxes apart, and the most.
const FIRST: usize = 128;
const SECOND: usize = 512;
const MOST: usize = 2048;
/// Columns of the tangent space beside them.
const TANGENTS: usize = 512;
/// Rows above which every trial counts.
const MANY: usize = 4000;
/// Points for each column in a solve, and for the choice.
const ROWS: f64 = 2.0;
const CHOICE_ROWS: f64 = 1.0;
/// Sides of the first boxes: from a third of a wave over the domain to twenty waves.
const SIDES: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
/// Coordinates up to which the sides of a box are tried one by one whenever there are more functions.
const MOST_STRETCHED: usize = 3;
/// Trials are worth going on from where they leave this share of what is given.
const PROMISING: f64 = 0.1;
/// Pivots below these shares of the largest count as zero.
const CUTOFFS: [f64; 6] = [1e-15, 1e-14, 1e-13, 1e-11, 1e-9, 1e-7];
/// What twice as many functions have to leave less of, so that there is a point in still more: beside an
/// untrained network, and where this is the last word.
const GAINS: [f64; 2] = [0.1, 0.7];
/// The same of a Newton step, and of a change of the box.
const PROGRESS: f64 = 0.9;
const NEWTON_STEPS: usize = 10;
/// A residual up to so many times the linearised one is as it was told.
const TOLD: f64 = 2.0;
/// Halvings of a step whose residual is larger than before.
const HALVINGS: i32 = 4;

/// The best correction with plane waves of `start` beside the tangent space's functions; none where they
/// promise nothing.
pub fn correct(
    problem: &ResidualProblem,
    start: &Found,
    given: f64,
) -> Result<Option<Found>, OptimizeError> {
    let mut search = Search::new(problem, start.clone(), given, true);
    while !search.is_over() {
        search.advance(problem)?;
    }
    Ok(search.found().cloned())
}

/// A search for the best correction in stages of some seconds at most: a box that promises something,
/// then twice as many functions again and again, which begin afresh where the last ones have led.
pub struct Search {
    given: f64,
    tangents: usize,
    /// What twice as many functions have to leave less of.
    gain: f64,
    best: Found,
    found: bool,
    next: Stage,
}

enum Stage {
    Box { functions: usize, boxes: Vec<Vec<f64>> },
    Level { functions: usize, sides: Vec<f64> },
    Over,
}

impl Search {
    /// From `start`, with the tangent space's functions beside the waves or without.
    pub fn new(problem: &ResidualProblem, start: Found, given: f64, tangents: bool) -> Self {
        let boxes = first_boxes(problem.dimensions());
        Self {
            given,
            tangents: if tangents { TANGENTS.min(start.parameters.len() / 2) } else { 0 },
            gain: GAINS[usize::from(tangents)],
            best: start,
            found: false,
            next: Stage::Box { functions: FIRST, boxes },
        }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.next, Stage::Over)
    }

    /// The best so far, where anything promised something.
    pub fn found(&self) -> Option<&Found> {
        self.found.then_some(&self.best)
    }

    /// The next stage.
    pub fn advance(&mut self, problem: &ResidualProblem) -> Result<(), OptimizeError> {
        self.next = match std::mem::replace(&mut self.next, Stage::Over) {
            Stage::Box { functions, boxes } => self.first_box(problem, functions, boxes)?,
            Stage::Level { functions, sides } => self.level(problem, functions, sides)?,
            Stage::Over => Stage::Over,
        };
        Ok(())
    }

    /// A number of functions and a box that are worth going on from.
    fn first_box(
        &self,
        problem: &ResidualProblem,
        functions: usize,
        boxes: Vec<Vec<f64>>,
    ) -> Result<Stage, OptimizeError> {
        let level = Level::new(problem, &self.best, functions, 0)?;
        let mut best = level.best_of(boxes);
        while problem.dimensions() > 1 {
            let other = level.best_of(stretched(&best.sides));
            if other.left > PROGRESS * best.left {
                break;
            }
            best = other;
        }
        if best.left <= PROMISING * self.given.min(self.best.residual) {
            return Ok(Stage::Level { functions, sides: best.sides });
        }
        if functions >= SECOND {
            return Ok(Stage::Over);
        }
        // A trial of more functions costs more.
        let larger = best.sides.iter().map(|side| 2.0 * side).collect();
        let boxes = cubes(problem.dimensions()).chain([best.sides, larger]).collect();
        Ok(Stage::Box { functions: SECOND, boxes })
    }

    /// The best of so many functions.
    fn level(
        &mut self,
        problem: &ResidualProblem,
        functions: usize,
        sides: Vec<f64>,
    ) -> Result<Stage, OptimizeError> {
        let mut level = Level::new(problem, &self.best, functions, self.tangents)?;
        let trial = level.nearby(&sides);
        let sides = trial.sides.clone();
        let found = level.newton(trial)?;
        let left = share(found.residual, self.best.residual);
        let done = found.residual <= ROUND_OFF * self.given;
        if left < 1.0 {
            (self.best, self.found) = (found, true);
        }
        let last = done || (left > self.gain && functions >= SECOND) || 2 * functions > MOST;
        Ok(if last { Stage::Over } else { Stage::Level { functions: 2 * functions, sides } })
    }
}

/// In two dimensions every box of such sides, in more those with all sides alike.
fn first_boxes(dimensions: usize) -> Vec<Vec<f64>> {
    if dimensions == 2 {
        return SIDES.iter().flat_map(|&a| SIDES.map(|b| vec![a, b])).collect();
    }
    cubes(dimensions).collect()
}

fn cubes(dimensions: usize) -> impl Iterator<Item = Vec<f64>> {
    SIDES.iter().map(move |&side| vec![side; dimensions])
}

/// The boxes with one side twice or half as long.
fn stretched(sides: &[f64]) -> Vec<Vec<f64>> {
    let changed = |k: usize, factor: f64| {
        let mut sides = sides.to_vec();
        sides[k] *= factor;
        sides
    };
    (0..sides.len()).flat_map(|k| [changed(k, 2.0), changed(k, 0.5)]).collect()
}

/// Systems of as many points as some number of functions needs, linearised at the start: at the best so
/// far.
struct Level<'a> {
    problem: &'a ResidualProblem,
    start: &'a Found,
    solving: Collocation,
    choosing: Collocation,
    /// Functions of each unknown.
    each: usize,
    tangent: Option<Tangent>,
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
struct Trial {
    sides: Vec<f64>,
    frequencies: Vec<f64>,
    linearised: Linearised,
    /// |r| at the points of the choice after one step.
    left: f64,
}

/// A solved linearisation.
struct Step {
    /// Along all functions, the waves first.
    along: Vec<f64>,
    /// |r| at the points of the choice, as linearised.
    residual: f64,
    rank: usize,
}

impl<'a> Level<'a> {
    fn new(
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
        Ok(Self { problem, start, solving, choosing, each, tangent, residual })
    }

    fn network(&self) -> &Network {
        self.solving.network()
    }

    /// The best of some boxes by one linear solve each.
    fn best_of(&self, boxes: Vec<Vec<f64>>) -> Trial {
        let mut best: Option<Trial> = None;
        for sides in boxes {
            let frequencies = self.draw(&sides);
            let linearised = self.linearise(&frequencies, &self.start.parameters);
            let left = linearised.solve(&self.residual).residual;
            if best.as_ref().is_none_or(|best| left < best.left) {
                best = Some(Trial { sides, frequencies, linearised, left });
            }
        }
        best.expect("a box")
    }

    /// The best of boxes about as large as one that suited half as many functions; the middle one
    /// where trials are expensive.
    fn nearby(&self, sides: &[f64]) -> Trial {
        let finer = 2f64.powf(1.0 / sides.len() as f64);
        let scaled = |factor: f64| sides.iter().map(|side| factor * side).collect();
        let few = self.solving.block_rows().iter().sum::<usize>() <= MANY;
        let factors = if few { vec![1.0, finer.sqrt(), finer] } else { vec![finer.sqrt()] };
        let best = self.best_of(factors.into_iter().map(scaled).collect());
        if !few || sides.len() == 1 || sides.len() > MOST_STRETCHED {
            return best;
        }
        let other = self.best_of(stretched(&best.sides));
        if other.left < PROGRESS * best.left { other } else { best }
    }

    /// Evenly in the box, those along periodic coordinates whole numbers: the additive recurrence
    /// with the powers of the root of `x^(d+1) = x + 1` (Roberts, 2018), from a point that the seed
    /// draws. The constant is the first of them.
    fn draw(&self, sides: &[f64]) -> Vec<f64> {
        let dimensions = sides.len();
        let ratio = (0..64).fold(1.5f64, |x, _| (1.0 + x).powf(1.0 / (dimensions as f64 + 1.0)));
        let random = Philox::new(self.problem.seed, Stream::Frequencies);
        let shift: Vec<f64> = (0..dimensions).map(|k| random.uniform(u64::MAX, k as u32)).collect();
        let inputs = self.network().inputs();
        let point = |j: usize| -> Vec<f64> {
            let along = |k: usize| {
                let at = (shift[k] + j as f64 / ratio.powi(k as i32 + 1)).fract();
                let frequency = (2.0 * at - 1.0) * sides[k];
                let periodic = matches!(inputs[k], Input::Periodic { .. });
                if periodic { frequency.round() } else { frequency }
            };
            (0..dimensions).map(along).collect()
        };
        let mut drawn = vec![vec![0.0; dimensions]];
        let count = self.each / 2;
        // Where all coordinates are periodic a box holds so many and no more.
        for frequency in (0..16 * count).map(point) {
            let opposite: Vec<f64> = frequency.iter().map(|w| -w).collect();
            let whole = frequency.iter().all(|w| w.fract() == 0.0);
            if !(whole && drawn.iter().any(|known| *known == frequency || *known == opposite)) {
                drawn.push(frequency);
            }
            if drawn.len() == count {
                break;
            }
        }
        drawn.concat()
    }

    /// The functions' rows at some parameters, factored.
    fn linearise(&self, frequencies: &[f64], parameters: &[f64]) -> Linearised {
        let waves = PlaneWaves::new(self.network(), frequencies);
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
        let lengths = here.column_iter_mut().map(|mut column| {
            let length = Some(column.norm()).filter(|&length| length > 0.0).unwrap_or(1.0);
            column /= length;
            length
        });
        let lengths = lengths.collect();
        Linearised { factor: PivotedQr::of(here), there, lengths, waves: count }
    }

    /// Newton's method in one box from the start. A linearisation serves while it tells what comes,
    /// which of a linear problem is to the end.
    fn newton(&mut self, trial: Trial) -> Result<Found, OptimizeError> {
        let Trial { frequencies, mut linearised, .. } = trial;
        let kept = 2 * self.network().parameters();
        let mut parameters = [&self.start.parameters[..kept], &frequencies].concat();
        parameters.resize(parameters.len() + linearised.waves, 0.0);
        let mut best = Found { parameters, residual: f64::INFINITY, rank: 0 };
        let mut residual = self.residual.clone();
        for _ in 0..NEWTON_STEPS {
            let (step, before) = (linearised.solve(&residual), best.residual);
            for halvings in 0..=HALVINGS {
                let moved = self.moved(&best.parameters, &step, 0.5f64.powi(halvings));
                let left = self.choosing.losses(&[&moved])?[0].sqrt();
                if left < before {
                    best = Found { parameters: moved, residual: left, rank: step.rank };
                    break;
                }
            }
            let told = best.residual < TOLD * step.residual;
            if share(best.residual, before) > PROGRESS {
                break;
            }
            let [here, there] =
                [&mut self.solving, &mut self.choosing].map(|system| of(system, &best.parameters));
            residual = [here?, there?];
            if !told {
                let at = &best.parameters;
                if let Some(tangent) = &mut self.tangent {
                    tangent.renew([&mut self.solving, &mut self.choosing], at)?;
                }
                linearised = self.linearise(&frequencies, at);
            }
        }
        Ok(best)
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

impl Linearised {
    /// `min |r + J y + W a|` for the residuals at both sets of points, by the cutoff that leaves the
    /// least at those of the choice.
    fn solve(&self, residual: &[Vec<f64>; 2]) -> Step {
        let pivots: Vec<f64> = self.factor.pivots().collect();
        let largest = pivots.first().copied().unwrap_or(0.0);
        let rank = |cutoff: f64| {
            pivots.iter().take_while(|&&pivot| pivot > 0.0 && pivot >= cutoff * largest).count()
        };
        let ranks = CUTOFFS.map(rank);
        let there = DVector::from_column_slice(&residual[1]);
        let along = vec![0.0; self.lengths.len()];
        let mut best = Step { along, residual: there.norm(), rank: 0 };
        for (mut v, rank) in self.factor.solve(&residual[0], &ranks).into_iter().zip(ranks) {
            v.iter_mut().zip(&self.lengths).for_each(|(v, length)| *v /= -length);
            let v = DVector::from_vec(v);
            let left = (&self.there * &v + &there).norm();
            if left < best.residual {
                best = Step { along: v.as_slice().to_vec(), residual: left, rank };
            }
        }
        best
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
        let waves = PlaneWaves::new(system.network(), parts.frequencies);
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
