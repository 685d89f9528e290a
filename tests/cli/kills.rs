//! Runs that are killed, asked to end, or saved by another program.

#![cfg(unix)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sketchpde::session::Checkpoint;

use super::interruption::same_bits;
use super::support::{Place, Ran, count};

/// A run of a second or so that writes a checkpoint every few hundredths of one.
const RUN: [&str; 8] = [
    "solve",
    "heat.toml",
    "--no-plots",
    "--set",
    "method.step=2e-4",
    "--checkpoint-every",
    "0.03",
    "--out",
];

fn run(place: &Place, out: &str, more: &[&str]) -> Command {
    place.command(&[&RUN[..], &[out], more].concat())
}

/// How many runs are killed.
fn kills() -> u64 {
    count("SKETCHPDE_KILLS", 3)
}

/// Numbers in [0, 1) that jump about: multiples of the golden ratio.
fn scattered(k: u64) -> f64 {
    (k as f64 * 0.618_033_988_749_894_9 + 0.17).fract()
}

#[test]
fn a_run_that_is_killed_at_any_moment_goes_on_to_the_same_bits() {
    let place = Place::new("killed");
    let begun = Instant::now();
    Ran::of(&mut run(&place, "unbroken", &[])).expect(0);
    let whole = begun.elapsed();
    let mut resumed = 0;
    for k in 0..kills() {
        let out = format!("killed{k}");
        let mut command = run(&place, &out, &[]);
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        std::thread::sleep(whole.mul_f64(scattered(k)));
        child.kill().expect("is killed or over");
        child.wait().expect("ends");
        let there = |name: &str| place.path(&format!("{out}/{name}")).exists();
        let kept = ["checkpoint.bin", "checkpoint.previous.bin", "checkpoint.incoming.bin"];
        let how = if there("result.json") || kept.iter().any(|name| there(name)) {
            resumed += 1;
            "--resume"
        } else {
            // Nothing was kept before the first checkpoint.
            "--force"
        };
        Ran::of(&mut run(&place, &out, &[how])).expect(0);
        same_bits(&place, "unbroken", &out);
    }
    assert!(resumed > 0 || kills() < 3, "no run was killed between two checkpoints");
}

/// Fifty iterations, each of which takes seconds.
const SLOW: &str = r#"
format = 1
name = "slow"
[domain]
x = { range = [0, 1] }
y = { range = [0, 1] }
[residual.interior]
equation = "-(u_xx + u_yy) = 2*pi^2*sin(pi*x)*sin(pi*y)"
points = { count = 110 }
[exact]
u = "sin(pi*x)*sin(pi*y)"
[network]
layers = [40, 40]
[method]
name = "lm"
correction = false
iterations = 50
"#;

#[test]
fn who_is_asked_to_end_does_so_within_a_long_iteration() {
    let place = Place::new("asked");
    place.write("slow.toml", SLOW);
    let mut command = place.command(&["solve", "slow.toml", "--backend", "cpu", "--out", "slow"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let folder = place.path("slow/problem.toml");
    let begun = Instant::now();
    while !folder.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it did not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    // In the first iterations.
    std::thread::sleep(Duration::from_millis(1500));
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success(), "the run ended before it was asked to");
    let asked = Instant::now();
    let ran = Ran::from(child.wait_with_output().expect("ends"));
    // One second of patience; the rest is for a machine that is busy with other tests.
    let took = asked.elapsed().as_secs_f64();
    assert!(took < 3.0, "{took:.1} s");
    ran.expect(130).complains(&["interrupted", "--resume"]);
    assert!(place.path("slow/checkpoint.bin").exists());
}

#[test]
fn a_run_that_the_app_saved_goes_on_here_to_the_same_bits() {
    let place = Place::new("saved");
    Ran::of(&mut run(&place, "unbroken", &[])).expect(0);
    let mut broken = run(&place, "broken", &[]);
    let child = broken.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let file = place.path("broken/checkpoint.bin");
    let begun = Instant::now();
    while !file.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no checkpoint came");
        std::thread::sleep(Duration::from_millis(5));
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success(), "the run ended before it was asked to");
    child.wait_with_output().expect("ends");
    // What the app adds: how the run came here. Nothing else tells its files from these.
    let mut saved = Checkpoint::from_bytes(&place.read("broken/checkpoint.bin")).expect("one");
    saved.story = format!("v1&file={}", "format%20%3D%201");
    std::fs::write(place.path("mine.sketchpde"), saved.to_bytes()).expect("writes");
    place
        .run(&["solve", "mine.sketchpde", "--no-plots", "--out", "went-on"])
        .expect(0)
        .complains(&["Going on"]);
    same_bits(&place, "unbroken", "went-on");
    // With other settings it would be another run.
    place
        .run(&["solve", "mine.sketchpde", "--set", "method.columns=40", "--out", "other"])
        .expect(1)
        .complains(&["other settings"]);
    std::fs::write(place.path("old.sketchpde"), "sketchpde run 3\nand so on").expect("writes");
    place
        .run(&["solve", "old.sketchpde", "--out", "older"])
        .expect(1)
        .complains(&["earlier version"]);
}
