//! The app in windows of the sizes that matter, kept in the target folder to be looked at.

use std::path::PathBuf;

use egui_kittest::Harness;
use sketchpde_native::App;

use super::support::{Desk, open, state, until};

/// Where the pictures go.
fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    folder
}

fn keep(harness: &mut Harness<'_, Option<App>>, name: &str) {
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
