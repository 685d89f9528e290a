//! What is to be said against the answer of a training that is over.

use crate::optimize::{Convergence, ErrorEstimate, Uncertainty};
use crate::problem::ResidualProblem;

/// By its estimate, and by what came of it; none where nothing is.
pub fn judgement(estimate: Option<&ErrorEstimate>, convergence: Convergence) -> Option<String> {
    if convergence == Convergence::Diverged {
        return Some(
            "the loss has grown instead of falling: take a smaller method.rate, or a method that \
             chooses its steps (method.name = \"lm\")"
                .into(),
        );
    }
    let Some(estimate) = estimate else {
        return Some(
            "the residual is not finite at other points than those of the training".into(),
        );
    };
    if let Some(free) = &estimate.free {
        return Some(format!(
            "the equations and conditions leave a direction of the solution all but free ({free}): \
             what is found is one of many answers, or there is none; add the condition that fixes it"
        ));
    }
    if estimate.is_good() {
        return None;
    }
    let error = 100.0 * estimate.relative_l2.min(10.0);
    if let Some(noise) = estimate.noise
        && 2.0 * noise * noise > estimate.relative_l2.powi(2)
    {
        return Some(format!(
            "the noise of the data leaves about {error:.0} % of the answer open: measure more often, or more \
             exactly"
        ));
    }
    let remedy = match convergence {
        Convergence::Budget => "allow more iterations (method.iterations)",
        _ => {
            "conditions may contradict each other; else take more points (points.count), a larger \
             network (network.layers), or unknowns and coordinates of about size 1"
        }
    };
    Some(format!(
        "the answer is wrong by about {error:.0} % by its residual at other points: {remedy}"
    ))
}

/// The same of the constants that were found.
pub fn of_constants(
    problem: &ResidualProblem,
    known: Result<&Option<Uncertainty>, &String>,
) -> Option<String> {
    let known = match known {
        Ok(known) => known.as_ref()?,
        Err(why) => return Some(format!("how well the constants are known cannot be told: {why}")),
    };
    let names: Vec<&str> = problem.sought().map(|k| problem.parameters[k].name.as_str()).collect();
    let mut warnings: Vec<String> = Vec::new();
    for direction in &known.free {
        let these = direction.iter().map(|&k| names[k]).collect::<Vec<_>>().join(" and ");
        warnings.push(match direction.len() {
            1 => format!(
                "the data do not determine {these}: measure where it makes a difference, take more \
                 points for the equation (points.count), or give its value"
            ),
            _ => format!(
                "the data do not determine {these} one by one, only together: give one of them, or \
                 measure what tells them apart"
            ),
        });
    }
    let unknown = known.noise.iter().filter(|(_, noise, _)| noise.is_none());
    let unknown: Vec<&str> = unknown.map(|(block, ..)| block.as_str()).collect();
    if !unknown.is_empty() {
        warnings.push(format!(
            "the noise of {} cannot be told from what the fit leaves of it: give it (noise = ..), or more \
             data, or more points for the equation (points.count)",
            unknown.join(", ")
        ));
    }
    (!warnings.is_empty()).then(|| warnings.join("; "))
}
