//! Problem files: TOML text and overrides to a checked [`Problem`].
//!
//! `document` reads TOML into a tree with places, `reader` takes typed settings out of it,
//! `symbols` collects the names, `sections` reads section by section, `checks` looks for
//! contradictions between them, `print` turns a tree back into text.

mod checks;
mod document;
mod escapes;
mod print;
mod reader;
mod sections;
mod settings;
mod symbols;
mod variants;

use document::{Place, Sources, Table};
use reader::{Reader, Section};

use super::{Issue, Overrides, Problem, ProblemErrors, SettingIssue};

pub(super) use variants::{select, variants};

/// Mistakes that are reported; a file with more is not worth listing further.
const MAX_ERRORS: usize = 100;

pub(super) fn load(text: &str, overrides: &Overrides) -> Result<Problem, ProblemErrors> {
    let sources = Sources::new(text, overrides);
    let mut root = document::parse(text).map_err(|issues| collect(&sources, issues))?;
    if overrides.is_empty() {
        variants::check(&root, &sources).map_err(|issues| collect(&sources, issues))?;
        let problem = read(&root, &sources).map_err(|issues| collect(&sources, issues))?;
        return Ok(Problem { source: text.to_owned(), ..problem });
    }
    let mut issues = Vec::new();
    document::apply(&mut root, overrides, &mut issues);
    let mut problem = match read(&root, &sources) {
        Ok(problem) if issues.is_empty() => problem,
        Ok(_) => return Err(collect(&sources, issues)),
        Err(more) => return Err(collect(&sources, issues.into_iter().chain(more))),
    };
    // The overrides may be what a variant stands on, or the opposite: the resolved file has none.
    root.remove("variants");
    problem.source = print::print(&root);
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
fn read(root: &Table, sources: &Sources<'_>) -> Result<Problem, Vec<(Place, Issue)>> {
    let mut reader = Reader { sources, issues: Vec::new() };
    let mut top = Section::root(root);
    let problem = sections::problem(&mut reader, root, &mut top);
    reader.finish(top);
    match problem {
        Some((problem, places)) if reader.issues.is_empty() => {
            checks::consistency(&problem, &places, &mut reader);
            if reader.issues.is_empty() { Ok(problem) } else { Err(reader.issues) }
        }
        _ => Err(reader.issues),
    }
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
