//! Setups, links and explanations, against the problem files themselves.

use sketchpde::evolve::initial_fit::InitialFit;
use sketchpde::network::Network;
use sketchpde::problem::{Preset, ReferenceKind, presets, residual_presets};
use sketchpde::reference::{self, Reference};
use sketchpde::session::Command;

use super::share::{Opening, ShareError, Story, from_fragment, to_fragment, training_to_fragment};
use super::{Setup, TrainingSetup, explain, live};
use crate::link::{Deed, What};

fn preset(name: &str) -> Setup {
    Setup::preset(Preset::find(name).expect("a preset"))
}

#[test]
fn every_preset_is_right_under_its_live_settings_and_has_its_fit() {
    for preset in presets().iter().filter(|preset| live::is_shown(preset)) {
        let setup = Setup::preset(*preset);
        let problem = setup.problem().unwrap_or_else(|errors| panic!("{}: {errors}", preset.name));
        let fit = setup.stored_fit(&problem);
        let fit = fit
            .unwrap_or_else(|| panic!("{}: no fit; run `cargo run --example fits`", preset.name));
        assert_eq!(fit.len(), Network::of(&problem).parameters(), "{}", preset.name);
        // The stored parameters fit: evaluated at points of its own, on the CPU in f64.
        let grid = sketchpde::session::EvaluationGrid::of(&problem);
        let exact = grid.initial_values(&problem);
        let engine =
            sketchpde::evolve::Engine::new(&problem, &sketchpde::field::device::Backend::Cpu);
        let engine = pollster::block_on(engine).expect("a CPU");
        let evolution = sketchpde::evolve::Evolution::new(&problem, engine, fit).expect("fits");
        let values = evolution.evaluate(grid.coordinates());
        let square = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>();
        let difference: Vec<f64> = values.iter().zip(&exact).map(|(u, v)| u - v).collect();
        let error = (square(&difference) / square(&exact)).sqrt();
        assert!(error < 2.0 * problem.fit.tolerance, "{}: {error:.1e}", preset.name);
    }
}

#[test]
fn a_stored_fit_is_only_for_what_it_was_made_for() {
    let setup = preset("heat-dirichlet");
    let fits = |setup: &Setup| setup.stored_fit(&setup.problem().expect("a problem")).is_some();
    assert!(fits(&setup));
    assert!(fits(&setup.with("method.columns", "50")), "columns do not matter to the fit");
    assert!(!fits(&setup.with("run.seed", "8")));
    assert!(!fits(&setup.with("network.width", "9")));
    assert!(InitialFit::new(&setup.problem().expect("a problem")).is_ok());
}

#[test]
fn links_bring_back_the_setup() {
    let file = "format = 1 # \"ü\" & 100%\n[equation]\ntext = \"u_t = u_xx\"\n[domain]\n\
                x = { range = [0, 1] }\n[time]\nend = 1\n[initial]\nu = \"sin(2*pi*x)\"";
    for setup in [
        preset("allen-cahn"),
        preset("kdv").with("method.columns", "150").with("run.seed", "3"),
        preset("burgers").with_equation("u_t = nu*u_xx - u*u_x + 0.1*sin(x)"),
        Setup::file(file).with("time.end", "0.5"),
    ] {
        let opening = Opening::Run(setup.clone().into());
        let fragment = to_fragment(&setup.into());
        assert!(fragment.bytes().all(|b| b.is_ascii_graphic()), "{fragment}");
        assert_eq!(from_fragment(&fragment).as_ref(), Ok(&opening));
        assert_eq!(from_fragment(&format!("#{fragment}")).as_ref(), Ok(&opening));
    }
    let short = to_fragment(&preset("kdv").with("run.seed", "3").into());
    assert_eq!(short, "v1&preset=kdv&set=run.seed%3D3");
}

#[test]
fn links_bring_back_what_was_done_along_the_way() {
    let columns = |count| What::Command(Command::SetColumns(count));
    let poke = Command::Disturb { place: vec![0.5], height: 0.25, radius: 0.1 };
    let deed = |step, what| Deed { step, what };
    let deeds = vec![
        deed(0, columns(90)),
        deed(0, What::Draw(vec![[0.0, 0.5], [1.0, -0.5]])),
        deed(12, columns(100)),
        deed(40, What::Command(poke)),
    ];
    let story = Story { setup: preset("allen-cahn"), deeds: deeds.clone() };
    let fragment = to_fragment(&story);
    // The first setting is a part of the beginning: nothing had been done before it.
    let begun = preset("allen-cahn").with("method.columns", "90");
    let expected = Story { setup: begun, deeds: deeds[1..].to_vec() };
    assert_eq!(from_fragment(&fragment), Ok(Opening::Run(expected)), "{fragment}");
    let broken = fragment.replace("poke", "poke~x");
    assert!(matches!(from_fragment(&broken), Err(ShareError::Damaged { .. })), "{broken}");
    let many = format!("{fragment}{}", "&at=1~poke~0~1~1".repeat(300));
    assert_eq!(from_fragment(&many), Err(ShareError::TooManyChanges { limit: 256 }));
}

#[test]
fn links_bring_back_trainings() {
    let file =
        "format = 1\n[domain]\nx = { range = [0, 1] }\n[residual.interior]\nequation = 'u = x'";
    for setup in [
        TrainingSetup::preset(residual_presets()[0]),
        TrainingSetup::preset(residual_presets()[1]).with("method.name", "adam"),
        TrainingSetup::file(file).with("run.seed", "4"),
    ] {
        let fragment = training_to_fragment(&setup);
        assert_eq!(from_fragment(&fragment), Ok(Opening::Training(setup)), "{fragment}");
    }
    let wrong = TrainingSetup::file(file).with("method.name", "magic");
    let refused = from_fragment(&training_to_fragment(&wrong));
    assert!(matches!(refused, Err(ShareError::Problem(_))), "{refused:?}");
    let large =
        TrainingSetup::file(format!("{file}\npoints = {{ layout = 'grid', count = 90000000 }}"));
    let refused = from_fragment(&training_to_fragment(&large));
    assert!(refused.is_err(), "{refused:?}");
}

#[test]
fn hostile_and_outdated_links_are_refused() {
    let refused = |fragment: &str| from_fragment(fragment).expect_err(fragment);
    assert!(matches!(refused("v2&preset=kdv"), ShareError::Version { .. }));
    assert!(matches!(refused(""), ShareError::Version { .. }));
    assert!(matches!(refused("v1"), ShareError::Damaged { .. }));
    assert!(matches!(refused("v1&preset=nothing"), ShareError::Problem(_)));
    assert!(matches!(refused("v1&set=a%3Db"), ShareError::Damaged { .. }));
    assert!(matches!(refused("v1&preset=kdv&preset=kdv"), ShareError::Damaged { .. }));
    for broken in ["%", "%4", "%zz", "%ff", "%+1"] {
        let link = format!("v1&preset={broken}");
        assert!(matches!(refused(&link), ShareError::Damaged { .. }), "{broken}");
    }
    let out_of_range = "v1&preset=kdv&set=method.columns%3D1e9";
    assert!(matches!(refused(out_of_range), ShareError::Problem(_)));
    assert!(matches!(refused("v1&preset=kdv&set=evil.key%3D1"), ShareError::Problem(_)));
    let large = "v1&preset=allen-cahn&set=network.width%3D200&set=points.count%3D20000";
    assert!(matches!(refused(large), ShareError::TooLarge { .. }), "{}", refused(large));
    let changes: String = (0..100).map(|k| format!("&set=parameters.p{k}%3D1")).collect();
    let many = from_fragment(&format!("v1&preset=kdv{changes}"));
    assert_eq!(many, Err(ShareError::TooManyChanges { limit: 64 }));
    assert!(matches!(refused(&"v".repeat(1 << 16)), ShareError::TooLong { .. }));
}

#[test]
fn mistakes_are_put_at_their_place_in_the_field() {
    let setup =
        preset("allen-cahn").with("method.columns", "100").with_equation("u_t = eps*u_xx + k*u");
    let errors = explain(&setup, &setup.problem().expect_err("k is unknown"));
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!((error.key.as_str(), error.place), ("equation.text", Some((17, 1))));
    assert_eq!(error.new_parameter.as_deref(), Some("k"));
    assert!(error.message.contains('k') && !error.remedy.is_empty());
    // Without the changes before it the place is another one: the oracle can fail.
    assert_eq!("u_t = eps*u_xx + k*u".chars().nth(17), Some('k'));
    let fixed = setup.with("parameters.k", "{ value = 1.0, range = [0.0, 2.0] }");
    assert_eq!(fixed.problem().expect("right").parameters.len(), 2);
}

#[test]
fn another_equation_gives_up_the_exact_solution_and_the_old_one_takes_it_back() {
    let original = preset("kdv");
    let own = original.problem().expect("right").equation;
    let changed = original.with_equation("u_t = -6*u*u_x - 2*u_xxx");
    assert_eq!(reference::kind(&changed.problem().expect("right")), ReferenceKind::Spectral);
    assert_eq!(changed.with_equation(&own), original);

    let bump = original.with_initial("exp(-x^2)");
    let problem = bump.problem().expect("right");
    assert_eq!(reference::kind(&problem), ReferenceKind::Spectral);
    assert_eq!(problem.initial[0].evaluate_at(&[0.0], 0.0, &problem.parameter_values()), 1.0);

    let plane = preset("advection-diffusion-2d").with_equation("u_t = kappa*laplace(u)");
    let problem = plane.problem().expect("right");
    assert!(matches!(Reference::of(&problem, &|_| std::ops::ControlFlow::Continue(())), Ok(None)));
}

#[test]
fn a_smaller_network_takes_the_columns_down() {
    let setup = preset("allen-cahn").with_fitting("network.width", "2");
    let problem = setup.problem().expect("right");
    assert_eq!(problem.method.columns, Network::of(&problem).parameters());
    let setup = preset("allen-cahn").with_fitting("network.width", "14");
    assert_eq!(setup.problem().expect("right").method.columns, 160);
}
