//! `solve` for problems that are trained over the whole domain.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sketchpde::output::{ResultFolder, npz};

use super::support::{Place, Ran};

/// Poisson's equation by 40 parameters: a fraction of a second.
const POISSON: &str = r#"
format = 1
name = "small-poisson"

[domain]
x = { range = [0, 1] }
y = { range = [0, 1] }

[residual.interior]
equation = "-(u_xx + u_yy) = 2*pi^2*sin(pi*x)*sin(pi*y)"
points = { count = 10 }

[residual.walls]
on = "boundary"
equation = "u = 0"
points = { count = 10 }

[exact]
u = "sin(pi*x)*sin(pi*y)"

[evaluation]
count = 21

[network]
layers = [12]
deviation = 0.8

[method]
name = "lm"
iterations = 40
"#;

fn place(test: &str) -> Place {
    let place = Place::new(test);
    place.write("poisson.toml", POISSON);
    place
}

#[test]
fn a_training_reports_the_error_that_its_files_show() {
    let place = place("train");
    let trained = ["--set", "method.correction=false"];
    let words = ["solve", "poisson.toml", "--json", "--out", "run"];
    let result = place.run(&[&words[..], &trained].concat()).expect(0).json();
    for (key, expected) in [
        ("problem", serde_json::json!("small-poisson")),
        ("method", serde_json::json!("lm")),
        ("precision", serde_json::json!("f64")),
        ("parameters", serde_json::json!(49)),
        ("iterations", serde_json::json!(40)),
        ("stopped", serde_json::json!("all iterations are done")),
        ("completed", serde_json::json!(true)),
    ] {
        assert_eq!(result[key], expected, "{key}");
    }
    let folder = ResultFolder::open(place.path("run"));
    let field = folder.read_fields().expect("fields");
    let error = |values: &[f64]| {
        let (mut difference, mut size) = (0.0, 0.0);
        for (i, &x) in field.axes[0].values.iter().enumerate() {
            for (k, &y) in field.axes[1].values.iter().enumerate() {
                let pi = std::f64::consts::PI;
                let exact = (pi * x).sin() * (pi * y).sin();
                difference += (values[i * 21 + k] - exact).powi(2);
                size += exact * exact;
            }
        }
        (difference / size).sqrt()
    };
    let (measured, reported) = (error(&field.values), result["relative_l2"].as_f64().unwrap());
    assert!((measured - reported).abs() < 1e-9 * measured, "{measured} against {reported}");
    assert!(measured < 1e-2, "relative error {measured}");
    let planted: Vec<f64> = field.values.iter().map(|u| u * 1.01).collect();
    assert!(error(&planted) > 2.0 * measured.min(5e-3));

    let history = folder.read_training().expect("a history");
    assert_eq!(history.records.len(), 40);
    assert!(result["correction"].is_null(), "{result}");
    assert_eq!(history.records[39].error, Some(reported));
    assert!(history.records.windows(2).all(|pair| pair[1].loss <= pair[0].loss));
    assert!(history.spectra[0].singular_values.len() > 20);
    for name in ["error.png", "loss.svg", "singular-values.png", "solution.png"] {
        assert!(place.path("run/plots").join(name).exists(), "{name}");
    }
    let again = place.run(&["plot", "run", "--out", "again"]).expect(0);
    assert!(again.stdout.contains("solution.png"), "{}", again.stdout);
    assert!(place.read("again/loss.svg") == place.read("run/plots/loss.svg"));
}

/// The answer is the network at the end of the training, with its correction or without, as of the methods
/// that are there to be compared.
#[test]
fn a_correction_ends_a_training_unless_it_is_left_out() {
    let place = place("corrected");
    let run = |change: &str| {
        let words = ["solve", "poisson.toml", "--json", "--no-plots", "--force", "--out", "run"];
        let larger = ["--set", "network.layers=[12, 12]", "--set", change];
        let result = place.run(&[&words[..], &larger].concat()).expect(0).json();
        let history = ResultFolder::open(place.path("run")).read_training().expect("a history");
        let trained = history.records.iter().rev().find_map(|record| record.error);
        let trained = trained.expect("an error");
        (result["relative_l2"].as_f64().expect("an error"), trained, result["correction"].clone())
    };
    let (error, trained, correction) = run("method.correction=true");
    assert!(error < 0.01 * trained, "{trained:.1e} before the correction, then {error:.1e}");
    let part = |key: &str| correction[key].as_f64().expect(key);
    assert!(part("residual_after") < 0.1 * part("residual_before"), "{correction}");
    place.write("points.csv", "x,y\n0.3,0.6\n");
    let asked = place.run(&["eval", "run", "--at", "points.csv"]).expect(0).stdout;
    let pi = std::f64::consts::PI;
    let exact = (0.3 * pi).sin() * (0.6 * pi).sin();
    let value: f64 = asked.trim().rsplit(',').next().expect("u").parse().expect("a number");
    assert!(
        (value - exact).abs() < 10.0 * error + 1e-14,
        "{value} is off by {:.1e}",
        value - exact
    );

    for change in ["method.correction=false", "method.name=engd"] {
        let (error, trained, correction) = run(change);
        assert!(correction.is_null() && error == trained, "{change}: {error:.1e} {correction}");
    }
    place
        .run(&["solve", "poisson.toml", "--set", "method.correction=1"])
        .expect(1)
        .complains(&["correction must be true or false"]);
}

#[test]
fn several_seeds_give_their_spread() {
    let place = place("seeds");
    let arguments = ["solve", "poisson.toml", "--json", "--seeds", "3", "--no-plots", "--out", "r"];
    let result = place.run(&arguments).expect(0).json();
    let mut errors: Vec<f64> = Vec::new();
    for (seed, run) in result["runs"].as_array().expect("runs").iter().enumerate() {
        assert_eq!(run["seed"], serde_json::json!(seed));
        errors.push(run["relative_l2"].as_f64().expect("an error"));
    }
    errors.sort_by(f64::total_cmp);
    let spread = &result["relative_l2"];
    for (key, expected) in [("min", errors[0]), ("median", errors[1]), ("max", errors[2])] {
        assert_eq!(spread[key], serde_json::json!(expected), "{key}");
    }
    assert!(errors[0] < errors[2], "the seeds differ");
    // Finished runs are taken as they are.
    let again = place.run(&[&arguments[..], &["--resume"]].concat()).expect(0);
    assert_eq!(again.json()["runs"], result["runs"]);
    place.run(&["solve", "heat.toml", "--seeds", "2"]).expect(2).complains(&["--seeds"]);
}

#[test]
fn a_method_is_chosen_by_its_name() {
    let place = place("method");
    let arguments = ["poisson.toml", "--set", "method.iterations=3", "--json", "--no-plots"];
    let solve = |more: &[&str]| place.run(&[&["solve"], &arguments[..], more].concat());
    let ran = solve(&["--method", "sngd", "--out", "run"]).expect(0);
    assert_eq!(ran.json()["method"], serde_json::json!("sngd"));
    solve(&["--method", "newton"]).expect(1).complains(&["newton", "sngd"]);
    place
        .run(&["solve", "burgers", "--method", "newton"])
        .expect(1)
        .complains(&["method.scheme", "stage-fit"]);
}

#[test]
fn what_the_numbers_cannot_tell_is_said_before_and_after() {
    let place = place("beyond");
    let words = ["solve", "poisson.toml", "--set", "method.name=anagram", "--set"];
    let words = [&words[..], &["method.cutoff=1e-9", "--set", "method.iterations=2"]].concat();
    let mixed = [&words[..], &["--set", "run.precision=mixed", "--out", "mixed"]].concat();
    let ran = place.run(&mixed).expect(0).complains(&["warning: method.cutoff = 1e-9", "1.2e-7"]);
    assert!(ran.stdout.contains("method.cutoff = 1e-9"), "{}", ran.stdout);
    let double = place.run(&[&words[..], &["--json", "--out", "double"]].concat()).expect(0);
    // Two iterations are no answer, and that is all that is said of them.
    let said = double.json()["warning"].as_str().map(str::to_owned).expect("a warning");
    assert!(said.contains("is wrong by about") && !said.contains("cutoff"), "{said}");
    assert!(!double.stderr.contains("cutoff"), "{}", double.stderr);
}

#[test]
fn a_large_error_and_an_unknown_adapter_are_told() {
    let place = place("refused");
    place
        .run(&["solve", "poisson.toml", "--adapter", "no such thing"])
        .expect(5)
        .complains(&["no such thing"]);
    let bound = ["solve", "poisson.toml", "--no-plots", "--max-error", "1e-12"];
    let bound = [&bound[..], &["--set", "method.correction=false"]].concat();
    place.run(&bound).expect(4).complains(&["above --max-error"]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_training_goes_on_to_the_same_bits() {
    let place = place("train-resume");
    let long = |out: &str, more: &[&str]| -> Command {
        let arguments = ["solve", "poisson.toml", "--no-plots", "--set", "method.iterations=1500"];
        let arguments = [&arguments[..], &["--set", "method.correction=false"]].concat();
        let arguments = [&arguments[..], &["--checkpoint-every", "0.1", "--out", out], more];
        place.command(&arguments.concat())
    };
    Ran::of(&mut long("unbroken", &[])).expect(0);
    let mut begun = long("broken", &[]);
    let child = begun.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let start = Instant::now();
    while !place.path("broken/checkpoint.bin").exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "no checkpoint came");
        std::thread::sleep(Duration::from_millis(10));
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success(), "the run ended before it was interrupted");
    Ran::from(child.wait_with_output().expect("ends"))
        .expect(130)
        .complains(&["--out broken --resume"]);
    Ran::of(&mut long("broken", &["--resume"])).expect(0).complains(&["Going on at iteration"]);
    for name in ["fields.npz", "parameters.safetensors"] {
        let file = |out: &str| place.read(&format!("{out}/{name}"));
        assert!(file("broken") == file("unbroken"), "{name} differs");
    }
    let history = |out: &str| {
        let mut history = ResultFolder::open(place.path(out)).read_training().expect("a history");
        history.records.iter_mut().for_each(|record| record.seconds = 0.0);
        history
    };
    assert_eq!(history("broken"), history("unbroken"));
    assert!(!place.path("broken/checkpoint.bin").exists());
}

/// Green's function of -u'' with u = 0 at both ends is `min(x, y) (1 - max(x, y))`.
#[test]
fn the_drawn_greens_function_is_the_operators() {
    let place = place("kernels");
    let file = r#"
format = 1
[domain]
x = { range = [0, 1] }
[residual.interior]
equation = "-u_xx = pi^2*sin(pi*x)"
points = { layout = "grid", count = 60, walls = false }
[residual.ends]
on = "boundary"
equation = "u = 0"
[network]
layers = [40]
deviation = 1.5
[method]
name = "lm"
iterations = 40
"#;
    place.write("line.toml", file);
    // What needs no training leaves no network to look at.
    place.run(&["solve", "line.toml", "--no-plots", "--out", "untrained"]).expect(0);
    let asked = place.run(&["plot", "untrained", "--kernels"]).expect(2);
    asked.complains(&["no trained network", "method.correction=false"]);
    let words = ["solve", "line.toml", "--no-plots", "--set", "method.correction=false"];
    place.run(&[&words[..], &["--out", "r"]].concat()).expect(0);
    let files = place.run(&["plot", "r", "--kernels"]).expect(0).stdout;
    for name in ["kernels.npz", "NTK.png", "NNTK.svg", "Green.png"] {
        assert!(files.contains(name), "{files}");
    }
    let arrays = npz::read(&place.path("r/kernels.npz")).expect("arrays");
    let array = |name: &str| &arrays.iter().find(|a| a.name == name).expect("there").values;
    let (xs, ys, green) = (array("Green_x"), array("Green_x'"), array("Green"));
    let (mut difference, mut planted, mut size) = (0.0, 0.0, 0.0);
    for (i, x) in xs.iter().enumerate() {
        for (k, y) in ys.iter().enumerate() {
            let exact = x.min(*y) * (1.0 - x.max(*y));
            let found = green[i * ys.len() + k];
            difference += (found - exact).powi(2);
            planted += (found - 1.1 * exact).powi(2);
            size += exact.powi(2);
        }
    }
    let (difference, planted): (f64, f64) = (difference / size, planted / size);
    assert!(difference.sqrt() < 0.05, "{}", difference.sqrt());
    assert!(planted.sqrt() > 0.05, "an error of a tenth would have passed");
    let ntk = array("NTK");
    let count = xs.len();
    assert!((0..count * count).all(|k| {
        let mirrored = ntk[k % count * count + k / count];
        (ntk[k] - mirrored).abs() <= 1e-12 * mirrored.abs()
    }));
    place.run(&["plot", "r", "--kernels", "--at", "2"]).expect(2).complains(&["x in 0 to 1"]);
}

/// The example of the book: what it says comes out is what comes out, in every place that tells of it.
#[test]
fn a_constant_that_is_found_is_in_all_that_a_run_leaves() {
    let page = include_str!("../../docs/src/whole-domains.md");
    let (_, file) = page.split_once("## Constants to be found").expect("the section");
    let (_, file) = file.split_once("```toml\n").expect("a file");
    let (file, said) = file.split_once("```").expect("its end");
    let place = Place::new("found");
    place.write("decay.toml", file);
    let words = ["solve", "decay.toml", "--no-plots", "--out", "run"];
    let shown = place.run(&words).expect(0).stdout;
    let row = shown.lines().find(|line| line.starts_with("k  ")).expect("the constant");
    let words: Vec<&str> = row.split_whitespace().collect();
    assert!(said.contains(&format!("`{}`", words.join(" "))), "{row}");
    let result = std::fs::read_to_string(place.path("run/result.json")).expect("there");
    let result: serde_json::Value = serde_json::from_str(&result).expect("JSON");
    let found = result["found"]["k"]["value"].as_f64().expect("a number");
    assert_eq!(format!("{found:.3}"), words[1]);
    let deviation = result["found"]["k"]["standard_deviation"].as_f64().expect("a number");
    assert_eq!(format!("{deviation:.3}"), words[3]);
    assert_eq!(result["noise"]["measured"]["estimated"], true);
    // A question with the constant in it has what was found.
    place.write("at.csv", "t\n0.5\n");
    let asked = ["eval", "run", "--at", "at.csv", "--derivatives", "k*y/y"];
    let answer = place.run(&asked).expect(0).stdout;
    let last = answer.trim().rsplit([',', '\n']).next().expect("a value");
    assert!((last.parse::<f64>().expect("a number") - found).abs() < 1e-9, "{answer}");
}
