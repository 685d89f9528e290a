//! Where constants that are to be found may stand.

use super::Family;
use super::document::Place;
use super::reader::{Reader, Section};
use super::residual::Places;
use crate::expression::Expression;
use crate::residual::{Condition, Norm, ResidualBlock, ResidualIssue, ResidualProblem};
use crate::{Parameter, SettingIssue};

/// What all data count against the equations, which are to hold exactly.
const DATA: f64 = 1e-4;

/// Data whose noise is known, and those that constants are found from, count by what they say: with N_b values
/// of standard deviation s_b in block b its rows add
///
/// ```text
/// 1e-4 (N_b / s_b^2) / (sum over blocks of N / s^2) * mean(d^2)
/// ```
///
/// to the loss: 1e-4 of a mean of squares in all, shared as chi^2 is. Where no noise is known all are alike; a
/// block without a noise beside others that have one counts as the noisiest. `weighed` blocks keep the weight of
/// the file.
pub(super) fn weigh(blocks: &mut [ResidualBlock], weighed: &[bool], sought: bool) {
    let noise_of = |block: &ResidualBlock| match &block.condition {
        Condition::Observed { noise, values, .. } => Some((*noise, values.len() as f64)),
        _ => None,
    };
    let noises = blocks.iter().filter_map(|b| noise_of(b)?.0);
    let noisiest = noises.fold(0.0_f64, f64::max);
    if !sought && noisiest == 0.0 {
        return;
    }
    let unknown = if noisiest > 0.0 { noisiest } else { 1.0 };
    let told = |(noise, count): (Option<f64>, f64)| count / noise.unwrap_or(unknown).powi(2);
    let all: f64 = blocks.iter().filter_map(noise_of).map(told).sum();
    for (block, _) in blocks.iter_mut().zip(weighed).filter(|(_, weighed)| !**weighed) {
        if let Some((noise, count)) = noise_of(block) {
            let share = DATA * told((noise, count)) / all;
            block.weight = if block.norm == Norm::Sum { share / count } else { share };
        }
    }
}

/// One constant: of a problem of this family, with its value inside its bounds.
pub(super) fn constant(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    parameter: &Parameter,
    family: Family,
) {
    let name = parameter.name.clone();
    if family == Family::Evolution {
        let place = section.place_of("find");
        reader.report(&place, ResidualIssue::SoughtInEvolution { name });
    } else if let Some([lower, upper]) = parameter.range
        && (parameter.value == lower || parameter.value == upper)
    {
        let value = parameter.value;
        let issue = ResidualIssue::SoughtAtItsBound { name, value, lower, upper };
        reader.report(&section.place_of("value"), issue);
    }
}

/// A formula that has to be known before anything is found.
pub(super) fn refuse(
    reader: &mut Reader<'_>,
    place: &Place,
    what: &'static str,
    parameters: &[Parameter],
    formulas: &[&Expression],
) {
    let mut all = parameters.iter().enumerate();
    let mentioned = |(k, p): &(usize, &Parameter)| p.find && formulas.iter().any(|e| e.names(*k));
    if let Some((_, parameter)) = all.find(mentioned) {
        let name = parameter.name.clone();
        reader.report(place, ResidualIssue::SoughtElsewhere { name, what });
    }
}

/// What constants need of the rest of their problem.
pub(super) fn check<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    problem: &ResidualProblem,
    places: &Places,
) {
    if problem.sought().next().is_none() {
        return;
    }
    let parameters = reader.section(top, "parameters");
    let place_of = |name: &str| parameters.place_of(name);
    let name_of = |k: usize| problem.parameters[k].name.clone();
    let expressions =
        || problem.blocks.iter().flat_map(|block: &ResidualBlock| block.condition.expressions());
    for k in problem.sought() {
        if !expressions().any(|e| e.names(k)) {
            let name = name_of(k);
            reader.report(&place_of(&name), ResidualIssue::SoughtNowhere { name: name.clone() });
        }
    }
    let observed = |block: &ResidualBlock| matches!(block.condition, Condition::Observed { .. });
    if !problem.blocks.iter().any(observed)
        && let Some(k) = problem.sought().next()
    {
        let name = name_of(k);
        reader.report(&place_of(&name), ResidualIssue::NoData { name: name.clone() });
    }
    let energy = |block: &ResidualBlock| matches!(block.condition, Condition::Energy(_));
    if let Some(index) = problem.blocks.iter().position(energy) {
        let (first, second) = ("energy", "constants to be found (find = true)");
        reader.report(&places.blocks[index], ResidualIssue::Exclusive { first, second });
    }
    if let Some(exact) = &problem.exact {
        let formulas: Vec<&Expression> = exact.iter().collect();
        refuse(reader, &places.exact, "the exact solution", &problem.parameters, &formulas);
    }
    if let Some(companion) = &problem.companion {
        let inner = &companion.problem;
        let formulas = inner.right_hand_side.iter().chain(&inner.initial).chain([&companion.value]);
        let formulas: Vec<&Expression> = formulas.collect();
        refuse(reader, &places.companion, "the reference", &problem.parameters, &formulas);
    }
    let mut method = reader.section(top, "method");
    let place = method.place_of("correction");
    if problem.method.correction && method.get("correction").is_some() {
        let (first, second) = ("method.correction", "constants to be found (find = true)");
        reader.report(&place, ResidualIssue::Exclusive { first, second });
    }
}

/// A range that does not hold the value of its parameter.
pub(super) fn outside(parameter: &Parameter) -> Option<SettingIssue> {
    let [lower, upper] = parameter.range?;
    let (name, value) = (parameter.name.clone(), parameter.value);
    (!(lower..=upper).contains(&value)).then_some(SettingIssue::OutsideItsRange {
        name,
        value,
        lower,
        upper,
    })
}
