//! What a link opens, as its fragment, and back.
//!
//! ```text
//! v1&preset=allen-cahn&set=method.columns%3D150&set=run.seed%3D3&at=12~poke~0.4~1.5~0.2
//! v1&file=format%20%3D%201...&set=...
//! ```
//!
//! A link carries what differs from the preset, method and seed included, and what was done to the
//! run along the way, by the number of steps it had taken: with the same backend the run comes to
//! the same state again. It may come from anybody: its length, its number of changes and the size of
//! what it asks for are bounded, and the problem in it is checked as any typed one is.

use std::fmt::Write;

use sketchpde::network::Network;
use sketchpde::problem::residual::{SampleLayout, SampleSettings};
use sketchpde::problem::{Overrides, Preset, ProblemErrors, ResidualProblem};
use sketchpde::session::total_points;

use super::deeds::setting;
use super::{Base, Setup, TrainingSetup, deeds, in_words, replace};
use crate::link::Deed;

/// The first word of the links that this version writes and reads.
const VERSION: &str = "v1";
const LONGEST: usize = 32 << 10;
const MOST_CHANGES: usize = 64;
/// Of what was done along the way.
const MOST_DEEDS: usize = 256;
/// Entries of the Jacobian (points times parameters) that a link may ask for.
const MOST_ENTRIES: usize = 1 << 25;

/// Why a link cannot be followed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ShareError {
    #[error("the link is longer than {limit} characters")]
    TooLong { limit: usize },
    #[error("the link is of version {found}, this program reads {VERSION}: copy a new one")]
    Version { found: String },
    #[error("the link is damaged at '{part}': copy it again, in full")]
    Damaged { part: String },
    #[error("the link makes more than {limit} changes")]
    TooManyChanges { limit: usize },
    #[error(
        "the link asks for {points} points and {parameters} parameters, more than a page can \
             carry: use the command line for this one"
    )]
    TooLarge { points: usize, parameters: usize },
    #[error("it does not describe a problem: {}", in_words(.0))]
    Problem(ProblemErrors),
}

/// A run: how it began and what was done to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    pub setup: Setup,
    pub deeds: Vec<Deed>,
}

impl From<Setup> for Story {
    fn from(setup: Setup) -> Self {
        Self { setup, deeds: Vec::new() }
    }
}

/// What a link or a file opens.
#[derive(Clone, Debug, PartialEq)]
pub enum Opening {
    Run(Story),
    /// A training over a whole domain.
    Training(TrainingSetup),
}

impl Opening {
    /// A file as it stands, whichever kind of problem it states.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn of(base: Base) -> Result<Self, ProblemErrors> {
        let training = TrainingSetup::new(base, Overrides::new());
        if training.is_one() {
            return training.problem().map(|_| Self::Training(training));
        }
        let setup = training.into_run();
        setup.problem().map(|_| Self::Run(setup.into()))
    }
}

/// The fragment for a run, without `#`.
#[must_use]
pub fn to_fragment(story: &Story) -> String {
    let mut setup = story.setup.clone();
    let mut deeds = story.deeds.as_slice();
    // A setting that was changed before the first step is a part of the setup.
    while let [first, rest @ ..] = deeds
        && first.step == 0
        && let Some((key, value)) = setting(&first.what)
    {
        setup.change(&key, value);
        deeds = rest;
    }
    let mut fragment = fragment_of(&setup.base, &setup.changes);
    for deed in deeds {
        if let Some(text) = deeds::to_text(deed) {
            push(&mut fragment, "at", &text);
        }
    }
    fragment
}

/// The fragment for a training, without `#`.
#[must_use]
pub fn training_to_fragment(setup: &TrainingSetup) -> String {
    fragment_of(setup.base(), setup.changes())
}

/// Whether a program takes a link as long as this.
#[must_use]
pub fn is_short_enough(fragment: &str) -> bool {
    fragment.len() <= LONGEST && fragment.matches("&at=").count() <= MOST_DEEDS
}

fn fragment_of(base: &Base, changes: &Overrides) -> String {
    let mut fragment = String::from(VERSION);
    match base {
        Base::Preset(preset) => push(&mut fragment, "preset", preset.name),
        Base::File(text) => push(&mut fragment, "file", text),
    }
    for (key, value) in changes {
        push(&mut fragment, "set", &format!("{key}={value}"));
    }
    fragment
}

/// What a fragment, with or without `#`, describes.
///
/// # Errors
/// [`ShareError`]; nothing of a wrong link is kept.
pub fn from_fragment(fragment: &str) -> Result<Opening, ShareError> {
    let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
    if fragment.len() > LONGEST {
        return Err(ShareError::TooLong { limit: LONGEST });
    }
    from_own_fragment(fragment)
}

/// As [`from_fragment`], of any length: a checkpoint holds its own link.
///
/// # Errors
/// [`ShareError`].
pub fn from_own_fragment(fragment: &str) -> Result<Opening, ShareError> {
    let mut parts = fragment.split('&');
    let version = parts.next().unwrap_or_default();
    if version != VERSION {
        return Err(ShareError::Version { found: shortened(version) });
    }
    let Parts { base, changes, deeds } = collect(parts)?;
    let training = TrainingSetup::new(base, changes);
    if training.is_one() {
        let problem = training.problem().map_err(ShareError::Problem)?;
        check_size(most_points(&problem), Network::of_residual(&problem).parameters())?;
        return Ok(Opening::Training(training));
    }
    let setup = training.into_run();
    let problem = setup.problem().map_err(ShareError::Problem)?;
    check_size(total_points(&problem), Network::of(&problem).parameters())?;
    let deeds: Result<Vec<Deed>, ShareError> = deeds
        .iter()
        .map(|text| {
            let damaged = || ShareError::Damaged { part: shortened(text) };
            deeds::from_text(text, &setup).ok_or_else(damaged)
        })
        .collect();
    let mut deeds = deeds?;
    deeds.sort_by_key(|deed| deed.step);
    Ok(Opening::Run(Story { setup, deeds }))
}

/// A link, taken apart.
struct Parts {
    base: Base,
    changes: Overrides,
    deeds: Vec<String>,
}

fn collect<'a>(parts: impl Iterator<Item = &'a str>) -> Result<Parts, ShareError> {
    let (mut base, mut changes, mut deeds) = (None, Overrides::new(), Vec::new());
    for part in parts {
        let damaged = || ShareError::Damaged { part: shortened(part) };
        let (name, value) = part.split_once('=').ok_or_else(damaged)?;
        let value = decode(value).ok_or_else(damaged)?;
        match (name, &base) {
            ("preset", None) => {
                base = Some(Base::Preset(Preset::find(&value).map_err(ShareError::Problem)?));
            }
            ("file", None) => base = Some(Base::File(value)),
            ("set", Some(_)) if changes.len() == MOST_CHANGES => {
                return Err(ShareError::TooManyChanges { limit: MOST_CHANGES });
            }
            ("set", Some(_)) => {
                let (key, value) = value.split_once('=').ok_or_else(damaged)?;
                replace(&mut changes, key, value);
            }
            ("at", Some(_)) if deeds.len() == MOST_DEEDS => {
                return Err(ShareError::TooManyChanges { limit: MOST_DEEDS });
            }
            ("at", Some(_)) => deeds.push(value),
            _ => return Err(damaged()),
        }
    }
    let base = base.ok_or(ShareError::Damaged { part: String::new() })?;
    Ok(Parts { base, changes, deeds })
}

/// No fewer points than a training has: as if every grid filled the whole domain.
fn most_points(problem: &ResidualProblem) -> usize {
    let free = problem.axes.len() as u32;
    let of_block = |samples: &SampleSettings| match (samples.layout, samples.count.as_slice()) {
        (SampleLayout::Grid, [count]) => count.saturating_pow(free),
        (_, counts) => counts.iter().fold(1, |all: usize, &count| all.saturating_mul(count)),
    };
    let blocks = problem.blocks.iter().map(|block| of_block(&block.samples));
    blocks.fold(0, usize::saturating_add)
}

fn check_size(points: usize, parameters: usize) -> Result<(), ShareError> {
    if points.saturating_mul(parameters) > MOST_ENTRIES {
        return Err(ShareError::TooLarge { points, parameters });
    }
    Ok(())
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(24).collect()
}

fn push(fragment: &mut String, name: &str, value: &str) {
    let _ = write!(fragment, "&{name}=");
    for byte in value.bytes() {
        // The characters that RFC 3986 leaves unreserved need no escape.
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            fragment.push(byte.into());
        } else {
            let _ = write!(fragment, "%{byte:02X}");
        }
    }
}

/// Undoes the escapes; `None` where one is broken or the bytes are not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = str::from_utf8(digits).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
