//! The tests' campaigns at full length: many mutants of files, kills, pairs of runs, failures of the disk.

use std::process::Command;

use crate::steps::{Steps, run};

/// A campaign: what it does, the target and the words that choose its tests, and how much it does.
type Campaign =
    (&'static str, &'static [&'static str], &'static str, Option<(&'static str, &'static str)>);

const CAMPAIGNS: [Campaign; 7] = [
    (
        "1,000 changes of every kind of file",
        &["--test", "hostile"],
        "",
        Some(("SKETCHPDE_CASES", "1000")),
    ),
    (
        "1,000 changes of links and messages",
        &["--package", "sketchpde-native", "--test", "hostile"],
        "",
        Some(("SKETCHPDE_CASES", "1000")),
    ),
    ("100 kills", &["--test", "cli"], "killed_at_any_moment", Some(("SKETCHPDE_KILLS", "100"))),
    (
        "40 pairs of runs at once",
        &["--test", "cli"],
        "two_runs_at_once",
        Some(("SKETCHPDE_PAIRS", "40")),
    ),
    ("a full disk at six sizes", &["--test", "cli"], "a_full_disk", None),
    (
        "every change of the disk fails once",
        &["--test", "cli"],
        "every_change_of_the_disk",
        Some(("SKETCHPDE_DISK_STRIDE", "1")),
    ),
    (
        "the errors that all presets state",
        &["--test", "cli"],
        "presets_know_their_errors",
        Some(("SKETCHPDE_PRESETS", "120")),
    ),
];

/// Runs all of them, whichever fail, and prints a summary; an hour or so. With `words` those alone
/// whose description holds them.
pub fn campaigns(cargo: impl Fn(&str) -> Command, words: Option<&str>) -> Result<(), String> {
    let mut steps = Steps::default();
    for (name, target, tests, amount) in CAMPAIGNS {
        if words.is_some_and(|words| !name.contains(words)) {
            continue;
        }
        steps.step(name, || {
            let mut command = cargo("test");
            command.args(["--locked", "--release"]).args(target).arg("--");
            if !tests.is_empty() {
                command.arg(tests);
            }
            if let Some((variable, value)) = amount {
                command.env(variable, value);
            }
            run(command.arg("--nocapture"))
        });
    }
    steps.result()
}
