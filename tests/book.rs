//! The book says what the program does: its tables of keys against the checks of problem files.

use std::collections::BTreeSet;

use sketchpde::problem::{Issue, SettingIssue};
use sketchpde::{Overrides, ProblemFile};

const EVOLUTION: &str = "format = 1\n[equation]\ntext = \"u_t = a*u_xx\"\n[domain]\n\
    x = { range = [0, 1] }\n[time]\nend = 1\n[initial]\nu = \"sin(2*pi*x)\"\n\
    [parameters]\na = { value = 0.1 }\n";
const WHOLE_DOMAIN: &str = "format = 1\n[domain]\nt = { range = [0, 1] }\n\
    x = { range = [0, 1] }\nshape = \"box - NAME\"\n[parameters]\na = { value = 0.1 }\n\
    [residual.interior]\nequation = \"u_t = a*u_xx\"\n";

/// The keys that the checks know in a section: they list them to who writes another one.
fn known(text: &str, section: &str) -> BTreeSet<String> {
    let key = if section.is_empty() { "zzz".to_owned() } else { format!("{section}.zzz") };
    let overrides: Overrides = vec![(key, "1".to_owned())];
    let errors = ProblemFile::from_bytes(text.as_bytes(), None, &overrides);
    let errors = errors.expect_err("no section has a key of this name").errors;
    let lists = errors.into_iter().filter_map(|error| match error.issue {
        Issue::Setting(SettingIssue::UnknownKey { key, known, .. }) if key == "zzz" => Some(known),
        _ => None,
    });
    lists.flatten().collect()
}

/// The keys of the table under a heading of the page: its first column, in backquotes.
fn documented(page: &str, heading: &str) -> BTreeSet<String> {
    let mut lines = page.lines().skip_while(|line| *line != heading);
    assert!(lines.next().is_some(), "the page has no heading {heading}");
    let table = lines.take_while(|line| !line.starts_with('#'));
    let cell = |line: &str| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned());
    table.filter_map(cell).collect()
}

fn compare(part: &str, text: &str, sections: &[&str]) {
    let page = include_str!("../docs/src/problem-file.md");
    let (_, page) = page.split_once(&format!("# {part}\n")).expect("the part");
    let page = page.split("\n# ").next().expect("a part");
    for section in sections {
        let heading = match *section {
            "" => "## The file itself".to_owned(),
            name => format!("## `[{}]`", name.replace("interior", "NAME")),
        };
        let (says, is) = (documented(page, &heading), known(text, section));
        assert!(!is.is_empty(), "{section} takes any key");
        assert_eq!(says, is, "{part}: {heading}");
    }
}

#[test]
fn every_key_of_evolutions_is_in_the_book_and_no_other() {
    let sections =
        ["", "equation", "time", "network", "points", "fit", "method", "reference", "run"];
    compare("Evolutions", EVOLUTION, &sections);
}

#[test]
fn every_key_of_whole_domain_problems_is_in_the_book_and_no_other() {
    let sections =
        ["", "shapes.NAME", "residual.interior", "evaluation", "network", "method", "run"];
    compare("Whole domains", WHOLE_DOMAIN, &sections);
}
