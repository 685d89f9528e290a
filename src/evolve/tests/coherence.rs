//! The warning of too few columns, where uniform draws were measured to lose.

use super::dirichlet::fitted;
use crate::Evolution;
use crate::problem::{Preset, Problem};

fn begun(changes: &[(&str, &str)]) -> Evolution {
    let changes = changes.iter().map(|&(key, v)| (key.to_owned(), v.to_owned())).collect();
    let preset = Preset::find("allen-cahn").expect("a preset");
    fitted(&Problem::from_toml(preset.text, &changes).expect("a problem"))
}

/// With 40 columns uniform draws were seen to lose by a factor of seven, with 75 the error is a
/// hundred times that with 150; with 100 they lose nothing, and the default's 600 by stage fits are
/// enough.
#[test]
fn the_warning_speaks_where_uniform_draws_lose_and_nowhere_else() {
    let published: &[(&str, &str)] = &[
        ("fit.tolerance", "1e-5"),
        ("points.count", "1000"),
        ("method.scheme", "parameter-ode"),
        ("method.columns", "150"),
        ("method.integrator", "rk4"),
        ("method.tolerance", "0"),
        ("method.step", "5e-3"),
        ("method.rcond", "1e-5"),
    ];
    let evolution = begun(published);
    let p = evolution.theta().len();
    let coherence = evolution.coherence().expect("finite").expect("uniform draws");
    println!("{coherence:?}");
    let warning = coherence.warning(40, p).expect("a warning");
    assert!(warning.contains("method.columns") && warning.contains("leverage"), "{warning}");
    assert!(coherence.warning(75, p).is_some());
    assert_eq!(coherence.warning(100, p), None);
    assert_eq!(coherence.warning(150, p), None);
    // All parameters of a network are never too few.
    assert_eq!(coherence.warning(20, 20), None);
    let other = |key: &str, value: &str| {
        let mut problem = evolution.problem().clone();
        problem.method = begun_method(key, value);
        super::support::evolution(&problem, evolution.theta().to_vec())
    };
    assert_eq!(other("method.sampling", "leverage").coherence().expect("finite"), None);
    assert_eq!(other("method.update", "dense").coherence().expect("finite"), None);
    let fits = begun(&[("fit.tolerance", "1e-5")]);
    let coherence = fits.coherence().expect("finite").expect("uniform draws");
    println!("{coherence:?}");
    assert_eq!(coherence.warning(600, p), None);
}

fn begun_method(key: &str, value: &str) -> crate::problem::MethodSettings {
    let changes = vec![(key.to_owned(), value.to_owned())];
    let preset = Preset::find("allen-cahn").expect("a preset");
    Problem::from_toml(preset.text, &changes).expect("a problem").method
}
