//! A second network for what the first one leaves: one layer of sines with drawn frequencies, whose
//! outer weights are found by linear least squares (a random feature method: Chen, Chi, E, Yang,
//! "Bridging traditional and machine learning-based algorithms for solving PDEs", 2022).
//!
//! Frequencies fill a box evenly. Its sides, the highest frequency along each coordinate, are what
//! such a method stands and falls with: too small, and fine detail is out of reach; too large, and the
//! functions are too few. They are found by trying: the box whose solution leaves the least residual
//! at points that it was not made for, first among boxes of very different sides, then one side after the
//! other, and again whenever there are twice as many functions. Each trial is one least-squares problem
//! of a few hundred columns ([`level`](super::level)). Where the domain has holes, some of the functions are
//! around each of them, in coordinates turned inside out there, and a side more of the box says how high
//! their frequencies are.

use super::level::{Level, PROGRESS, stretched};
use super::{Found, ROUND_OFF, share};
use crate::error::OptimizeError;
use crate::holes::holes;
use crate::problem::ResidualProblem;

/// Functions of all unknowns together: of the first trials, of those after them where few functions
/// cannot tell boxes apart, and the most.
const FIRST: usize = 128;
const SECOND: usize = 512;
const MOST: usize = 2048;
/// Columns of the tangent space beside them.
const TANGENTS: usize = 512;
/// The side of frequencies around holes in the first boxes.
const SIDE_AROUND: f64 = 2.0;
/// Sides of the first boxes: from a third of a wave over the domain to twenty waves.
const SIDES: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
/// Trials are worth going on from where they leave this share of what is given.
const PROMISING: f64 = 0.1;
/// What twice as many functions have to leave less of, so that there is a point in still more: beside an
/// untrained network, and where this is the last word.
const GAINS: [f64; 2] = [0.3, 0.7];

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
    Level(Doubling),
    Over,
}

/// Functions to be tried next.
struct Doubling {
    functions: usize,
    /// A box that suited half as many, and the factor by which its sides have grown then.
    sides: Vec<f64>,
    growth: f64,
    /// A factor for each equation by which all of them see waves equally: in a sum of squares the high
    /// derivatives would hide what values do at the sides. By the first box that was worth going on from,
    /// and the same ever after, so that what is left can be compared.
    weights: Vec<f64>,
}

impl Search {
    /// From `start`, with the tangent space's functions beside the waves or without.
    pub fn new(problem: &ResidualProblem, start: Found, given: f64, tangents: bool) -> Self {
        // A few functions around each hole tell nothing.
        let next = match holes(problem).is_empty() {
            true => Stage::Box { functions: FIRST, boxes: first_boxes(problem.dimensions()) },
            false => {
                let boxes = cubes(problem.dimensions(), true).collect();
                Stage::Box { functions: SECOND, boxes }
            }
        };
        Self {
            given,
            tangents: if tangents { TANGENTS.min(start.parameters.len() / 2) } else { 0 },
            gain: GAINS[usize::from(tangents)],
            best: start,
            found: false,
            next,
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
            Stage::Level(doubling) => self.level(problem, doubling)?,
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
        let mut level = Level::new(problem, &self.best, functions, 0)?;
        level.weigh(&boxes[boxes.len() / 2]);
        let mut best = level.best_of(boxes);
        while best.sides.len() > 1 {
            let other = level.best_of(stretched(&best.sides));
            if other.left > PROGRESS * best.left {
                break;
            }
            best = other;
        }
        // Next to a hole a residual is large, and hardly an error: there it counts with its weight.
        let promises = match level.holes.is_empty() {
            true => best.residual <= PROMISING * self.given.min(self.best.residual),
            false => best.left <= PROMISING * level.left_by_start()?,
        };
        if promises {
            level.weigh(&best.sides);
            let (sides, growth, weights) = (best.sides, 1.0, level.weights);
            return Ok(Stage::Level(Doubling { functions, sides, growth, weights }));
        }
        if functions >= SECOND {
            return Ok(Stage::Over);
        }
        // A trial of more functions costs more.
        let larger = best.sides.iter().map(|side| 2.0 * side).collect();
        let boxes = cubes(problem.dimensions(), false).chain([best.sides, larger]).collect();
        Ok(Stage::Box { functions: SECOND, boxes })
    }

    /// The best of so many functions.
    fn level(
        &mut self,
        problem: &ResidualProblem,
        Doubling { functions, sides, growth, weights }: Doubling,
    ) -> Result<Stage, OptimizeError> {
        let mut level = Level::new(problem, &self.best, functions, self.tangents)?;
        level.weights.clone_from(&weights);
        let trial = level.nearby(&sides, growth);
        let each = problem.dimensions();
        let grown = trial.sides.iter().zip(&sides).take(each).map(|(now, before)| now / before);
        let growth = grown.product::<f64>().powf(1.0 / each as f64);
        let sides = trial.sides.clone();
        let before = level.left_by_start()?;
        let (found, after) = level.newton(trial)?;
        let done = found.residual <= ROUND_OFF * self.given;
        let left = share(after, before);
        if left < 1.0 {
            (self.best, self.found) = (found, true);
        }
        let last = done || (left > self.gain && functions >= SECOND) || 2 * functions > MOST;
        Ok(if last {
            Stage::Over
        } else {
            Stage::Level(Doubling { functions: 2 * functions, sides, growth, weights })
        })
    }
}

/// In two dimensions every box of such sides, in more those with all sides alike.
fn first_boxes(dimensions: usize) -> Vec<Vec<f64>> {
    if dimensions != 2 {
        return cubes(dimensions, false).collect();
    }
    SIDES.iter().flat_map(|&a| SIDES.map(|b| vec![a, b])).collect()
}

fn cubes(dimensions: usize, holes: bool) -> impl Iterator<Item = Vec<f64>> {
    let around = holes.then_some(SIDE_AROUND);
    let sides = move |side| std::iter::repeat_n(side, dimensions).chain(around).collect();
    SIDES.iter().map(move |&side| sides(side))
}
