//! The app in windows of the sizes that matter, kept in the target folder to be looked at.

use std::path::PathBuf;

use egui_kittest::kittest::Queryable;
use egui_kittest::{Harness, SnapshotOptions};
use sketchpde_native::App;

use super::support::{Desk, open, state, until};

/// Where the pictures go.
fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    folder
}

pub fn keep(harness: &mut Harness<'_, Option<App>>, name: &str) {
    let image = harness.render().expect("an adapter that draws");
    image.save(folder().join(format!("{name}.png"))).expect("a file");
}

#[test]
fn windows_of_three_sizes() {
    for (name, size) in
        [("desk", [1280.0, 800.0]), ("large", [1920.0, 1080.0]), ("phone", [390.0, 844.0])]
    {
        let mut harness = open(size, Desk::default(), true);
        until(&mut harness, 400, |state| state.time() > 1.2);
        assert!(state(&harness).mirror.status.as_ref().is_some_and(|s| s.error.is_some()));
        keep(&mut harness, name);
    }
}

/// As it looked when somebody last looked: `UPDATE_SNAPSHOTS=1` takes a new one.
#[test]
fn a_phone_looks_as_it_did() {
    let mut harness = open([390.0, 844.0], Desk::default(), true);
    until(&mut harness, 200, |state| state.time() > 0.8);
    // Which machine it runs on, and how fast.
    let status = egui::Rect::from_min_max(egui::pos2(0.0, 804.0), egui::pos2(390.0, 844.0));
    harness.mask(status);
    let options = SnapshotOptions::new().threshold(2.0).max_failed_pixels(10);
    harness.snapshot_options("phone", &options);
}

#[test]
fn a_mistake_looks_like_one() {
    let fragment = "v1&preset=allen-cahn&set=evil%3D1";
    let desk = Desk { fragment: Some(fragment.into()), ..Desk::default() };
    let mut harness = open([1280.0, 800.0], desk, true);
    until(&mut harness, 200, |state| state.time() > 0.5);
    super::controls::type_into(&mut harness, "Equation", "u_t = eps*u_xx + q*(u - u^3)");
    harness.run_steps(2);
    assert_eq!(state(&harness).edit.errors.len(), 1);
    keep(&mut harness, "mistake");
}

#[test]
fn other_problems_other_moods() {
    for (preset, theme, name) in [
        ("advection-diffusion-2d", egui::Theme::Dark, "plane"),
        ("burgers", egui::Theme::Light, "light"),
    ] {
        let desk = Desk { fragment: Some(format!("v1&preset={preset}")), ..Desk::default() };
        let mut harness = open([1280.0, 800.0], desk, true);
        harness.ctx.set_theme(theme);
        until(&mut harness, 700, |state| state.time() > 0.3 * state.mirror.problem.time.end);
        keep(&mut harness, name);
    }
}

#[test]
fn a_race_and_a_cut_to_be_looked_at() {
    for (name, size) in [
        ("race", [1280.0, 800.0]),
        ("race-large", [1920.0, 1080.0]),
        ("race-phone", [390.0, 844.0]),
    ] {
        let mut harness = open(size, Desk::default(), true);
        until(&mut harness, 40, |state| state.mirror.records.len() > 2);
        for label in ["Race", "against dense updates"] {
            harness.get_by_label(label).click();
            harness.run_steps(2);
        }
        if size[0] < 500.0 {
            harness.get_by_label("Show: Trust").click();
        }
        until(&mut harness, 600, |state| state.time() > 0.3);
        keep(&mut harness, name);
    }
    for (name, size) in [("cut", [1280.0, 800.0]), ("cut-phone", [390.0, 844.0])] {
        let fragment = Some("v1&preset=advection-diffusion-2d".into());
        let mut harness = open(size, Desk { fragment, ..Desk::default() }, true);
        until(&mut harness, 400, |state| state.time() > 0.1);
        for label in ["Contours", "Slice"] {
            harness.get_by_label(label).click();
            harness.run_steps(2);
        }
        keep(&mut harness, name);
    }
}

#[test]
fn trainings_to_be_looked_at() {
    for (preset, name, size) in [
        ("Poisson's equation on a square", "training", [1280.0, 800.0]),
        ("Heat equation in space-time", "training-time", [1920.0, 1080.0]),
        ("A nonlinear boundary value problem", "training-phone", [390.0, 844.0]),
    ] {
        let mut harness = open(size, Desk::default(), false);
        until(&mut harness, 40, |state| state.mirror.records.len() > 2);
        for label in ["Over the whole domain at once…", preset] {
            harness.get_by_label(label).click();
            harness.run_steps(2);
        }
        until(&mut harness, 60, |state| {
            // Or it needs no training.
            let training = state.training.as_ref().filter(|t| t.field.is_some());
            training.is_some_and(|t| t.points.len() > 12 || !(t.points.is_empty() || t.playing()))
        });
        keep(&mut harness, name);
    }
}
