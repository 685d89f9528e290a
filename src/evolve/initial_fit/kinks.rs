//! Where an initial state is not smooth.

use crate::problem::expression::Expression;
use crate::problem::{Boundary, Points, Problem};

/// Places on each seam that are looked at.
const PLACES: usize = 64;
/// A jump of the state or its slope, over the largest that they are, that shows in the errors.
const JUMP: f64 = 1e-2;
/// The same of what a side asks for.
const MISMATCH: f64 = 1e-3;

/// The seams of periodic coordinates at which the initial state or its first derivative jumps, and
/// the sides that it does not match, in words: no smooth network that has what is asked for there
/// reaches it, and its Fourier coefficients fall by a power of the wave number only.
#[must_use]
pub fn kinks(problem: &Problem) -> Vec<String> {
    let mut kinks = seams(problem);
    kinks.extend(mismatches(problem));
    kinks
}

/// Sides that ask for something else than the initial state has there.
fn mismatches(problem: &Problem) -> Vec<String> {
    let (time, parameters) = (problem.time.start, problem.parameter_values());
    let points = Points::random(&problem.coordinates, PLACES, problem.seed);
    let mut found = Vec::new();
    for (k, coordinate) in problem.coordinates.iter().enumerate() {
        let length = coordinate.upper - coordinate.lower;
        for (sides, at) in coordinate.sides().into_iter().flatten() {
            let (mut off, mut worst) = (0.0f64, 0.0f64);
            for (side, initial) in sides.iter().zip(&problem.initial) {
                let seen = side.apply(initial, (k, problem.dimensions()), at);
                let slope = initial.differentiate_coordinate(k, problem.dimensions()).simplify();
                let (mut size, mut miss) = (f64::MIN_POSITIVE, 0.0f64);
                for i in 0..points.len() {
                    let mut place = points.point(i).to_vec();
                    let of = |e: &Expression, place: &[f64]| {
                        e.evaluate_at(place, time, &parameters).abs()
                    };
                    let inside = of(initial, &place);
                    size = size.max(if side.is_flux() {
                        (inside / length).max(of(&slope, &place))
                    } else {
                        inside
                    });
                    place[k] = at[0];
                    let asked = side.value().evaluate_at(&place, time, &parameters);
                    miss = miss.max((seen.evaluate_at(&place, time, &parameters) - asked).abs());
                }
                (off, worst) = (off.max(miss), worst.max(miss / size));
            }
            if worst > MISMATCH {
                let name = &coordinate.name;
                found.push(format!("a mismatch of {off:.2} with the side {name} = {}", at[0]));
            }
        }
    }
    found
}

fn seams(problem: &Problem) -> Vec<String> {
    let (time, parameters) = (problem.time.start, problem.parameter_values());
    let points = Points::random(&problem.coordinates, PLACES, problem.seed);
    let jumps = |e: &Expression, k: usize| {
        let (mut size, mut jump) = (0.0f64, 0.0f64);
        let coordinate = &problem.coordinates[k];
        for i in 0..points.len() {
            let mut place = points.point(i).to_vec();
            let mut at = |x: f64| {
                place[k] = x;
                e.evaluate_at(&place, time, &parameters)
            };
            let inside = at(points.point(i)[k]);
            let (a, b) = (at(coordinate.lower), at(coordinate.upper));
            size = size.max(inside.abs()).max(a.abs()).max(b.abs());
            jump = jump.max((a - b).abs());
        }
        jump > JUMP * size
    };
    let periodic = problem.coordinates.iter().enumerate();
    let periodic = periodic.filter(|(_, c)| c.boundary == Boundary::Periodic);
    periodic
        .filter_map(|(k, c)| {
            let slope =
                |e: &Expression| e.differentiate_coordinate(k, problem.dimensions()).simplify();
            let any = |look: &dyn Fn(&Expression) -> bool| problem.initial.iter().any(look);
            let what = match (any(&|e| jumps(e, k)), any(&|e| jumps(&slope(e), k))) {
                (true, _) => "a jump",
                (false, true) => "a kink",
                (false, false) => return None,
            };
            Some(format!("{what} on the seam {} = {}", c.name, c.lower))
        })
        .collect()
}
