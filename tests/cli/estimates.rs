//! What runs say of their own error, held against the error.

use serde_json::Value;
use sketchpde::problem::{presets, residual_presets};

use super::support::{Place, count};

/// Presets of a second or two.
const QUICK: [&str; 5] = ["heat", "poisson-2d", "nonlinear-bvp", "transport", "allen-cahn"];
/// Errors below this are round-off, of which nobody asks how large it is.
const ROUND_OFF: f64 = 1e-12;
/// What an estimate may be of the error.
const HONEST: std::ops::RangeInclusive<f64> = 0.1..=100.0;

#[derive(Debug, PartialEq)]
enum Verdict {
    Honest,
    /// There is no error, or no estimate, to hold against the other.
    Unknown,
    TooSmall,
    TooLarge,
    /// Wrong, without a warning.
    Silent,
}

fn verdict(result: &Value) -> Verdict {
    let [error, estimated] = ["relative_l2", "estimated_error"].map(|key| result[key].as_f64());
    let (Some(error), Some(estimated)) = (error, estimated) else { return Verdict::Unknown };
    let ratio = estimated / error;
    if error.max(estimated) < ROUND_OFF || HONEST.contains(&ratio) {
        let told = result["warning"].is_string() || result["convergence"] == "budget";
        return if error > 0.1 && !told { Verdict::Silent } else { Verdict::Honest };
    }
    if ratio < 1.0 { Verdict::TooSmall } else { Verdict::TooLarge }
}

/// All presets where `SKETCHPDE_PRESETS` is a number of seconds that each may take, else the quick ones.
#[test]
fn presets_know_their_errors() {
    let place = Place::new("estimates");
    let limit = count("SKETCHPDE_PRESETS", 0);
    let all = presets().iter().map(|preset| preset.name);
    let all: Vec<&str> = all.chain(residual_presets().iter().map(|preset| preset.name)).collect();
    let chosen = if limit > 0 { all } else { QUICK.to_vec() };
    let mut wrong = Vec::new();
    for name in chosen {
        let mut arguments = vec!["solve", name, "--no-plots", "--json", "--backend", "cpu"];
        let seconds = format!("{limit}s");
        if limit > 0 {
            arguments.extend(["--time-limit", &seconds]);
        }
        let ran = place.run(&arguments);
        assert!([Some(0), Some(6)].contains(&ran.code), "{name}: {ran:?}");
        let result = ran.json();
        let verdict = verdict(&result);
        println!(
            "{name}: error {}, estimated {}: {verdict:?}",
            result["relative_l2"], result["estimated_error"]
        );
        if ![Verdict::Honest, Verdict::Unknown].contains(&verdict) {
            wrong.push((name, verdict));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn dishonest_results_are_found_out() {
    let of = |error: f64, estimated: f64, warning: Option<&str>, convergence: &str| {
        verdict(&serde_json::json!({
            "relative_l2": error, "estimated_error": estimated, "warning": warning,
            "convergence": convergence,
        }))
    };
    assert_eq!(of(1e-3, 2e-3, None, "converged"), Verdict::Honest);
    assert_eq!(of(1e-15, 1e-13, None, "converged"), Verdict::Honest);
    assert_eq!(of(1e-2, 1e-4, None, "converged"), Verdict::TooSmall);
    assert_eq!(of(1e-6, 1e-3, None, "converged"), Verdict::TooLarge);
    assert_eq!(of(0.5, 0.4, None, "converged"), Verdict::Silent);
    assert_eq!(of(0.5, 0.4, Some("wrong"), "stalled"), Verdict::Honest);
    let without = serde_json::json!({ "relative_l2": null, "estimated_error": 1e-3 });
    assert_eq!(verdict(&without), Verdict::Unknown);
}
