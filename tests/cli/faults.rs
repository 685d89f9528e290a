//! What is wrong is never told as right: each case once went through without a word.

use std::process::Stdio;

use sketchpde::output::Cache;

use super::support::{HEAT, Place, Ran, count};

/// A jump, which a small network cannot follow.
fn jump() -> String {
    HEAT.replace("u = \"sin(x)\"", "u = \"sign(sin(x))\"")
        .replace("[exact]\nu = \"exp(-kappa*t)*sin(x)\"", "[reference]\nkind = \"none\"")
        .replace("end = 0.5", "end = 0.02")
}

const RUN: [&str; 6] = ["solve", "p.toml", "--backend", "cpu", "--no-plots", "--json"];

fn solve(place: &Place, more: &[&str]) -> Ran {
    place.run(&[&RUN[..], more].concat())
}

#[test]
fn a_poor_fit_ends_the_run_and_one_above_its_tolerance_is_a_warning_also_from_the_cache() {
    let place = Place::new("poor-fit");
    place.write("p.toml", &jump());
    for _ in 0..2 {
        let ran = solve(&place, &["--force", "--out", "run"]).expect(1);
        let ran = ran.complains(&["misses the initial state", "fit.accept", "network.width"]);
        assert_eq!(ran.stdout, "");
        let written: serde_json::Value =
            serde_json::from_slice(&place.read("run/result.json")).expect("a result");
        assert_eq!(written["completed"], false);
        assert_eq!(written["steps"], 0);
        // What was fitted is wrong by that much: a jump, seen by the test's own formula.
        assert!(written["initial_error"].as_f64().is_some_and(|error| error > 0.01), "{written}");
    }
    for _ in 0..2 {
        let allowed = solve(&place, &["--set", "fit.accept=1"]).expect(0);
        let result = allowed.complains(&["warning", "above its tolerance"]).json();
        assert_eq!(result["completed"], true);
        assert!(
            result["warning"].as_str().is_some_and(|w| w.contains("fit.tolerance")),
            "{result}"
        );
    }
    // A fit that meets its tolerance has nothing to say, new or from the cache.
    place.write("p.toml", HEAT);
    for _ in 0..2 {
        let result = solve(&place, &["--set", "time.end=0.02"]).expect(0).json();
        assert_eq!(result["warning"], serde_json::Value::Null);
    }
}

/// Squares of such numbers are no numbers.
#[test]
fn an_initial_state_beyond_every_square_is_no_success() {
    let place = Place::new("huge");
    place.write("p.toml", &jump().replace("sign(sin(x))", "1e300*sin(x)"));
    let ran = solve(&place, &[]);
    assert!(ran.code.is_some_and(|code| code != 0), "{ran:?}");
    ran.complains(&["error: "]);
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_does_not_hide_the_verdict() {
    let place = Place::new("closed-pipe");
    place.write("p.toml", HEAT);
    for (bound, code) in [("1e-14", 4), ("0.5", 0)] {
        let more = ["--set", "time.end=0.02", "-q", "--max-error", bound];
        let mut command = place.command(&[&RUN[..], &more].concat());
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
        drop(child.stdout.take());
        assert_eq!(child.wait().expect("ends").code(), Some(code), "{bound}");
    }
}

/// u_t = u^2 is 1/(1 - t) where u = 1 at the start: it ends at t = 1.
#[test]
fn a_blow_up_ends_with_three_however_the_steps_are_chosen() {
    let place = Place::new("blow-up-steps");
    let growing = jump()
        .replace("sign(sin(x))", "cos(x)")
        .replace("kappa*u_xx", "kappa*u^2")
        .replace("end = 0.02", "end = 3");
    place.write("p.toml", &growing);
    for method in ["method.tolerance=0", "method.tolerance=1e-4"] {
        let integrator = ["--set", "method.integrator=dormand-prince"];
        let ran = solve(&place, &[&["--set", method][..], &integrator].concat());
        assert_eq!(ran.code, Some(3), "{method}: {}", ran.stderr);
    }
}

#[test]
fn pictures_that_cannot_be_drawn_cost_no_result() {
    let place = Place::new("no-pictures");
    std::fs::create_dir_all(place.path("run")).unwrap();
    place.write("p.toml", HEAT);
    // A folder lies where a picture would: it is not ours to take away.
    std::fs::create_dir_all(place.path("run/plots/space-time.png")).unwrap();
    let run = ["solve", "p.toml", "--json", "--force", "--out", "run", "--set", "time.end=0.02"];
    let ran = place.run(&run).expect(0).complains(&["warning: no pictures", "space-time.png"]);
    let written: serde_json::Value =
        serde_json::from_slice(&place.read("run/result.json")).expect("a result");
    assert_eq!(written, ran.json());
}

#[test]
fn an_entry_of_the_cache_under_another_name_is_not_taken() {
    let place = Place::new("swapped");
    place.write("p.toml", HEAT);
    let quick = ["--set", "time.end=0.02"];
    let other =
        [&quick[..], &["--set", "initial.u=cos(x)", "--set", "exact.u=exp(-kappa*t)*cos(x)"]]
            .concat();
    solve(&place, &quick).expect(0);
    let fits = || -> Vec<String> {
        place.files("cache").into_iter().filter(|name| name.starts_with("fit")).collect()
    };
    let first = fits();
    solve(&place, &other).expect(0);
    let second: Vec<String> = fits().into_iter().filter(|name| !first.contains(name)).collect();
    let path = |name: &str| place.path("cache").join(name);
    std::fs::copy(path(&first[0]), path(&second[0])).unwrap();
    let ran = solve(&place, &other).expect(0).complains(&["warning", "damaged"]);
    assert!(ran.json()["initial_error"].as_f64().is_some_and(|error| error < 1e-3));
    assert!(Cache::at(place.path("cache")).folder().is_dir());
    // Without the cache nothing is taken and nothing put there.
    std::fs::remove_dir_all(place.path("cache")).unwrap();
    let ran = solve(&place, &[&quick[..], &["--no-cache"]].concat()).expect(0);
    assert!(!ran.stderr.contains("from the cache") && !place.path("cache").exists());
}

/// Of two runs that begin at once each has a folder of its own.
#[test]
fn two_runs_at_once_never_share_a_folder() {
    let place = Place::new("at-once");
    place.write("p.toml", HEAT);
    let rounds = count("SKETCHPDE_PAIRS", 4);
    for round in 0..rounds {
        let children: Vec<_> = [40, 50]
            .map(|columns| {
                let (columns, seed) = (format!("method.columns={columns}"), round.to_string());
                let more = ["-q", "--set", "time.end=0.02", "--set", &columns, "--seed", &seed];
                let mut command = place.command(&[&RUN[..], &more].concat());
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts")
            })
            .into();
        for child in children {
            Ran::from(child.wait_with_output().expect("ends")).expect(0);
        }
        let mut seen: Vec<u64> = ["", "-2"]
            .map(|number| {
                let folder = format!("out/small-heat-seed{round}{number}");
                let text = place.read(&format!("{folder}/problem.toml"));
                let text = String::from_utf8(text).expect("text");
                let result: serde_json::Value =
                    serde_json::from_slice(&place.read(&format!("{folder}/result.json")))
                        .expect("a result");
                let columns = result["columns"].as_u64().expect("a number");
                assert!(text.contains(&format!("columns = {columns}")), "{columns} in\n{text}");
                columns
            })
            .into();
        seen.sort_unstable();
        assert_eq!(seen, [40, 50]);
    }
    assert_eq!(place.files("out").len() as u64, 2 * rounds);
}

#[test]
fn force_clears_what_the_run_before_left() {
    let place = Place::new("force-clears");
    place.write("p.toml", HEAT);
    let run = [&RUN[..], &["--out", "run", "--set", "time.end=0.02"]].concat();
    place.run(&run).expect(0);
    std::fs::create_dir_all(place.path("run/plots")).unwrap();
    let old = [
        "moments.csv",
        "moments.npz",
        "plots/means.png",
        "plots/space-time.svg",
        "checkpoint.previous.bin",
        ".checkpoint.incoming.bin.4242.part",
    ];
    let own = ["notes.txt", "plots/mine.png", ".mine.4242.part"];
    for name in old.iter().chain(&own) {
        place.write(&format!("run/{name}"), "old");
    }
    place.run(&[&run[..], &["--force"]].concat()).expect(0);
    for name in old {
        assert!(!place.path("run").join(name).exists(), "{name}");
    }
    for name in own {
        assert!(place.path("run").join(name).exists(), "{name}");
    }
}

#[test]
fn a_list_of_long_equations_stays_readable() {
    let ran = Place::new("list-width").run(&["list"]).expect(0);
    let widest = ran.stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest.is_some_and(|width| width < 260), "{widest:?}");
}

/// Pictures of a system are named after its unknowns.
#[test]
fn force_clears_the_pictures_of_single_unknowns() {
    let place = Place::new("force-unknowns");
    place.write("two.toml", &place_of_two());
    let run = ["solve", "two.toml", "--backend", "cpu", "--out", "run", "-q"];
    place.run(&run).expect(0);
    for name in ["space-time-a.png", "space-time-b.svg"] {
        assert!(place.path("run/plots").join(name).exists(), "{:?}", place.files("run/plots"));
    }
    place.write("run/plots/space-time-mine.png", "mine");
    place.write("p.toml", HEAT);
    let other = ["solve", "p.toml", "--set", "time.end=0.02", "--out", "run", "--force", "-q"];
    place.run(&other).expect(0);
    let left = place.files("run/plots");
    let of_single: Vec<&String> = left.iter().filter(|name| name.contains('-')).collect();
    let known = ["final-state", "space-time.", "singular-values", "space-time-mine.png"];
    for name in of_single {
        assert!(known.iter().any(|known| name.starts_with(known)), "{name} in {left:?}");
    }
    assert!(left.contains(&"space-time-mine.png".to_owned()), "{left:?}");
}

/// Two substances that fade.
fn place_of_two() -> String {
    HEAT.replace("text = \"u_t = kappa*u_xx\"", "text = [\"a_t = kappa*a_xx\", \"b_t = -b\"]")
        .replace("u = \"sin(x)\"", "a = \"sin(x)\"\nb = \"cos(x)\"")
        .replace("u = \"exp(-kappa*t)*sin(x)\"", "a = \"exp(-t)*sin(x)\"\nb = \"exp(-t)*cos(x)\"")
        .replace("end = 0.5", "end = 0.02")
}

/// Ten million points and 50 columns are 4 GB, and what they are made of is as much.
#[cfg(target_os = "linux")]
#[test]
fn what_does_not_fit_into_memory_is_refused_before_it_is_asked_for() {
    let place = Place::new("too-large");
    place.write("p.toml", &HEAT.replace("count = 64", "count = 10000000"));
    for command in ["check", "solve"] {
        let ran = Ran::of(&mut place.shell("ulimit -v 8000000", &[command, "p.toml"], ""));
        ran.expect(1).complains(&["GiB of memory", "points.count", "method.columns"]);
    }
    assert!(!place.path("out").exists(), "nothing was begun");
}

/// Jacobians and kernels of trainings are 1 GB and more here.
#[cfg(target_os = "linux")]
#[test]
fn a_training_that_does_not_fit_into_memory_is_refused_before_it_is_asked_for() {
    let place = Place::new("too-large-training");
    let points = "residual.interior.points={ layout = \"sobol\", count = 40000 }";
    for method in ["engd", "anagram", "spring"] {
        for command in ["check", "solve"] {
            let name = format!("method.name={method}");
            let layers = "network.layers=[40,40,40]";
            let changes = ["--set", points, "--set", &name, "--set", layers];
            let arguments = [&[command, "poisson-2d"], &changes[..]].concat();
            let ran = Ran::of(&mut place.shell("ulimit -v 900000", &arguments, ""));
            ran.expect(1).complains(&["GiB of memory", "points.count", "method.name"]);
        }
    }
    assert!(!place.path("out").exists(), "nothing was begun");
}

/// Limits of the system: threads, and the size of a file.
#[cfg(target_os = "linux")]
#[test]
fn limits_of_the_system_end_in_messages() {
    let place = Place::new("limits");
    place.write("p.toml", HEAT);
    let more = ["--set", "time.end=0.02", "--out", "run", "--force"];
    let arguments = [&RUN[..], &more].concat();
    let ran = Ran::of(place.command(&arguments).env("RAYON_NUM_THREADS", "100000")).expect(0);
    let device = ran.json()["device"].as_str().expect("a device").to_owned();
    let threads: usize = device.split(' ').next().expect("a word").parse().expect("a number");
    let cores = std::thread::available_parallelism().expect("some").get();
    assert_eq!(threads, (8 * cores).min(100_000), "{device}");
    // 4 KiB: less than the fields take.
    let ran = Ran::of(&mut place.shell("ulimit -f 8", &arguments, ""));
    ran.expect(1).complains(&["cannot write", "--out"]);
}
