//! What is done to a run, in words: settings by their keys, and everything as a part of a link.
//!
//! ```text
//! 37~set~method.columns=150       a setting, as in problem files
//! 12~poke~0.4~1.5~0.2             place, height and radius
//! 40~draw~0.1~0.5~0.2~0.6         x and u, point by point
//! ```
//!
//! First comes the number of steps that the run had taken.

use sketchpde::session::{Command, is_live};

use super::Setup;
use crate::link::{Deed, What};

/// Between the parts: a character that links need not escape.
const BETWEEN: char = '~';

/// The key and the value of a setting, as in problem files.
#[must_use]
pub fn setting(what: &What) -> Option<(String, String)> {
    match what {
        What::Command(Command::Set(changes)) => changes.first().cloned(),
        _ => None,
    }
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
            let (before, after) = (setup.problem().ok()?, setup.with(key, value).problem().ok()?);
            is_live(&before, &after).then(|| What::Command(Command::set(key, value)))?
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
    use sketchpde::problem::Preset;

    use super::*;

    #[test]
    fn deeds_are_read_as_they_were_written() {
        let setup = Setup::preset(Preset::find("allen-cahn").expect("a preset"));
        for what in [
            What::Command(Command::set("method.columns", "150")),
            What::Command(Command::set("method.rcond", "1.25e-7")),
            What::Command(Command::set("method.tolerance", "0")),
            What::Command(Command::set("method.update", "dense")),
            What::Command(Command::set("parameters.eps", "0.03333333333333333")),
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
