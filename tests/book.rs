//! The book says what the program does: its tables of keys against the checks of problem files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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
    let sections = [
        "",
        "tables.NAME",
        "equation",
        "time",
        "network",
        "points",
        "fit",
        "method",
        "reference",
        "run",
    ];
    compare("Evolutions", EVOLUTION, &sections);
}

#[test]
fn every_key_of_whole_domain_problems_is_in_the_book_and_no_other() {
    let sections =
        ["", "shapes.NAME", "residual.interior", "evaluation", "network", "method", "run"];
    compare("Whole domains", WHOLE_DOMAIN, &sections);
}

/// Every page, with the folder that its links begin in.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// Files that a page links to and that are not there.
fn dead_links(page: &Path, text: &str) -> Vec<String> {
    let folder = page.parent().expect("a folder");
    let links = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    let files = links.filter_map(|link| link.split('#').next()).filter(|link| {
        let elsewhere = ["https://", "http://"].iter().any(|scheme| link.starts_with(scheme));
        !link.is_empty() && !elsewhere && !link.contains(char::is_whitespace)
    });
    files.filter(|file| !folder.join(file).exists()).map(str::to_owned).collect()
}

#[test]
fn every_link_of_the_book_leads_to_a_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    pages(&root.join("docs/src"), &mut all);
    assert!(all.len() > 20, "{all:?}");
    for page in &all {
        let text = std::fs::read_to_string(page).expect("a page");
        assert_eq!(dead_links(page, &text), [""; 0], "{}", page.display());
    }
    let planted = "[a](methods.md#x) [b](nowhere.md) [c](https://example.org) [d](#x)";
    assert_eq!(dead_links(&root.join("docs/src/trust.md"), planted), ["nowhere.md"]);
    // Every page is in the table of contents.
    let contents = include_str!("../docs/src/SUMMARY.md");
    for page in all.iter().skip(2).filter(|page| !page.ends_with("SUMMARY.md")) {
        let name = page.strip_prefix(root.join("docs/src")).expect("a page of the book");
        assert!(contents.contains(&format!("({})", name.display())), "{}", name.display());
    }
}
