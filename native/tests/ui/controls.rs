//! What a person can do, one thing a test.

use egui::accesskit::Role;
use egui::{Key, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use sketchpde::problem::{Preset, Sampling, Solver, Update};
use sketchpde::session::Phase;
use sketchpde_native::App;
use sketchpde_native::setup::Setup;

use super::support::{Desk, desktop, open, state, step, until};

type Window = Harness<'static, Option<App>>;

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run_steps(2);
}

/// Replaces what stands in a text field.
pub fn type_into(window: &mut Window, label: &str, text: &str) {
    let field = window.get_by_role_and_label(Role::MultilineTextInput, label);
    field.focus();
    window.step();
    window.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
    window.step();
    window.get_by_role_and_label(Role::MultilineTextInput, label).type_text(text);
    window.run_steps(2);
}

#[test]
fn it_plays_on_arrival_and_pauses_when_asked() {
    let mut window = desktop();
    assert!(state(&window).mirror.playing(), "nobody had to click");
    until(&mut window, 40, |state| state.mirror.frames.times.len() > 3);
    click(&mut window, "Pause (space)");
    let paused = step(&window);
    window.run_steps(10);
    assert_eq!(step(&window), paused);
    click(&mut window, "One time step (arrow right)");
    window.run_steps(4);
    assert_eq!(step(&window), paused + 1);
    click(&mut window, "Play (space)");
    until(&mut window, 40, |state| state.mirror.records.len() > paused + 5);
}

#[test]
fn keys_do_what_the_buttons_say_but_not_while_typing() {
    let mut window = desktop();
    until(&mut window, 40, |state| state.mirror.records.len() > 2);
    window.key_press(Key::Space);
    window.run_steps(2);
    assert!(!state(&window).mirror.playing());
    window.key_press(Key::R);
    window.run_steps(3);
    assert_eq!(step(&window), 0);
    window.key_press(Key::H);
    window.step();
    assert!(!state(&window).panels && window.query_by_label("State your own").is_none());
    window.key_press(Key::H);
    window.step();
    type_into(&mut window, "Equation", "u_t = eps*u_xx + u - r*u^3 ");
    assert_eq!(state(&window).edit.equation.trim(), "u_t = eps*u_xx + u - r*u^3");
    assert!(state(&window).panels && !state(&window).mirror.playing(), "typing is only typing");
}

#[test]
fn a_mistake_in_the_equation_is_explained_and_the_run_goes_on() {
    let mut window = desktop();
    type_into(&mut window, "Equation", "u_t = eps*u_xx + 2u");
    let errors = &state(&window).edit.errors;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].place.map(|(at, _)| at), Some(18), "{errors:?}");
    let message = errors[0].message.clone();
    assert!(window.query_by_label(&message).is_some(), "{message} is on screen");
    let before = step(&window);
    until(&mut window, 40, |state| state.mirror.records.len() > before + 3);
    assert_eq!(state(&window).mirror.problem.equation, "u_t = eps*u_xx + u - u^3");

    type_into(&mut window, "Equation", "u_t = 2*eps*u_xx");
    assert!(state(&window).edit.errors.is_empty());
    until(&mut window, 60, |state| state.mirror.problem.equation == "u_t = 2*eps*u_xx");
    until(&mut window, 60, |state| state.mirror.records.len() > 2);
    assert!(window.query_by_label(&message).is_none());
}

#[test]
fn an_unknown_name_becomes_a_parameter_with_a_slider() {
    let mut window = desktop();
    type_into(&mut window, "Equation", "u_t = eps*u_xx + q*(u - u^3)");
    click(&mut window, "Make q a parameter");
    until(&mut window, 40, |state| state.mirror.problem.parameters.len() == 2);
    window.run_steps(2);
    assert!(window.query_by_role_and_label(Role::Slider, "q").is_some());
}

#[test]
fn a_tile_switches_the_problem() {
    let mut window = desktop();
    let burgers = Preset::find("burgers").expect("a preset");
    click(&mut window, burgers.title);
    until(&mut window, 40, |state| state.mirror.problem.name == "burgers");
    until(&mut window, 40, |state| state.mirror.records.len() > 2);
    assert_eq!(state(&window).edit.equation, "u_t = nu*u_xx - u*u_x");
    assert!(
        state(&window).mirror.status.as_ref().is_some_and(|s| s.seconds.fit == 0.0),
        "its fit is stored"
    );
}

#[test]
fn the_slider_of_s_acts_on_the_run() {
    // Tall enough for the cards of the method to be in sight.
    let mut window = open([1280.0, 960.0], Desk::default(), false);
    until(&mut window, 120, |state| state.mirror.columns.len() == 160);
    let before = step(&window);
    let slider = window.get_by_role_and_label(Role::Slider, "s");
    slider.focus();
    window.step();
    window.key_press(Key::ArrowRight);
    window.run_steps(2);
    let s = state(&window).mirror.problem.method.columns;
    assert!(s > 160, "{s}");
    until(&mut window, 120, move |state| state.mirror.columns.len() == s);
    assert!(step(&window) > before, "the run goes on");
    click(&mut window, "Update: Dense");
    until(&mut window, 120, |state| state.mirror.columns.len() == 545);
    assert_eq!(state(&window).mirror.problem.method.update, Update::Dense);
}

#[test]
fn the_published_baselines_can_be_chosen() {
    let mut window = open([1280.0, 1800.0], Desk::default(), false);
    until(&mut window, 120, |state| state.mirror.columns.len() == 160);
    click(&mut window, "Least squares, draws, refits");
    // It opens in some frames.
    window.run_steps(20);
    click(&mut window, "nystrom-cg");
    until(&mut window, 20, |state| state.mirror.problem.method.solver == Solver::NystromCg);
    click(&mut window, "by-layer");
    until(&mut window, 20, |state| state.mirror.problem.method.sampling == Sampling::ByLayer);
    window.get_by_role_and_label(Role::Slider, "Refit").focus();
    window.step();
    window.key_press(Key::ArrowRight);
    window.run_steps(2);
    assert_eq!(state(&window).mirror.problem.method.refit_every, Some(1));
    until(&mut window, 400, |state| state.mirror.records.len() > 1);
    super::pictures::keep(&mut window, "baselines");
    let method = &state(&window).mirror.problem.method;
    assert_eq!((method.solver, method.sampling), (Solver::NystromCg, Sampling::ByLayer));
}

#[test]
fn a_parameter_acts_at_once_and_the_comparison_ends() {
    let mut window = open([1280.0, 800.0], Desk::default(), true);
    until(&mut window, 60, |state| state.mirror.status.as_ref().is_some_and(|s| s.error.is_some()));
    let slider = window.get_by_role_and_label(Role::Slider, "eps");
    slider.focus();
    window.step();
    window.key_press(Key::ArrowRight);
    window.run_steps(2);
    let eps = state(&window).mirror.problem.parameters[0].value;
    assert!(eps > 5e-3, "{eps}");
    until(&mut window, 20, |state| state.mirror.reference.is_none());
    assert!(window.query_by_label("Not measured").is_some(), "the trust panel says so");
    click(&mut window, "Back to the start (R)");
    until(&mut window, 60, |state| state.mirror.reference.is_some());
    assert!((state(&window).mirror.problem.parameters[0].value - eps).abs() < 1e-15);
}

#[test]
fn a_click_in_the_plot_pulls_the_solution_there() {
    let mut window = desktop();
    until(&mut window, 60, |state| state.mirror.records.len() > 5);
    click(&mut window, "Pause (space)");
    let before = state(&window).mirror.values.clone();
    // In the upper part of the picture, where the curve is.
    let at = egui::pos2(600.0, 190.0);
    window.drag_at(at);
    window.step();
    window.drop_at(at);
    window.run_steps(3);
    let after = &state(&window).mirror.values;
    let moved = before.iter().zip(after).map(|(u, v)| (u - v).abs()).fold(0.0, f64::max);
    assert!(moved > 0.2, "{moved}: {:?}", state(&window).notices);
    assert!(state(&window).notices.iter().any(|n| n.text.contains("was changed")));
}

#[test]
fn earlier_frames_can_be_looked_at_while_the_run_goes_on() {
    let mut window = desktop();
    until(&mut window, 200, |state| state.mirror.frames.times.len() > 30);
    let scrubber = window.get_by_role_and_label(Role::Slider, "Time looked at").rect();
    let start = scrubber.left_center() + egui::vec2(8.0, 0.0);
    window.drag_at(start);
    window.step();
    window.drop_at(start);
    window.step();
    assert!(state(&window).scrub.is_some_and(|frame| frame < 10), "{:?}", state(&window).scrub);
    let looked_at = state(&window).time();
    window.run_steps(5);
    assert_eq!(state(&window).time(), looked_at);
}

#[test]
fn links_open_what_they_were_copied_from_and_bad_ones_say_so() {
    let setup = Setup::preset(Preset::find("kdv").expect("a preset")).with("method.columns", "120");
    let fragment = sketchpde_native::setup::share::to_fragment(&setup.clone().into());
    let desk = Desk { fragment: Some(fragment), ..Desk::default() };
    let mut window = open([1280.0, 800.0], desk, false);
    until(&mut window, 20, |state| state.mirror.columns.len() == 120);
    assert_eq!(state(&window).mirror.problem.name, "kdv");

    let desk = Desk { fragment: Some("v1&preset=kdv&set=evil%3D1".into()), ..Desk::default() };
    let mut window = open([1280.0, 800.0], desk, false);
    until(&mut window, 20, |state| state.mirror.loaded.is_some());
    assert_eq!(state(&window).mirror.problem.name, "allen-cahn");
    assert!(state(&window).notices.iter().any(|n| n.bad && n.text.contains("link")));
}

#[test]
fn what_is_saved_can_be_read_again() {
    let desk = Desk::default();
    let saved = desk.saved.clone();
    let mut window = open([1280.0, 800.0], desk, false);
    until(&mut window, 60, |state| state.mirror.frames.times.len() > 5);
    let save = |window: &mut Window, label: &str| {
        click(window, "File");
        click(window, label);
        saved.take().expect("a file")
    };
    let (name, bytes) = save(&mut window, "Save the problem (TOML)");
    let text = String::from_utf8(bytes).expect("text");
    let read = Setup::file(text).problem().expect("a problem");
    assert_eq!((name.as_str(), read.method.columns), ("allen-cahn.toml", 160));
    let (name, bytes) = save(&mut window, "Save the history (CSV)");
    let lines = String::from_utf8(bytes).expect("text").lines().count();
    assert!(name.ends_with(".csv") && lines > 4, "{name}, {lines} lines");
    let (name, bytes) = save(&mut window, "Save the animation (PNG)");
    assert!(name.ends_with("-evolution.png"), "{name}");
    // It says of itself how many frames it has.
    assert!(bytes.windows(4).any(|word| word == b"acTL"), "it does not move");
    let (name, bytes) = save(&mut window, "Save the picture (PNG)");
    assert!(name.ends_with(".png") && bytes.starts_with(b"\x89PNG") && bytes.len() > 5_000);
}

#[test]
fn every_part_can_be_reached_on_a_phone() {
    let mut window = open([390.0, 844.0], Desk::default(), false);
    until(&mut window, 40, |state| state.mirror.records.len() > 2);
    for (tab, part) in [
        ("Show: Method", "rcond"),
        ("Show: Trust", "Can I trust this?"),
        ("Show: Network", "Network"),
        ("Show: Problem", "Problems"),
    ] {
        click(&mut window, tab);
        assert!(window.query_all_by_label(part).next().is_some(), "{part} under {tab}");
    }
    let theme = window.ctx.theme();
    window.key_press(Key::T);
    window.run_steps(2);
    assert_ne!(window.ctx.theme(), theme);
    assert_ne!(theme, Theme::Light);
}

#[test]
fn a_run_that_is_over_begins_anew_with_play() {
    let desk = Desk {
        fragment: Some("v1&preset=allen-cahn&set=time.end%3D0.05".into()),
        ..Desk::default()
    };
    let mut window = open([1280.0, 800.0], desk, false);
    window.run_steps(2);
    click(&mut window, "Speed: Full");
    until(&mut window, 60, |state| state.mirror.phase() == Phase::Done);
    assert_eq!(step(&window), 5);
    click(&mut window, "Play (space)");
    until(&mut window, 20, |state| {
        state.mirror.phase() == Phase::Steps && state.mirror.records.len() < 5
    });
    until(&mut window, 60, |state| state.mirror.phase() == Phase::Done);
    assert_eq!(step(&window), 5);
}
