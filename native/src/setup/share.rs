//! A setup as the fragment of a link, and back.
//!
//! ```text
//! v1&preset=allen-cahn&set=method.columns%3D150&set=run.seed%3D3
//! v1&file=format%20%3D%201...&set=...
//! ```
//!
//! A link carries what differs from the preset, method and seed included. It may come from
//! anybody: its length, its number of changes and the size of what it asks for are bounded, and
//! the problem in it is checked as any typed one is.

use std::fmt::Write;

use sketchpde::network::Network;
use sketchpde::problem::{Preset, Problem, ProblemErrors};
use sketchpde::session::total_points;

use super::{Base, Setup, in_words};

/// The first word of the links that this version writes and reads.
const VERSION: &str = "v1";
const LONGEST: usize = 32 << 10;
const MOST_CHANGES: usize = 64;
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

/// The fragment for a setup, without `#`.
#[must_use]
pub fn to_fragment(setup: &Setup) -> String {
    let mut fragment = String::from(VERSION);
    match setup.base() {
        Base::Preset(preset) => push(&mut fragment, "preset", preset.name),
        Base::File(text) => push(&mut fragment, "file", text),
    }
    for (key, value) in setup.changes() {
        push(&mut fragment, "set", &format!("{key}={value}"));
    }
    fragment
}

/// The setup that a fragment, with or without `#`, describes.
///
/// # Errors
/// [`ShareError`]; nothing of a wrong link is kept.
pub fn from_fragment(fragment: &str) -> Result<Setup, ShareError> {
    let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
    if fragment.len() > LONGEST {
        return Err(ShareError::TooLong { limit: LONGEST });
    }
    let mut parts = fragment.split('&');
    let version = parts.next().unwrap_or_default();
    if version != VERSION {
        return Err(ShareError::Version { found: shortened(version) });
    }
    let setup = collect(parts)?;
    let problem = setup.problem().map_err(ShareError::Problem)?;
    check_size(&problem)?;
    Ok(setup)
}

fn collect<'a>(parts: impl Iterator<Item = &'a str>) -> Result<Setup, ShareError> {
    let mut setup: Option<Setup> = None;
    for (index, part) in parts.enumerate() {
        // The first part says where the setup begins.
        if index > MOST_CHANGES {
            return Err(ShareError::TooManyChanges { limit: MOST_CHANGES });
        }
        let damaged = || ShareError::Damaged { part: shortened(part) };
        let (name, value) = part.split_once('=').ok_or_else(damaged)?;
        let value = decode(value).ok_or_else(damaged)?;
        match (name, &mut setup) {
            ("preset", None) => {
                setup = Some(Setup::preset(Preset::find(&value).map_err(ShareError::Problem)?));
            }
            ("file", None) => setup = Some(Setup::file(value)),
            ("set", Some(setup)) => {
                let (key, value) = value.split_once('=').ok_or_else(damaged)?;
                setup.change(key, value);
            }
            _ => return Err(damaged()),
        }
    }
    setup.ok_or(ShareError::Damaged { part: String::new() })
}

fn check_size(problem: &Problem) -> Result<(), ShareError> {
    let points = total_points(problem);
    let parameters = Network::of(problem).parameters();
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
