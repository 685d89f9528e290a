//! Problem files: TOML text and overrides to a checked [`Problem`].
//!
//! `document` reads TOML into a tree with places, `embed` puts the numbers of other files in place of
//! their names, `reader` takes typed settings out of it,
//! `symbols` collects the names, `sections` reads section by section, `checks` looks for
//! contradictions between them, `print` turns a tree back into text. The same for residual
//! problems in `residual` and its companions.

mod checks;
mod companion;
mod document;
mod embed;
mod escapes;
mod exact_check;
mod measured;
mod print;
mod reader;
mod residual;
mod residual_block;
mod residual_checks;
mod residual_settings;
mod sections;
mod settings;
mod shape;
mod sides;
mod sought;
mod symbols;
mod tables;
mod variants;

use document::{Place, Sources, Table};
use reader::{Reader, Section};

use super::residual::ResidualIssue;
use super::{
    Issue, Overrides, Problem, ProblemErrors, ProblemFile, ReadFile, ResidualProblem, SettingIssue,
};

pub(super) use variants::{select, variants};

/// What a file states: the blocks of a residual problem tell it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Evolution,
    Residual,
}

impl Family {
    fn of(root: &Table) -> Self {
        if root.get("residual").is_some() { Self::Residual } else { Self::Evolution }
    }
}

impl ProblemFile {
    /// The evolution problem that was asked for.
    pub(super) fn evolution(self, text: &str) -> Result<Problem, ProblemErrors> {
        match self {
            Self::Evolution(problem) => Ok(problem),
            Self::Residual(_) => Err(other_family(text, "residual", "an evolution problem")),
        }
    }

    /// The residual problem that was asked for.
    pub(super) fn residual(self, text: &str) -> Result<ResidualProblem, ProblemErrors> {
        match self {
            Self::Residual(problem) => Ok(problem),
            Self::Evolution(_) => Err(other_family(text, "equation", "a residual problem")),
        }
    }

    fn set_source(&mut self, source: String) {
        match self {
            Self::Evolution(problem) => problem.source = source,
            Self::Residual(problem) => problem.source = source,
        }
    }
}

/// For what shows one unknown alone.
pub(super) fn alone(unknowns: &[String], text: &str) -> Result<(), ProblemErrors> {
    if unknowns.len() == 1 {
        return Ok(());
    }
    let sources = Sources::new(text, &Overrides::new());
    let issue = SettingIssue::SeveralUnknowns { unknowns: unknowns.len() };
    Err(collect(&sources, [(Place::File(0, 0), issue.into())]))
}

fn other_family(text: &str, section: &str, wanted: &'static str) -> ProblemErrors {
    let sources = Sources::new(text, &Overrides::new());
    let root = document::parse(text).unwrap_or_default();
    let entry = root.entries.iter().find(|entry| entry.key == section);
    let place = entry.map_or(Place::File(0, 0), |entry| entry.key_place.clone());
    collect(&sources, [(place, ResidualIssue::OtherFamily { wanted }.into())])
}

/// Mistakes that are reported; a file with more is not worth listing further.
const MAX_ERRORS: usize = 100;

pub(super) fn load(
    text: &str,
    overrides: &Overrides,
    files: Option<ReadFile<'_>>,
) -> Result<ProblemFile, ProblemErrors> {
    let sources = Sources::new(text, overrides);
    let mut root = document::parse(text).map_err(|issues| collect(&sources, issues))?;
    let mut issues = Vec::new();
    document::apply(&mut root, overrides, &mut issues);
    if overrides.is_empty() {
        variants::check(&root, &sources, files).map_err(|issues| collect(&sources, issues))?;
    }
    let embedded = embed::embed(&mut root, files, &mut issues);
    let mut problem = match read(&root, &sources) {
        Ok(problem) if issues.is_empty() => problem,
        Ok(_) => return Err(collect(&sources, issues)),
        Err(more) => return Err(collect(&sources, issues.into_iter().chain(more))),
    };
    if overrides.is_empty() && !embedded {
        problem.set_source(text.to_owned());
        return Ok(problem);
    }
    // The overrides may be what a variant stands on, or the opposite, and a variant may name another
    // file: the resolved file has none.
    root.remove("variants");
    problem.set_source(print::print(&root));
    Ok(problem)
}

/// The text of a file, or where it stops being UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, ProblemErrors> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let sources = Sources { file: &valid, overrides: Vec::new() };
        let place = Place::File(valid.len(), valid.len());
        collect(&sources, [(place, SettingIssue::NotText.into())])
    })
}

/// The problem of a document, without its source.
fn read(root: &Table, sources: &Sources<'_>) -> Result<ProblemFile, Vec<(Place, Issue)>> {
    let mut reader = Reader { sources, issues: Vec::new() };
    let mut top = Section::root(root);
    let problem = match Family::of(root) {
        Family::Evolution => {
            let problem = sections::problem(&mut reader, root, &mut top);
            reader.finish(top);
            checked(problem, &mut reader, checks::consistency).map(ProblemFile::Evolution)
        }
        Family::Residual => {
            let problem = residual::problem(&mut reader, root, &mut top);
            reader.finish(top);
            checked(problem, &mut reader, residual_checks::consistency).map(ProblemFile::Residual)
        }
    };
    match problem {
        Some(problem) if reader.issues.is_empty() => Ok(problem),
        _ => Err(reader.issues),
    }
}

/// Contradictions are looked for only where everything else is right.
fn checked<P, Q>(
    read: Option<(P, Q)>,
    reader: &mut Reader<'_>,
    check: fn(&P, &Q, &mut Reader<'_>),
) -> Option<P> {
    let (problem, places) = read?;
    if reader.issues.is_empty() {
        check(&problem, &places, reader);
    }
    Some(problem)
}

fn collect(
    sources: &Sources<'_>,
    issues: impl IntoIterator<Item = (Place, Issue)>,
) -> ProblemErrors {
    let mut issues: Vec<(Place, Issue)> = issues.into_iter().collect();
    issues.sort_by(|(a, _), (b, _)| a.cmp(b));
    issues.dedup();
    let located = issues.into_iter().take(MAX_ERRORS);
    ProblemErrors { errors: located.map(|(place, issue)| sources.error(&place, issue)).collect() }
}
