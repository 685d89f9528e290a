//! The built-in problems: their points, their exact solutions, their redraws.

use super::problem;
use crate::problem::{Overrides, Preset, ProblemFile, ResidualProblem, residual_presets};
use crate::residual::{Collocation, Comparison, ResidualError, ResidualSystem};

/// Rows and parameters as published, of the preset itself or of a variant.
#[test]
fn the_presets_have_the_published_sizes() {
    for (name, variant, rows, parameters) in [
        ("poisson-2d", None, 28 * 28 + 116, 1341),
        ("heat", None, 28 * 28 + 60 + 30, 261),
        ("transport", Some("published"), 28 * 28 + 30 + 30, 1341),
        ("laplace-5d", None, 4500, 449),
        ("allen-cahn-pinn", Some("published"), 28 * 28 + 60 + 41, 921),
    ] {
        let text = Preset::find(name).expect("a preset").text;
        let file = ProblemFile::from_bytes(text.as_bytes(), variant, &Overrides::new());
        let Ok(ProblemFile::Residual(problem)) = file else { panic!("{name}: {file:?}") };
        let system = Collocation::new(&problem);
        assert_eq!((system.rows(), system.parameters()), (rows, parameters), "{name}");
    }
}

#[test]
fn every_preset_can_be_evaluated_at_its_start() {
    for preset in residual_presets() {
        let problem = ResidualProblem::preset(preset.name).expect("a preset");
        let mut system = Collocation::new(&problem);
        let theta = system.initial_parameters();
        let mut gradient = vec![0.0; theta.len()];
        let loss = system.gradient(&theta, &mut gradient).expect("finite");
        assert!(loss.is_finite() && gradient.iter().any(|g| *g != 0.0), "{}", preset.name);
        let error = Comparison::new(&problem).relative_l2(&theta);
        assert_eq!(error.is_some(), problem.exact.is_some());
        assert!(error.is_none_or(|e| (0.1..100.0).contains(&e)), "{}: {error:?}", preset.name);
    }
}

/// The error of a network that is zero everywhere is one; of one that is exact, zero.
#[test]
fn the_comparison_measures_relative_errors() {
    let text = "format = 1\n[domain]\nx = { range = [0, 1] }\n[residual.interior]\n\
                equation = 'u_x = 0'\n[network]\nlayers = [3]\n[exact]\nu = '0*x + 2'";
    let comparison = Comparison::new(&problem(text));
    let mut theta = vec![0.0; 10];
    assert_eq!(comparison.relative_l2(&theta), Some(1.0));
    theta[9] = 2.0;
    assert_eq!(comparison.relative_l2(&theta), Some(0.0));
}

#[test]
fn points_are_drawn_anew_when_it_is_time() {
    let text = "format = 1\n[domain]\nx = { range = [0, 1] }\ny = { range = [0, 1] }\n\
                [residual.interior]\nequation = 'laplace(u) = x'\n\
                points = { layout = 'sobol', count = 32, resample = 3 }\n\
                [residual.walls]\non = 'boundary'\nequation = 'u = 0'\npoints = { count = 5 }";
    let mut system = Collocation::new(&problem(text));
    let theta = system.initial_parameters();
    let before: Vec<_> = system.points().to_vec();
    for iteration in 0..3 {
        assert_eq!(system.begin_iteration(iteration, &theta), Ok(false));
    }
    assert_eq!(system.points(), before);
    assert_eq!(system.begin_iteration(3, &theta), Ok(true));
    assert_ne!(system.points()[0], before[0]);
    assert_eq!(system.points()[1], before[1]);
    // A resumed run finds the points of its iteration, and one that starts again the first ones.
    let drawn = system.points().to_vec();
    let mut resumed = Collocation::new(&problem(text));
    assert_eq!(resumed.begin_iteration(5, &theta), Ok(true));
    assert_eq!(resumed.points(), drawn);
    assert_eq!(system.begin_iteration(0, &theta), Ok(true));
    assert_eq!(system.points(), before);
}

/// Near x = 1 the residual is large: points gather there, and come back from a saved state.
#[test]
fn points_are_drawn_where_the_residual_is_large() {
    let text = |refine: &str| {
        format!(
            "format = 1\n[domain]\nx = {{ range = [0, 1] }}\n[residual.interior]\n\
             equation = 'u_x = exp(5*(x - 1))'\n\
             points = {{ layout = 'sobol', count = 400, resample = 2{refine} }}\n\
             [network]\nlayers = [3]\n"
        )
    };
    let mean = |system: &Collocation| -> f64 {
        let points = &system.points()[0].coordinates;
        assert_eq!(points.len(), 400);
        points.iter().sum::<f64>() / 400.0
    };
    let mut refined = Collocation::new(&problem(&text(", refine = 1")));
    let mut even = Collocation::new(&problem(&text("")));
    let theta = vec![0.0; refined.parameters()];
    assert!(refined.save().is_empty());
    for system in [&mut refined, &mut even] {
        assert_eq!(system.begin_iteration(2, &theta), Ok(true));
    }
    // Half of the density is even, half that of exp(5 (x - 1)), whose mean is 0.81.
    assert!((mean(&even) - 0.5).abs() < 0.01, "{}", mean(&even));
    assert!((mean(&refined) - 0.653).abs() < 0.04, "{}", mean(&refined));

    let mut resumed = Collocation::new(&problem(&text(", refine = 1")));
    let elsewhere = vec![0.3; theta.len()];
    resumed.begin_iteration(3, &elsewhere).expect("finite");
    resumed.restore(&refined.save()).expect("its own state");
    assert_eq!(resumed.points(), refined.points());
    let mut r = [vec![0.0; 400], vec![0.0; 400]];
    refined.residual(&theta, &mut r[0]).expect("finite");
    resumed.residual(&theta, &mut r[1]).expect("finite");
    assert_eq!(r[0], r[1]);
    let lost = resumed.restore(&Default::default());
    assert!(matches!(lost, Err(ResidualError::Points { .. })), "{lost:?}");
}

#[test]
fn a_residual_that_is_not_finite_is_located() {
    let text = "format = 1\n[domain]\nx = { range = [0, 1] }\n[residual.interior]\n\
                equation = 'u_x = 0'\npoints = { count = 4 }\n\
                [residual.start]\non = 'x = 0'\nequation = 'u = log(-1 - x)'\n";
    let mut system = Collocation::new(&problem(text));
    let theta = system.initial_parameters();
    let mut r = vec![0.0; system.rows()];
    match system.residual(&theta, &mut r) {
        Err(ResidualError::NotFinite { block, place, value }) => {
            assert_eq!((block.as_str(), place.as_str()), ("start", "x = 0"));
            assert!(value.is_nan());
        }
        other => panic!("{other:?}"),
    }
    assert!(system.losses(&[&theta]).expect("no error").iter().all(|loss| loss.is_nan()));
}
