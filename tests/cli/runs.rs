//! `solve`: what it prints, what it writes, how it ends.

use sketchpde::output::{ResultFolder, SpaceTimeField};

use super::interruption::same_bits;
use super::support::{HEAT, Place, Ran};

/// Error over space and time against exp(-t) sin x, which the test computes itself.
fn error_of(field: &SpaceTimeField) -> f64 {
    let x = &field.axes[0].values;
    let (mut difference, mut size) = (0.0, 0.0);
    for (index, &t) in field.times.iter().enumerate() {
        // Trapezoidal weights of equal steps.
        let weight = if index == 0 || index + 1 == field.times.len() { 0.5 } else { 1.0 };
        for (&x, &u) in x.iter().zip(field.at(index)) {
            let exact = (-t).exp() * x.sin();
            difference += weight * (u - exact).powi(2);
            size += weight * exact.powi(2);
        }
    }
    (difference / size).sqrt()
}

#[test]
fn a_run_reports_the_error_that_its_files_show() {
    let place = Place::new("solve");
    let ran = place.run(&["solve", "heat.toml", "--json", "--out", "run"]).expect(0);
    let result = ran.json();
    for (key, expected) in [
        ("problem", serde_json::json!("small-heat")),
        ("method", serde_json::json!("stage-fit rk4 random-sparse")),
        ("seed", serde_json::json!(0)),
        ("parameters", serde_json::json!(109)),
        ("points", serde_json::json!(64)),
        ("columns", serde_json::json!(50)),
        ("steps", serde_json::json!(50)),
        ("completed", serde_json::json!(true)),
    ] {
        assert_eq!(result[key], expected, "{key}");
    }
    for key in ["backend", "device", "precision"] {
        assert!(result[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {result}");
    }
    for key in ["fit", "steps", "total"] {
        assert!(result["seconds"][key].as_f64().is_some_and(|s| s >= 0.0), "{key}: {result}");
    }
    if cfg!(target_os = "linux") {
        assert!(result["peak_memory_mib"].as_f64().is_some_and(|mib| mib > 1.0), "{result}");
    }

    let folder = ResultFolder::open(place.path("run"));
    let field = folder.read_fields().expect("fields");
    assert_eq!(field.times.len(), 51);
    let (measured, reported) = (error_of(&field), result["relative_l2"].as_f64().unwrap());
    assert!((measured - reported).abs() < 1e-6 * measured, "{measured} against {reported}");
    assert!(measured < 1e-3, "relative error {measured}");
    let planted: Vec<f64> = field.values.iter().map(|u| u * (1.0 + 1e-2)).collect();
    assert!(error_of(&SpaceTimeField { values: planted, ..field }) > 5e-3);

    let history = folder.read_history().expect("a history");
    assert_eq!(history.records.len(), 50);
    let last = history.records.last().unwrap().error;
    assert_eq!(last, result["final_relative_l2"].as_f64());
    let written: serde_json::Value =
        serde_json::from_slice(&place.read("run/result.json")).unwrap();
    assert_eq!(written, result);
    place.run(&["check", "run/problem.toml"]).expect(0);
}

#[test]
fn a_run_never_goes_where_another_one_is() {
    let place = Place::new("folders");
    let quick = ["solve", "heat.toml", "-q", "--no-plots", "--set", "time.end=0.02"];
    let solve = |more: &[&str]| place.run(&[&quick[..], more].concat());
    solve(&[]).expect(0);
    solve(&["--set", "method.columns=30"]).expect(0);
    solve(&["--seed", "3"]).expect(0);
    assert_eq!(place.files("out"), ["small-heat-seed0", "small-heat-seed0-2", "small-heat-seed3"]);

    let before = place.read("out/small-heat-seed0/result.json");
    let name = ["--out", "out/small-heat-seed0"];
    solve(&name).expect(1).complains(&["holds a run already", "--resume", "--force", "--out"]);
    assert_eq!(place.read("out/small-heat-seed0/result.json"), before);
    solve(&[&name[..], &["--force", "--set", "method.columns=20"]].concat()).expect(0);
    let after = String::from_utf8(place.read("out/small-heat-seed0/result.json")).unwrap();
    assert!(after.contains("\"columns\": 20"), "{after}");

    // A file of the user's own, which only happens to have the name of one of ours.
    place.write("problem.toml", HEAT);
    solve(&["--out", "."]).expect(1).complains(&["problem.toml"]);
    assert_eq!(place.read("problem.toml"), HEAT.as_bytes());
}

#[test]
fn a_second_run_takes_the_fit_from_the_cache_and_a_damaged_entry_is_replaced() {
    let place = Place::new("cache");
    const RUN: [&str; 5] = ["solve", "heat.toml", "--no-plots", "--set", "time.end=0.02"];
    let run = || place.run(&RUN);
    let first = run().expect(0);
    assert!(!first.stderr.contains("from the cache"), "{}", first.stderr);
    // Who filled the cache, and on how many threads, makes no difference to the bits.
    for (name, threads) in [("filled", "1"), ("filled-again", "2")] {
        let mut command = place.command(&[&RUN[..], &["--out", name]].concat());
        let ran = Ran::of(command.env("RAYON_NUM_THREADS", threads)).expect(0);
        ran.complains(&["from the cache"]);
        let mut command = place.command(&[&RUN[..], &["--no-cache", "--out", "without"]].concat());
        let ran = Ran::of(command.arg("--force").env("RAYON_NUM_THREADS", threads)).expect(0);
        assert!(!ran.stderr.contains("from the cache"), "{}", ran.stderr);
        same_bits(&place, "without", name);
    }
    let fits: Vec<String> =
        place.files("cache").into_iter().filter(|name| name.starts_with("fit")).collect();
    assert_eq!(fits.len(), 1);
    let entry = format!("cache/{}", fits[0]);
    let good = place.read(&entry);
    std::fs::write(place.path(&entry), &good[..good.len() / 2]).unwrap();
    run().expect(0).complains(&["warning", "damaged"]);
    assert_eq!(place.read(&entry), good, "the same fit is there again");
}

#[test]
fn an_error_above_the_bound_ends_with_four() {
    let place = Place::new("bound");
    let run =
        |bound: &str| place.run(&["solve", "heat.toml", "-q", "--no-plots", "--max-error", bound]);
    run("0.5").expect(0);
    let missed = run("1e-14").expect(4).complains(&["above --max-error 1e-14"]);
    assert!(missed.stdout.contains("small-heat"), "the result is printed all the same");
}

#[test]
fn quiet_says_nothing_and_json_is_alone_on_standard_output() {
    let place = Place::new("quiet");
    // Looking for adapters loads drivers, some of which write to standard error themselves.
    let arguments = ["solve", "heat.toml", "--backend", "cpu", "-q", "--json"];
    let ran = place.run(&[&arguments[..], &["--set", "time.end=0.02"]].concat()).expect(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.json()["steps"], 2);
}

/// u_t = u^3 exp(u) grows beyond every bound: where u = 1 at the start, before t = 0.12.
#[test]
fn a_solution_that_blows_up_ends_with_three_and_keeps_what_was_computed() {
    let place = Place::new("blow-up");
    let exact = "[exact]\nu = \"exp(-kappa*t)*sin(x)\"";
    let growing = HEAT.replace("kappa*u_xx", "u^3*exp(u)").replace(exact, "");
    place.write("growing.toml", &growing.replace("end = 0.5", "end = 5"));
    let run = ["solve", "growing.toml", "--out", "run", "--json"];
    let ran = place.run(&run).expect(3).complains(&["not finite", "t = ", "x = ", "method.step"]);
    assert_eq!(ran.stdout, "");
    let folder = ResultFolder::open(place.path("run"));
    let history = folder.read_history().expect("a history");
    let field = folder.read_fields().expect("fields");
    assert!(!history.records.is_empty() && field.values.iter().all(|u| u.is_finite()));
    let result = folder.read_result().expect("a result");
    assert_eq!(result["completed"], false);
    assert!(result["failure"].as_str().unwrap().contains("not finite"));
}

#[test]
fn a_device_that_is_not_there_ends_with_five() {
    let place = Place::new("device");
    let arguments = ["solve", "heat.toml", "--adapter", "no such adapter"];
    place.run(&arguments).expect(5).complains(&["no such adapter"]);
    assert_eq!(place.files("."), ["heat.toml"], "no folder was made");
}

/// Sums are made in an order that does not depend on who makes them; sizes at which all is shared out.
#[test]
fn the_bits_are_those_of_any_number_of_threads() {
    let place = Place::new("threads");
    let large =
        ["--set", "points.count=3000", "--set", "method.columns=100", "--set", "network.width=20"];
    let evolution = [&["solve", "heat.toml", "--set", "time.end=0.02"][..], &large].concat();
    let training = ["solve", "poisson-2d", "--set", "method.iterations=3"].to_vec();
    for (name, run) in [("evolution", evolution), ("training", training)] {
        let on = |threads: usize| {
            let out = format!("{name}{threads}");
            let more = ["--backend", "cpu", "--no-plots", "--no-cache", "-q", "--out", &out];
            let mut command = place.command(&[&run[..], &more].concat());
            Ran::of(command.env("RAYON_NUM_THREADS", threads.to_string())).expect(0);
            ["fields.npz", "parameters.safetensors"]
                .map(|file| place.read(&format!("{out}/{file}")))
        };
        let one = on(1);
        for threads in [2, 3] {
            assert!(on(threads) == one, "{name}: {threads} threads");
        }
    }
}
