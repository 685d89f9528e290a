//! Studies: the tables and figures of papers, run again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Place, Ran};

/// Parts that have figures of their own name.
const DRAWN: [&str; 6] =
    ["figure2", "figure3", "figure4-columns", "figure4-parameters", "figure6", "figure8"];

#[test]
fn a_quick_study_leaves_tables_and_figures_and_is_not_repeated() {
    let place = Place::new("study");
    let arguments = ["reproduce", "rsng", "all", "--quick", "--out", "study", "--json"];
    let first = place.run(&arguments).expect(0);
    let reports = first.json();
    let reports = reports.as_array().expect("a list of parts");
    for report in reports {
        let part = report["part"].as_str().expect("a name");
        for ending in ["json", "csv", "md"] {
            assert!(place.path(&format!("study/{part}.{ending}")).exists(), "{part}.{ending}");
        }
        for row in report["rows"].as_array().expect("rows") {
            assert_eq!(row["failures"], serde_json::json!([]), "{row}");
            // Whatever ran follows its reference.
            if let Some(error) = row["relative_l2"]["median"].as_f64() {
                assert!(error < 2e-3, "{part}: {row}");
            }
        }
    }
    for part in DRAWN.into_iter().chain([
        "figure5",
        "figure7",
        "figure10",
        "figure11-1",
        "figure12-1",
        "figure13-1",
    ]) {
        let png = place.read(&format!("study/{part}.png"));
        assert!(png.starts_with(b"\x89PNG") && png.len() > 5_000, "{part}");
    }
    // What a table says is what the run's own folder says.
    let row = &reports[0]["rows"][1];
    let run = "study/runs/allen-cahn+published-fast+time.end=0.5+seed0/result.json";
    let result: serde_json::Value = serde_json::from_slice(&place.read(run)).expect("a result");
    assert_eq!(row["relative_l2"]["median"], result["relative_l2"]);
    assert_eq!(row["published"]["relative_l2"], serde_json::json!(5.34e-5));
    assert_eq!(row["verdict"], "", "short runs compare with nothing");

    let again = place.run(&arguments).expect(0).complains(&["0 of "]);
    assert_eq!(again.stdout, first.stdout);
    // A run that was of other settings is another run.
    place.write("study/runs/allen-cahn+published-fast+time.end=0.5+seed0/problem.toml", "");
    place.run(&arguments).expect(0).complains(&["1 of "]);
}

/// Its quick runs end early: that of an error is what the folder says, and goals judge full runs alone.
#[test]
fn the_benchmark_reports_what_it_measured_beside_its_goals() {
    let place = Place::new("benchmark");
    let ran = place.run(&["reproduce", "pinnacle", "--quick", "--out", "study", "--json"]);
    let reports = ran.expect(0).json();
    let rows = reports[0]["rows"].as_array().expect("rows").clone();
    let measured = rows.iter().filter(|row| row["runs"] == 1);
    let measured: Vec<_> = measured.map(|row| row["label"].as_str().expect("a label")).collect();
    assert_eq!(measured, ["Burgers1d", "Wave1d", "KS"]);
    let row = &rows[0];
    let run = "study/runs/pinnacle-burgers1d+time.end=0.1+seed0/result.json";
    let result: serde_json::Value = serde_json::from_slice(&place.read(run)).expect("a result");
    assert_eq!(row["relative_l2"]["median"], result["relative_l2"]);
    assert_eq!(row["estimated_error"]["median"], result["estimated_error"]);
    assert!(row["relative_l2"]["median"].as_f64().expect("an error") < 1e-5, "{row}");
    assert_eq!(row["goal"], serde_json::json!({ "bound": 1e-5, "aim": 1e-7 }));
    let table = String::from_utf8(place.read("study/forward.md")).expect("text");
    assert!(
        table.contains("| RUN | RELATIVE L2 | ESTIMATE | PUBLISHED | BOUND | AIM |"),
        "{table}"
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_study_goes_on() {
    use std::os::unix::process::CommandExt;
    let place = Place::new("study-interrupted");
    let arguments = ["reproduce", "rsng", "figure8", "--quick", "--jobs", "1", "--out", "study"];
    let mut command = place.command(&arguments);
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    let study = command.spawn().expect("starts");
    // The second run is under way: the first one's result must not be lost.
    let begun = |runs: &Path| std::fs::read_dir(runs).is_ok_and(|entries| entries.count() == 2);
    let start = Instant::now();
    while !begun(&place.path("study/runs")) {
        assert!(start.elapsed() < Duration::from_secs(120), "no second run came");
        std::thread::sleep(Duration::from_millis(10));
    }
    // As a terminal does: to the study and its runs.
    let sent = Command::new("kill").args(["-INT", "--", &format!("-{}", study.id())]).status();
    assert!(sent.expect("kill is there").success());
    Ran::from(study.wait_with_output().expect("ends"))
        .expect(130)
        .complains(&["interrupted", "reproduce rsng figure8 --quick"]);
    let ended = place.run(&arguments).expect(0).complains(&["1 of 2 runs are left"]);
    assert!(ended.stdout.contains("columns 400"), "{}", ended.stdout);
}

/// Two runs: one a share.
const SHARED: [&str; 6] = ["reproduce", "rsng", "figure8", "--quick", "--out", "study"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&SHARED[..], more].concat()
}

/// Verdicts and errors of the rows of the one part.
fn rows(report: &serde_json::Value) -> Vec<(String, bool)> {
    let rows = report[0]["rows"].as_array().expect("rows").iter();
    let row = |row: &serde_json::Value| {
        (row["verdict"].as_str().expect("text").to_owned(), row["relative_l2"].is_object())
    };
    rows.map(row).collect()
}

#[test]
fn a_study_in_shares_is_gathered_and_nothing_is_done_twice() {
    let place = Place::new("study-shares");
    let all = place.run(&with(&["--dry-run"])).expect(0).stdout;
    let keys: Vec<&str> = all.lines().collect();
    assert_eq!(keys.len(), 2, "{all}");
    let share = |share| place.run(&with(&["--shard", share, "--dry-run"])).expect(0).stdout;
    let mut both = [share("1/2"), share("2/2")].map(|keys| keys.trim().to_owned());
    both.sort_by_key(|key| keys.iter().position(|known| known == key));
    assert_eq!(both, keys[..]);
    assert!(!place.path("study").exists(), "nothing has run");

    let half = place.run(&with(&["--shard", "1/2", "--json"])).expect(0).json();
    let mut states = rows(&half);
    states.sort();
    assert_eq!(states, [(String::new(), true), ("open, 1 of 1".to_owned(), false)]);
    assert_eq!(place.run(&with(&["--collect", "--json"])).expect(0).json(), half);
    let other = place.run(&with(&["--shard", "2/2", "--json"])).expect(0).json();
    assert_eq!(rows(&other), [(String::new(), true), (String::new(), true)]);
    place.run(&SHARED).expect(0).complains(&["0 of 2 runs"]);
}

#[cfg(unix)]
#[test]
fn slurm_gets_a_study_as_an_array() {
    let place = Place::new("study-slurm");
    let slurm = with(&["--seeds", "1", "--slurm", "2", "--sbatch=--time=0:05:00"]);
    let script = place.run(&[&slurm[..], &["--dry-run"]].concat()).expect(0).stdout;
    let lines: Vec<&str> = script.lines().collect();
    let folder = std::fs::canonicalize(place.path("")).expect("there").display().to_string();
    let expected = [
        "#!/bin/sh",
        "#SBATCH --job-name=sketchpde-reproduce",
        "#SBATCH --array=1-2",
        &format!("#SBATCH --output={folder}/study/reproduce-%A-%a.log"),
        "#SBATCH --time=0:05:00",
    ];
    assert_eq!(lines[..5], expected);
    let command = format!(
        "reproduce rsng figure8 --quick --seeds 1 --backend cpu --out {folder}/study --quiet \
         --jobs \"${{SLURM_CPUS_PER_TASK:-1}}\" --shard \"$SLURM_ARRAY_TASK_ID/2\""
    );
    assert!(lines[5].starts_with("exec /") && lines[5].ends_with(&command), "{script}");
    assert_eq!(lines.len(), 6);
    let submitted = place.run_with_sbatch(&slurm).expect(0);
    assert!(submitted.stdout.contains("Submitted batch job 7"), "{}", submitted.stdout);
    let report = place.run(&with(&["--seeds", "1", "--collect", "--json"])).expect(0).json();
    assert_eq!(rows(&report), [(String::new(), true), (String::new(), true)]);
}

#[test]
fn studies_are_listed_and_mistakes_named() {
    let place = Place::new("studies");
    let list = place.run(&["reproduce"]).expect(0).stdout;
    assert!(list.contains("table1") && list.contains("heat-a1"), "{list}");
    place.run(&["reproduce", "rsgn"]).expect(2).complains(&["rsgn", "rsng, sngd, anagram"]);
    place.run(&["reproduce", "rsng", "table7"]).expect(2).complains(&["table7", "table1"]);
}
