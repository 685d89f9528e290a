//! Whether the exact solution of an evolution satisfies its equation.

use super::residual_checks::Derivatives;
use crate::Problem;
use crate::expression::{Entry, Expression, Place};

/// What is missed may be this part of the equation's terms, where they are largest.
const TOLERANCE: f64 = 1e-6;

/// An unknown whose equation the exact solution misses at one of the points and times, where, and by
/// how much: `|u_t - F| > 1e-6 max (|u_t| + |F| + sum |dF/de| |e|)`, e the entries of the jet and the
/// maximum that over all points and times. None where it satisfies all, where its derivatives are too
/// large to be made, and where the formulas have none at a point (as `sqrt(t)` at its start).
pub(super) fn missed(
    problem: &Problem,
    points: &[Vec<f64>],
    times: &[f64],
) -> Option<(usize, Vec<f64>, f64)> {
    let exact = problem.exact.as_ref()?;
    let wanted: std::collections::BTreeSet<Entry> =
        problem.right_hand_side.iter().flat_map(Expression::entries).collect();
    let derivatives = Derivatives::new(exact, wanted.into_iter(), problem.dimensions())?;
    let parameters = problem.parameter_values();
    for (unknown, f) in problem.right_hand_side.iter().enumerate() {
        let rate = exact[unknown].differentiate_time().simplify();
        let slopes: Vec<(Entry, Expression)> =
            f.entries().into_iter().map(|e| (e, f.derivative_by(e).simplify())).collect();
        let mut cases = Vec::new();
        for (coordinates, time) in points.iter().flat_map(|p| times.iter().map(move |t| (p, *t))) {
            let value = |e: &Expression| e.evaluate_at(coordinates, time, &parameters);
            let known: Vec<(Entry, f64)> =
                derivatives.0.iter().map(|(entry, e)| (*entry, value(e))).collect();
            let jet = |entry: Entry| {
                known.iter().find(|(of, _)| *of == entry).map_or(f64::NAN, |(_, value)| *value)
            };
            let place = Place { coordinates, time, parameters: &parameters };
            let (rate, moved) = (value(&rate), f.evaluate(place, &jet));
            let terms = slopes.iter().map(|(e, slope)| slope.evaluate(place, &jet) * jet(*e));
            let size = rate.abs() + moved.abs() + terms.map(f64::abs).sum::<f64>();
            if size.is_finite() {
                cases.push((coordinates, rate - moved, size));
            }
        }
        // Where all terms vanish by chance, those elsewhere say what round-off is.
        let scale = cases.iter().map(|(.., size)| *size).fold(0.0, f64::max);
        let wrong = cases.into_iter().find(|(_, missing, _)| missing.abs() > TOLERANCE * scale);
        if let Some((point, missing, _)) = wrong {
            return Some((unknown, point.clone(), missing));
        }
    }
    None
}
