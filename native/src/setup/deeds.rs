//! What is done to a run, in words: settings by their keys, and everything as a part of a link.
//!
//! ```text
//! 37~set~method.columns=150       a setting, as in problem files
//! 12~poke~0.4~1.5~0.2             place, height and radius
//! 40~draw~0.1~0.5~0.2~0.6         x and u, point by point
//! ```
//!
//! First comes the number of steps that the run had taken.

use sketchpde::problem::{Choice, Problem};
use sketchpde::session::Command;

use super::Setup;
use crate::link::{Deed, What};

/// Between the parts: a character that links need not escape.
const BETWEEN: char = '~';

/// The key and the value of a setting, as in problem files.
#[must_use]
pub fn setting(what: &What) -> Option<(String, String)> {
    let What::Command(command) = what else { return None };
    let (key, value) = match command {
        Command::SetColumns(columns) => ("columns", columns.to_string()),
        Command::SetRcond(rcond) => ("rcond", format!("{rcond:?}")),
        Command::SetStep(step) => ("step", format!("{step:?}")),
        Command::SetTolerance(tolerance) => {
            ("tolerance", format!("{:?}", tolerance.unwrap_or_default()))
        }
        Command::SetIntegrator(integrator) => ("integrator", integrator.word().to_owned()),
        Command::SetScheme(scheme) => ("scheme", scheme.word().to_owned()),
        Command::SetUpdate(update) => ("update", update.word().to_owned()),
        Command::SetParameter { name, value } => {
            return Some((format!("parameters.{name}"), format!("{value:?}")));
        }
        _ => return None,
    };
    Some((format!("method.{key}"), value))
}

/// The command that gives the setting `key` its value in `problem` along the run; `None` where the
/// run has to begin anew for it.
#[must_use]
pub fn command_of(key: &str, problem: &Problem) -> Option<Command> {
    let method = &problem.method;
    Some(match key {
        "method.columns" if method.adaptive_columns => return None,
        "method.columns" => Command::SetColumns(method.columns),
        "method.rcond" => Command::SetRcond(method.rcond),
        "method.step" => Command::SetStep(method.step),
        "method.tolerance" => Command::SetTolerance(method.tolerance),
        "method.integrator" => Command::SetIntegrator(method.integrator),
        "method.scheme" => Command::SetScheme(method.scheme),
        "method.update" => Command::SetUpdate(method.update),
        _ => {
            let name = key.strip_prefix("parameters.")?;
            let parameter = problem.parameters.iter().find(|p| p.name == name)?;
            Command::SetParameter { name: name.to_owned(), value: parameter.value }
        }
    })
}

/// `None` for what is no deed of its own.
pub(super) fn to_text(deed: &Deed) -> Option<String> {
    let mut parts = vec![deed.step.to_string()];
    match &deed.what {
        What::Command(Command::Disturb { place, height, radius }) => {
            parts.push("poke".into());
            parts.extend(place.iter().chain([height, radius]).map(|number| format!("{number:?}")));
        }
        What::Draw(stroke) => {
            parts.push("draw".into());
            parts.extend(stroke.as_flattened().iter().map(|number| format!("{number:?}")));
        }
        what => {
            let (key, value) = setting(what)?;
            parts.extend(["set".into(), format!("{key}={value}")]);
        }
    }
    Some(parts.join("~"))
}

/// The inverse of [`to_text`] for a run that begins with `setup`.
pub(super) fn from_text(text: &str, setup: &Setup) -> Option<Deed> {
    let (step, rest) = text.split_once(BETWEEN)?;
    let (word, rest) = rest.split_once(BETWEEN)?;
    let what = match word {
        "set" => {
            let (key, value) = rest.split_once('=')?;
            let problem = setup.with(key, value).problem().ok()?;
            What::Command(command_of(key, &problem)?)
        }
        "poke" => {
            let mut place: Vec<f64> = numbers(rest)?;
            let (radius, height) = (place.pop()?, place.pop()?);
            What::Command(Command::Disturb { place, height, radius })
        }
        "draw" => {
            let numbers: Vec<f32> = numbers(rest)?;
            let (places, []) = numbers.as_chunks::<2>() else { return None };
            What::Draw(places.to_vec())
        }
        _ => return None,
    };
    Some(Deed { step: step.parse().ok()?, what })
}

/// Finite numbers.
fn numbers<T: std::str::FromStr + Into<f64> + Copy>(text: &str) -> Option<Vec<T>> {
    text.split(BETWEEN)
        .map(|number| number.parse().ok().filter(|&number: &T| number.into().is_finite()))
        .collect()
}

#[cfg(test)]
mod tests {
    use sketchpde::problem::{Preset, Update};

    use super::*;

    #[test]
    fn deeds_are_read_as_they_were_written() {
        let setup = Setup::preset(Preset::find("allen-cahn").expect("a preset"));
        for what in [
            What::Command(Command::SetColumns(150)),
            What::Command(Command::SetRcond(1.25e-7)),
            What::Command(Command::SetTolerance(None)),
            What::Command(Command::SetTolerance(Some(1e-6))),
            What::Command(Command::SetUpdate(Update::Dense)),
            What::Command(Command::SetParameter { name: "eps".into(), value: 0.1 / 3.0 }),
            What::Command(Command::Disturb { place: vec![0.1], height: -1.0 / 7.0, radius: 0.3 }),
            What::Draw(vec![[0.1, -0.5], [1e-7, 3.0]]),
        ] {
            let deed = Deed { step: 17, what };
            let text = to_text(&deed).expect("a deed");
            assert_eq!(from_text(&text, &setup), Some(deed), "{text}");
        }
        assert_eq!(to_text(&Deed { step: 1, what: What::Command(Command::Play) }), None);
    }

    #[test]
    fn what_is_no_deed_is_refused() {
        let setup = Setup::preset(Preset::find("allen-cahn").expect("a preset"));
        for text in [
            "",
            "1",
            "1~poke",
            "-1~poke~0~1~2",
            "1~poke~0",
            "1~poke~nan~1~2",
            "1~draw~1~2~3",
            "1~draw~1~inf",
            "1~set~method.columns=1e9",
            "1~set~network.width=3",
            "1~dance~2",
        ] {
            assert_eq!(from_text(text, &setup), None, "{text}");
        }
    }
}
