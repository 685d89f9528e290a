//! Sweeps: over values and seeds, in shares, through a scheduler.

use crate::support::{Place, Ran};

const SWEEP: [&str; 10] = [
    "sweep",
    "heat.toml",
    "--over",
    "kappa=0.5:2:log:3",
    "--over",
    "time.end=0.02",
    "--seeds",
    "2",
    "--out",
    "sweep",
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&SWEEP[..], more].concat()
}

#[test]
fn a_sweep_in_shares_is_gathered_and_nothing_is_done_twice() {
    let place = Place::new("sweep");
    let all = place.run(&with(&["--dry-run"])).expect(0).stdout;
    let keys: Vec<&str> = all.lines().collect();
    assert_eq!(keys.len(), 6);
    assert_eq!(keys[3], "kappa=1.0+time.end=0.02+seed1");
    let share = place.run(&with(&["--shard", "2/2", "--dry-run"])).expect(0).stdout;
    assert_eq!(share.lines().collect::<Vec<_>>(), [keys[1], keys[3], keys[5]]);

    let half = place.run(&with(&["--shard", "1/2", "--json"])).expect(0).json();
    let states = |report: &serde_json::Value| -> Vec<String> {
        let runs = report["runs"].as_array().expect("runs").iter();
        runs.map(|run| run["state"].as_str().expect("a state").to_owned()).collect()
    };
    assert_eq!(states(&half), ["done", "open", "done", "open", "done", "open"]);
    let gathered = place.run(&with(&["--collect", "--json"])).expect(0).json();
    assert_eq!(gathered, half);
    let whole = place.run(&with(&["--json"])).expect(0).complains(&["3 of 6 runs"]).json();
    assert_eq!(states(&whole), ["done"; 6]);
    // Heat decays as exp(-kappa t): each run is of its own kappa.
    for run in whole["runs"].as_array().expect("runs") {
        assert!(run["relative_l2"].as_f64().is_some_and(|error| error < 1e-3), "{run}");
        let folder = run["folder"].as_str().expect("a folder");
        let text = String::from_utf8(place.read(&format!("{folder}/problem.toml"))).expect("text");
        let kappa = run["settings"]["kappa"].as_str().expect("a value").parse::<f64>();
        let stated = text.lines().find_map(|line| line.strip_prefix("kappa = "));
        assert_eq!(stated.map(str::parse::<f64>), Some(kappa), "{text}");
    }
    let table = String::from_utf8(place.read("sweep/sweep.csv")).expect("text");
    assert!(table.starts_with("kappa,time.end,seed,state,relative_l2,"), "{table}");
    assert_eq!(table.lines().count(), 7);
    place.run(&SWEEP).expect(0).complains(&["0 of 6 runs"]);
}

#[test]
fn a_run_that_fails_does_not_stop_the_rest() {
    let place = Place::new("sweep-failure");
    let over = ["--over", "fit.accept=1e-15,0.01", "--over", "time.end=0.02", "--jobs", "1"];
    let arguments = [&["sweep", "heat.toml", "--out", "sweep", "--json"], &over[..]].concat();
    let ran = place.run(&arguments).expect(1).complains(&["fit.accept=1e-15", "tries it again"]);
    let report = ran.json();
    assert_eq!(report["runs"][0]["state"], "failed");
    assert_eq!(report["runs"][1]["state"], "done");
}

#[test]
fn mistakes_are_told_before_anything_runs() {
    let place = Place::new("sweep-mistakes");
    let sweep = |over: &str| place.run(&["sweep", "heat.toml", "--over", over, "--out", "sweep"]);
    sweep("kapa=1,2").expect(2).complains(&["no parameter kapa", "kappa"]);
    sweep("kappa=1:2:cubic:3").expect(2).complains(&["neither lin nor log"]);
    assert!(!place.path("sweep").exists());
}

#[cfg(unix)]
#[test]
fn slurm_gets_an_array_whose_tasks_are_the_shares() {
    let place = Place::new("sweep-slurm");
    let slurm = with(&["--slurm", "2", "--sbatch=--time=0:05:00"]);
    let script = place.run(&with(&["--slurm", "2", "--dry-run"])).expect(0).stdout;
    let lines: Vec<&str> = script.lines().collect();
    let folder = std::fs::canonicalize(place.path("")).expect("there").display().to_string();
    assert_eq!(lines[0], "#!/bin/sh");
    assert_eq!(lines[1], "#SBATCH --job-name=sketchpde-sweep");
    assert_eq!(lines[2], "#SBATCH --array=1-2");
    assert!(lines[3].starts_with("#SBATCH --output=/") && lines[3].ends_with("-%A-%a.log"));
    let command = lines[4].strip_prefix("exec ").expect("a command");
    for part in [
        &format!("sweep {folder}/heat.toml "),
        "--over kappa=0.5:2:log:3 --over time.end=0.02 --seeds 2 --backend cpu",
        "--jobs \"${SLURM_CPUS_PER_TASK:-1}\" --shard \"$SLURM_ARRAY_TASK_ID/2\"",
    ] {
        assert!(command.contains(part), "no {part} in {command}");
    }
    assert_eq!(lines.len(), 5);

    let mut without = place.command(&slurm);
    Ran::of(without.env("PATH", place.path("bin")))
        .expect(1)
        .complains(&["sbatch", "sweep.sbatch"]);
    let submitted = place.run_with_sbatch(&slurm).expect(0);
    assert!(submitted.stdout.contains("Submitted batch job 7"), "{}", submitted.stdout);
    let report = place.run(&with(&["--collect", "--json"])).expect(0).json();
    let runs = report["runs"].as_array().expect("runs");
    assert!(runs.iter().all(|run| run["state"] == "done"), "{report}");
}
