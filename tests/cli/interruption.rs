//! Ctrl-C, checkpoints, `--resume`, and the disk in between.

#![cfg(unix)]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sketchpde::output::{History, ResultFolder};

use super::support::{Place, Ran};

/// Enough steps to be interrupted in the middle.
const LONG: [&str; 8] = [
    "solve",
    "heat.toml",
    "--no-plots",
    "--set",
    "method.step=1e-4",
    "--checkpoint-every",
    "0.2",
    "--out",
];

fn long(place: &Place, out: &str, more: &[&str]) -> Command {
    place.command(&[&LONG[..], &[out], more].concat())
}

/// Runs it until there is a checkpoint, then presses Ctrl-C.
fn interrupt(command: &mut Command, place: &Place, out: &str) -> Ran {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let checkpoint = place.path(out).join("checkpoint.bin");
    let begun = Instant::now();
    while !checkpoint.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no checkpoint came");
        std::thread::sleep(Duration::from_millis(20));
    }
    signal(&child);
    Ran::from(child.wait_with_output().expect("ends"))
}

fn signal(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success(), "the run ended before it could be interrupted");
}

/// The history without the wall times, which are never the same twice.
fn history(place: &Place, out: &str) -> History {
    let mut history = ResultFolder::open(place.path(out)).read_history().expect("a history");
    for record in &mut history.records {
        record.wall_seconds = 0.0;
    }
    history
}

#[track_caller]
pub fn same_bits(place: &Place, a: &str, b: &str) {
    for name in ["fields.npz", "parameters.safetensors"] {
        let file = |out: &str| place.read(&format!("{out}/{name}"));
        assert!(file(a) == file(b), "{name} differs");
    }
    assert_eq!(history(place, a), history(place, b));
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_bits_through_every_mishap() {
    let place = Place::new("resume");
    Ran::of(&mut long(&place, "unbroken", &[])).expect(0);
    interrupt(&mut long(&place, "broken", &[]), &place, "broken")
        .expect(130)
        .complains(&["interrupted", "--out broken --resume"]);
    let checkpoint = place.read("broken/checkpoint.bin");

    // Another configuration is refused, with what differs.
    let other = ["--resume", "--set", "method.columns=30"];
    Ran::of(&mut long(&place, "broken", &other)).expect(1).complains(&[
        "other settings",
        "columns = 50",
        "columns = 30",
    ]);

    // No room for the results: the program ends with an error, and with everything still there.
    let limit = "trap '' XFSZ; ulimit -f 8";
    let arguments = [&LONG[..], &["broken", "--resume"]].concat();
    Ran::of(&mut place.shell(limit, &arguments, ""))
        .expect(1)
        .complains(&["error: cannot write broken/"]);
    assert!(place.read("broken/checkpoint.bin") == checkpoint, "the checkpoint is as it was");

    // With room again it is brought to its end, on another number of threads: the bits do not depend
    // on it.
    let mut on_one = long(&place, "broken", &["--resume"]);
    Ran::of(on_one.env("RAYON_NUM_THREADS", "1")).expect(0).complains(&["Going on at step"]);
    same_bits(&place, "unbroken", "broken");
    assert!(!place.path("broken/checkpoint.bin").exists(), "a finished run needs none");
    let again = Ran::of(&mut long(&place, "broken", &["--resume", "--json"])).expect(0);
    let result = String::from_utf8(place.read("broken/result.json")).unwrap();
    assert_eq!(again.stdout, result, "what is finished is only shown");
}

#[test]
fn an_interrupted_fit_goes_on_to_the_same_bits() {
    let (whole, broken) = (Place::new("fit-unbroken"), Place::new("fit-broken"));
    // The slow way to fit, so that there is something to interrupt.
    let slow = [
        "--set",
        "fit.method=lbfgs-adam",
        "--set",
        "fit.tolerance=1e-12",
        "--set",
        "fit.max_iterations=6000",
        "--set",
        "method.step=2e-3",
    ];
    Ran::of(&mut long(&whole, "out", &slow)).expect(0);
    interrupt(&mut long(&broken, "out", &slow), &broken, "out")
        .expect(130)
        .complains(&["interrupted", "--resume"]);
    let resume = [&slow[..], &["--resume"]].concat();
    Ran::of(&mut long(&broken, "out", &resume))
        .expect(0)
        .complains(&["Going on in the initial fit", "ran out above its tolerance"]);
    for name in ["fields.npz", "parameters.safetensors"] {
        let file = |place: &Place| place.read(&format!("out/{name}"));
        assert!(file(&whole) == file(&broken), "{name} differs");
    }
}

#[test]
fn a_broken_checkpoint_is_an_error_unless_there_is_one_before_it() {
    let place = Place::new("truncated");
    Ran::of(&mut long(&place, "unbroken", &[])).expect(0);
    interrupt(&mut long(&place, "broken", &[]), &place, "broken").expect(130);
    let good = place.read("broken/checkpoint.bin");
    std::fs::rename(place.path("broken/checkpoint.previous.bin"), place.path("broken/kept.bin"))
        .expect("the checkpoint before the last one is there");

    std::fs::write(place.path("broken/checkpoint.bin"), &good[..good.len() / 2]).unwrap();
    Ran::of(&mut long(&place, "broken", &["--resume"]))
        .expect(1)
        .complains(&["checkpoint.bin", "ends too early"]);
    assert_eq!(place.read("broken/checkpoint.bin").len(), good.len() / 2, "nothing was touched");

    std::fs::rename(place.path("broken/kept.bin"), place.path("broken/checkpoint.previous.bin"))
        .unwrap();
    Ran::of(&mut long(&place, "broken", &["--resume"])).expect(0).complains(&["ends too early"]);
    same_bits(&place, "unbroken", "broken");

    std::fs::write(place.path("broken/checkpoint.bin"), "something else").unwrap();
    Ran::of(&mut long(&place, "broken", &["--resume"]))
        .expect(1)
        .complains(&["is not a checkpoint"]);
}

#[test]
fn there_must_be_something_to_resume() {
    let place = Place::new("nothing");
    place.run(&["solve", "heat.toml", "--resume"]).expect(1).complains(&["no interrupted run"]);
    assert_eq!(place.files("."), ["heat.toml"]);
}
