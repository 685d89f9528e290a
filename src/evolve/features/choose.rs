//! How many features a state takes, and whether random features serve a problem at all.

use super::draw::draw;
use super::space::Space;
use crate::estimate::sampled;
use crate::field::cpu::Evaluator;
use crate::linalg::{LeastSquaresError, at_once, norm};
use crate::network::Network;
use crate::problem::expression::Expression;
use crate::problem::{Choice, MethodSettings, Points, Problem, Scheme, natural_size};
use crate::{Engine, Evolution};

/// What spaces leave of a state falls no faster than with this power of their size, as far as the search
/// goes by it.
const STEEPEST: i32 = 6;
/// Features of the smallest space that is tried; each further one has half as many again.
pub(super) const FEWEST: usize = 64;
/// A state is resolved where no more than this is left of it between the points.
const RESOLVED: f64 = 1e-10;
/// A larger space has to leave this part of what the one before has left to be worth its price.
const WORTH: f64 = 0.5;
/// Random features serve where they leave no more than this of the initial state.
const SERVES: f64 = 3e-4;
/// The tolerance of a rough run, and its steps at most.
const PILOT: f64 = 1e-4;
const PILOT_STEPS: usize = 200;
/// A rough run that takes more than this part of the features leaves no room for a fine one.
const ROOM: f64 = 0.75;
/// Points between those of the space at which it is judged.
const BETWEEN: usize = 1_021;

/// The number of features of the space after that of `features`, where there is one.
pub(super) fn next(features: usize, width: usize) -> Option<usize> {
    (features < width).then(|| (3 * features / 2).min(width))
}

/// A fit of the initial state.
pub struct Fitted {
    /// Of the whole network; the outputs of features that the fit did without are zero.
    pub theta: Vec<f64>,
    pub features: usize,
    /// Relative L2 error between the points.
    pub between: f64,
}

/// The initial state in the smallest space that resolves it, or in the best of all.
///
/// # Errors
/// Where a singular value decomposition fails.
pub fn fitted(problem: &Problem) -> Result<Fitted, LeastSquaresError> {
    search(problem, RESOLVED)
}

/// The initial state in the smallest space that leaves no more than `goal` of it, or in the best of all
/// that are worth trying.
fn search(problem: &Problem, goal: f64) -> Result<Fitted, LeastSquaresError> {
    let network = Network::of(problem);
    let drawn = draw(problem, &network);
    let mut best: Option<Fitted> = None;
    let mut features = FEWEST.min(network.width());
    loop {
        let found = fit(problem, &network, &drawn, features)?;
        let (between, gains) =
            (found.between, best.as_ref().is_none_or(|best| found.between < WORTH * best.between));
        if gains {
            best = Some(found);
        }
        match next(features, network.width()) {
            Some(more) if between > goal && within_reach(between, features, network.width()) => {
                features = more;
            }
            _ => break,
        }
    }
    Ok(best.expect("the first is the best so far"))
}

/// Whether the largest space may serve a state of which one of `features` leaves so much.
fn within_reach(between: f64, features: usize, width: usize) -> bool {
    between <= SERVES * (width as f64 / features as f64).powi(STEEPEST)
}

fn fit(
    problem: &Problem,
    network: &Network,
    drawn: &[f64],
    features: usize,
) -> Result<Fitted, LeastSquaresError> {
    let space = Space::new(problem, network, drawn, features)?;
    let at_start =
        |list: &[Expression], places: &[f64]| sampled(problem, list, places, problem.time.start);
    let mut wanted = at_start(&problem.initial, space.places());
    if let Some(lift) = &problem.lift {
        let lift = at_start(lift, space.places());
        wanted.iter_mut().zip(lift).for_each(|(u, lift)| *u -= lift);
    }
    let a = space.project(&wanted);
    let mut theta = drawn.to_vec();
    space.put(&a, &mut theta);
    let points = Points::sobol(&problem.coordinates, BETWEEN, problem.seed).coordinates;
    let exact = at_start(&problem.initial, &points);
    let evaluator = Evaluator::<f64>::new(problem, network, &points);
    let values = evaluator.values(&theta, problem.time.start);
    let gap: Vec<f64> = exact.iter().zip(&values).map(|(a, b)| a - b).collect();
    let size = match norm(&exact) {
        size if size > 0.0 => size,
        _ => natural_size(problem) * (exact.len() as f64).sqrt(),
    };
    let between = if size > 0.0 { norm(&gap) / size } else { norm(&gap) };
    let between = if between.is_finite() { between } else { f64::INFINITY };
    Ok(Fitted { theta, features, between })
}

/// The problem with its scheme decided, where its file leaves that to the program
/// ([`MethodSettings::chooses_scheme`](crate::problem::MethodSettings)): random features where they hold
/// the initial state, and else stage fits of a deep network. The decision stands in the problem's source,
/// so that whoever reads that again comes to the same.
#[must_use]
pub fn resolved(problem: Problem) -> Problem {
    if !problem.method.chooses_scheme {
        return problem;
    }
    let serves = |problem: &Problem| {
        let fitted = search(problem, SERVES);
        fitted.is_ok_and(|fitted| fitted.between <= SERVES && pilot(problem, fitted))
    };
    decided(&problem, Scheme::RandomFeatures)
        .filter(serves)
        .or_else(|| decided(&problem, Scheme::StageFit))
        .unwrap_or(problem)
}

/// The problem with that scheme.
fn decided(problem: &Problem, scheme: Scheme) -> Option<Problem> {
    let overrides = vec![("method.scheme".to_owned(), scheme.word().to_owned())];
    let read = Problem::from_toml(&problem.source, &overrides).ok()?;
    Some(Problem { name: problem.name.clone(), ..read })
}

/// Whether a text is a problem's source, or what [`resolved`] may make of that.
#[must_use]
pub fn is_of(text: &str, source: &str) -> bool {
    let decided = || {
        let problem = Problem::from_toml(source, &Vec::new()).ok()?;
        let schemes = [Scheme::RandomFeatures, Scheme::StageFit].into_iter();
        let schemes = schemes.filter(|_| problem.method.chooses_scheme);
        let sources = schemes.filter_map(|scheme| Some(decided(&problem, scheme)?.source));
        Some(sources.collect::<Vec<String>>())
    };
    text == source || decided().is_some_and(|sources| sources.iter().any(|s| s == text))
}

/// Whether a rough run to the end, or as far as it comes in so many steps, needs no more features than
/// leave room for a fine one.
fn pilot(problem: &Problem, fitted: Fitted) -> bool {
    let tolerance = problem.method.tolerance.unwrap_or(MethodSettings::FEATURE_TOLERANCE);
    let rough = PILOT.max(tolerance);
    let most = (ROOM * problem.network.width as f64) as usize;
    if fitted.features > most {
        // The initial state is what takes them, a kink of it for one.
        return true;
    }
    let mut problem = problem.clone();
    problem.method.tolerance = Some(rough);
    let run = at_once(Engine::on(&problem, None));
    let Ok(mut run) = run.and_then(|engine| Evolution::new(&problem, engine, fitted.theta)) else {
        return false;
    };
    for _ in 0..PILOT_STEPS {
        match at_once(run.step()) {
            Ok(report) if report.count > most => return false,
            Ok(_) if run.finished() => return true,
            Ok(_) => {}
            // Where the solution ends, a deep network's run says so as well.
            Err(_) => return false,
        }
    }
    true
}
