//! What is to be said against the answer of a training that is over.

use crate::optimize::{Convergence, ErrorEstimate};

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
