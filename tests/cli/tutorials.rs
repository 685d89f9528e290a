//! The tutorials of the book, done as their readers would: their files are written, their commands
//! are typed, and what they say of the results is held against these.

use std::path::{Path, PathBuf};

use crate::support::{Place, Ran};

/// What one meets in a page, in order.
#[derive(Debug, PartialEq)]
enum Part<'a> {
    File { name: &'a str, text: &'a str },
    Commands(&'a str),
    Claim(Claim<'a>),
}

/// `<!-- DIR KEY < NUMBER -->`: of a number in a folder's `result.json`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Claim<'a> {
    folder: &'a str,
    key: &'a str,
    below: bool,
    bound: f64,
}

fn claim(line: &str) -> Option<Claim<'_>> {
    let words: Vec<&str> =
        line.strip_prefix("<!-- ")?.strip_suffix(" -->")?.split_whitespace().collect();
    let [folder, key, sign, bound] = words[..] else { panic!("no claim: {line}") };
    let bound = bound.parse().unwrap_or_else(|_| panic!("no number: {line}"));
    assert!(["<", ">"].contains(&sign), "{line}");
    Some(Claim { folder, key, below: sign == "<", bound })
}

/// Blocks of commands (`sh`), and blocks whose first line is `# NAME` of a file.
fn parts(page: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for (number, piece) in page.split("\n```").enumerate() {
        if number % 2 == 0 {
            parts.extend(piece.lines().filter_map(claim).map(Part::Claim));
            continue;
        }
        let (language, text) = piece.split_once('\n').expect("a block has a line");
        let name = text.lines().next().and_then(|line| line.strip_prefix("# "));
        match (language, name) {
            ("sh", _) => parts.push(Part::Commands(text)),
            (_, Some(name)) => parts.push(Part::File { name, text }),
            _ => panic!("a block that nothing is done with: {text}"),
        }
    }
    parts
}

/// Files of the run that the text names, in backquotes.
fn named(page: &str) -> impl Iterator<Item = &str> {
    page.split('`')
        .filter(|piece| piece.starts_with("out/") && !piece.contains(char::is_whitespace))
}

impl Claim<'_> {
    #[track_caller]
    fn check(&self, place: &Place) {
        let text = place.read(&format!("{}/result.json", self.folder));
        let result: serde_json::Value = serde_json::from_slice(&text).expect("a result");
        let value = result[self.key].as_f64();
        let holds = value.is_some_and(|value| (value < self.bound) == self.below);
        assert!(holds, "{self:?} is {value:?}");
    }
}

/// Runs a page from its beginning to its end.
fn run(name: &str, page: &str) {
    let place = Place::new(&format!("tutorial-{name}"));
    let program = Path::new(env!("CARGO_BIN_EXE_sketchpde")).parent().expect("a folder");
    let path = std::env::var_os("PATH").expect("a path");
    let folders = std::iter::once(PathBuf::from(program)).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(folders).expect("folders");
    let mut commands = 0;
    for part in parts(page) {
        match part {
            Part::File { name, text } => place.write(name, text),
            Part::Commands(text) => {
                commands += 1;
                Ran::of(place.shell_script(text).env("PATH", &path)).expect(0);
            }
            Part::Claim(claim) => claim.check(&place),
        }
    }
    assert!(commands > 0, "nothing was run");
    for file in named(page) {
        assert!(place.path(file).exists(), "{file} is not there");
    }
}

macro_rules! tutorials {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name), include_str!(concat!("../../docs/src/tutorials/", stringify!($name), ".md")));
        })*
    };
}

tutorials!(front, predators, pipe, layer);

#[test]
fn pages_are_read_and_false_claims_are_found() {
    let page =
        "Text\n\n```toml\n# a.toml\nx = 1\n```\n\n```sh\nls\n```\n<!-- out/a loss < 1e-3 -->\n";
    let claim = Claim { folder: "out/a", key: "loss", below: true, bound: 1e-3 };
    let expected = [
        Part::File { name: "a.toml", text: "# a.toml\nx = 1" },
        Part::Commands("ls"),
        Part::Claim(claim),
    ];
    assert_eq!(parts(page), expected);
    let place = Place::new("tutorial-claims");
    std::fs::create_dir_all(place.path("out/a")).expect("creates");
    place.write("out/a/result.json", "{\"loss\": 1e-2}");
    assert!(std::panic::catch_unwind(|| claim.check(&place)).is_err());
    Claim { below: false, ..claim }.check(&place);
}
