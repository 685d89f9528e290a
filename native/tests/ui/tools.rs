//! Drawing, cutting, racing, keeping, and going on after a crash.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use sketchpde::session::Checkpoint;
use sketchpde::session::Phase;
use sketchpde_native::App;
use sketchpde_native::link::{Backend, Fault};

use super::support::{Desk, desktop, open, state, step, until};

type Window = Harness<'static, Option<App>>;

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run_steps(2);
}

/// Presses at the first place, moves over all others and lets go.
fn drag(window: &mut Window, places: &[[f32; 2]]) {
    for (k, [x, y]) in places.iter().enumerate() {
        let at = egui::pos2(*x, *y);
        if k == 0 {
            window.hover_at(at);
            window.step();
            window.drag_at(at);
        } else {
            window.hover_at(at);
        }
        window.step();
    }
    if let Some([x, y]) = places.last() {
        window.drop_at(egui::pos2(*x, *y));
    }
    window.run_steps(4);
}

/// The fragment of the link that is copied.
fn copied(window: &mut Window) -> String {
    window.get_by_label("Copy link").click();
    for _ in 0..3 {
        window.step();
        for command in &window.output().platform_output.commands {
            if let egui::OutputCommand::CopyText(link) = command {
                return link.split_once('#').expect("a fragment").1.to_owned();
            }
        }
    }
    panic!("nothing was copied");
}

/// A file by its entry in the menu.
fn save(window: &mut Window, desk: &super::support::Saved, label: &str) -> (String, Vec<u8>) {
    click(window, "File");
    click(window, label);
    for _ in 0..200 {
        if let Some(file) = desk.take() {
            return file;
        }
        window.run_steps(1);
    }
    panic!("no file came");
}

#[test]
fn a_drawn_curve_becomes_the_solution_and_the_run_goes_on() {
    let mut window = desktop();
    until(&mut window, 60, |state| state.mirror.records.len() > 5);
    click(&mut window, "Pause (space)");
    click(&mut window, "Draw");
    assert!(state(&window).tools.draw);
    let before = state(&window).mirror.values.clone();
    let places: Vec<[f32; 2]> = (0..30).map(|k| [450.0 + 10.0 * k as f32, 200.0]).collect();
    drag(&mut window, &places);
    let after = state(&window).mirror.values.clone();
    let moved = before.iter().zip(&after).map(|(u, v)| (u - v).abs()).fold(0.0, f64::max);
    assert!(moved > 0.3, "{moved}: {:?}", state(&window).notices);
    let paused = step(&window);
    until(&mut window, 60, |state| state.mirror.records.len() > paused + 3);
    assert_eq!(state(&window).mirror.phase(), Phase::Steps);
}

#[test]
fn a_field_is_cut_where_one_drags() {
    let desk =
        Desk { fragment: Some("v1&preset=advection-diffusion-2d".into()), ..Desk::default() };
    let mut window = open([1280.0, 800.0], desk, false);
    until(&mut window, 40, |state| state.mirror.records.len() > 2);
    click(&mut window, "Contours");
    click(&mut window, "Slice");
    let middle = state(&window).tools.slice.expect("a cut");
    drag(&mut window, &[[640.0, 300.0], [640.0, 260.0], [640.0, 220.0]]);
    let higher = state(&window).tools.slice.expect("a cut");
    assert!(higher > middle, "{higher}");
    assert!(!state(&window).stale, "nothing was poked");
    click(&mut window, "Slice");
    assert_eq!(state(&window).tools.slice, None);
}

#[test]
fn a_race_shows_both_and_who_leads() {
    let mut window = open([1280.0, 800.0], Desk::default(), true);
    until(&mut window, 60, |state| state.mirror.records.len() > 2);
    click(&mut window, "Race");
    click(&mut window, "against dense updates");
    until(&mut window, 400, |state| {
        let rival = state.mirror.rival.as_ref().and_then(|rival| rival.status.as_ref());
        rival.is_some_and(|status| status.step > 5 && status.error.is_some())
    });
    let mirror = &state(&window).mirror;
    let rival = mirror.rival.as_ref().expect("a rival");
    let used = |s: &sketchpde::session::Status| s.seconds.steps;
    let (own, other) = (mirror.status.as_ref().expect("own"), rival.status.as_ref().expect("its"));
    assert!((used(own) - used(other)).abs() < 0.2 * used(own), "{own:?} {other:?}");
    assert!(window.query_by_label("Race at equal wall time").is_some());
    click(&mut window, "End the race");
    assert!(state(&window).mirror.rival.is_none());
}

#[test]
fn a_saved_run_is_opened_where_it_was() {
    let desk = Desk::default();
    let (saved, waiting) = (desk.saved.clone(), desk.waiting.clone());
    let mut window = open([1280.0, 800.0], desk, false);
    until(&mut window, 200, |state| state.mirror.records.len() > 40);
    click(&mut window, "Pause (space)");
    window.run_steps(3);
    let (at, values) = (step(&window), state(&window).mirror.values.clone());
    let (name, bytes) = save(&mut window, &saved, "Save the run (checkpoint)");
    assert!(name.ends_with(".sketchpde") && Checkpoint::is_one(&bytes), "{name}");
    click(&mut window, "Play (space)");
    until(&mut window, 100, |state| state.mirror.records.len() > at + 5);
    waiting.set(Some(bytes.clone()));
    until(&mut window, 40, |state| {
        state.mirror.status.as_ref().is_some_and(|s| s.step == at && !s.playing)
    });
    assert_eq!(state(&window).mirror.values, values);
    assert!(state(&window).mirror.frames.times.len() > 30, "its picture is there");
    // As the command line writes it: without a story.
    let mut plain = Checkpoint::from_bytes(&bytes).expect("a checkpoint");
    (plain.story, plain.told) = (String::new(), 0);
    click(&mut window, "Play (space)");
    until(&mut window, 100, |state| state.mirror.records.len() > at + 5);
    waiting.set(Some(plain.to_bytes()));
    until(&mut window, 40, |state| {
        state.mirror.status.as_ref().is_some_and(|s| s.step == at && !s.playing)
    });
    assert_eq!(state(&window).mirror.values, values);
    waiting.set(Some(b"sketchpde run 3\nnonsense".to_vec()));
    window.run_steps(3);
    assert!(state(&window).notices.iter().any(|n| n.bad && n.text.contains("earlier version")));
}

#[test]
fn after_a_crash_the_run_goes_on_and_says_so() {
    let desk = Desk::default();
    let faults = desk.faults.clone();
    let mut window = open([1280.0, 800.0], desk, true);
    until(&mut window, 400, |state| state.mirror.frames.times.len() > 60);
    let (frames, before) = (state(&window).mirror.frames.times.len(), step(&window));
    faults.set(Some(Fault::Panic));
    until(&mut window, 400, move |state| state.mirror.records.len() > before + 5);
    let mirror = &state(&window).mirror;
    assert!(mirror.frames.times.len() > frames, "the picture is whole");
    assert!(mirror.records.is_sorted_by(|a, b| b.step == a.step + 1), "no step is missing");
    assert!(mirror.status.as_ref().is_some_and(|s| s.error.is_some()), "errors are measured");
    let told = |state: &sketchpde_native::app::state::State, words: &str| {
        state.notices.iter().any(|n| n.bad && n.text.contains(words))
    };
    assert!(told(state(&window), "goes on at step "));
    // One that crashes at once again waits, and is then given up.
    faults.set(Some(Fault::Panic));
    window.run_steps(1);
    faults.set(Some(Fault::Panic));
    window.run_steps(1);
    assert!(told(state(&window), "when you press play"), "{:?}", state(&window).notices);
    faults.set(Some(Fault::Panic));
    window.run_steps(2);
    assert!(told(state(&window), "choose a problem"), "{:?}", state(&window).notices);
}

#[test]
fn a_training_is_watched_and_stops_when_asked() {
    let mut window = open([1280.0, 800.0], Desk::default(), false);
    until(&mut window, 40, |state| state.mirror.records.len() > 2);
    click(&mut window, "Over the whole domain at once…");
    click(&mut window, "A nonlinear boundary value problem");
    // By `lm` it needs no training, and ends before it can be watched.
    click(&mut window, "kernel");
    until(&mut window, 60, |state| {
        state.training.as_ref().is_some_and(|t| t.points.len() > 20 && t.field.is_some())
    });
    let training = |window: &Window| {
        let training = state(window).training.as_ref().expect("a training");
        (training.points.clone(), training.error(), training.playing())
    };
    let (points, error, playing) = training(&window);
    assert!(playing && error.is_some_and(|error| error < 0.5), "{error:?}");
    assert!(points.is_sorted_by(|a, b| b.iteration == a.iteration + 1 && b.loss <= a.loss));
    click(&mut window, "Pause (space)");
    let paused = training(&window).0.len();
    window.run_steps(5);
    assert_eq!(training(&window).0.len(), paused);
    click(&mut window, "One time step (arrow right)");
    window.run_steps(3);
    assert_eq!(training(&window).0.len(), paused + 1);
    assert!(window.query_by_label_contains("  ·  f64  ·  kernel").is_some(), "where it computes");
    // Another choice of where to compute begins it anew.
    let run = |window: &Window| state(window).training.as_ref().map(|training| training.run);
    let before = run(&window);
    click(&mut window, "Backend: CPU");
    until(&mut window, 60, |state| {
        let moved = state.training.as_ref().filter(|t| Some(t.run) != before);
        state.backend == Backend::Cpu && moved.is_some_and(|t| t.status.is_some())
    });
    click(&mut window, "adam");
    until(&mut window, 60, |state| {
        state.training.as_ref().is_some_and(|t| t.points.len() > 2 && t.points[0].rank == 0)
    });
    click(&mut window, "Allen-Cahn equation");
    until(&mut window, 40, |state| state.training.is_none() && state.mirror.records.len() > 2);
}

#[test]
fn a_link_tells_what_was_done_to_the_run_again() {
    let mut window = desktop();
    until(&mut window, 60, |state| state.mirror.records.len() > 5);
    click(&mut window, "Pause (space)");
    click(&mut window, "Draw");
    let drawn = step(&window);
    let places: Vec<[f32; 2]> = (0..30).map(|k| [450.0 + 10.0 * k as f32, 200.0]).collect();
    drag(&mut window, &places);
    until(&mut window, 60, |state| state.mirror.records.len() > drawn + 4);
    let time = *state(&window).mirror.frames.times.last().expect("a frame");
    let at_that_time = |window: &Window| {
        let frames = &state(window).mirror.frames;
        let nearest = frames.nearest(time).expect("a frame");
        assert_eq!(frames.times[nearest], time);
        frames.values_at(nearest).expect("a frame").to_vec()
    };
    let values = at_that_time(&window);
    let fragment = copied(&mut window);
    assert!(fragment.contains(&format!("&at={drawn}~draw~")), "{fragment}");

    let opened = |fragment: String| {
        let desk = Desk { fragment: Some(fragment), ..Desk::default() };
        let mut window = open([1280.0, 800.0], desk, false);
        until(&mut window, 200, |state| state.mirror.frames.times.last() >= Some(&time));
        window
    };
    let again = opened(fragment.clone());
    assert_eq!(at_that_time(&again), values, "to the last bit");
    assert!(state(&again).stale, "there is nothing to compare with any more");
    let plain = fragment.split("&at=").next().expect("a beginning").to_owned();
    assert_ne!(at_that_time(&opened(plain)), values, "it can fail");
}

/// A training that is under way.
fn training(desk: Desk) -> Window {
    let mut window = open([1280.0, 800.0], desk, false);
    until(&mut window, 40, |state| state.mirror.records.len() > 2);
    click(&mut window, "Over the whole domain at once…");
    click(&mut window, "A nonlinear boundary value problem");
    // By `lm` it needs no training, and ends before it can be watched.
    click(&mut window, "kernel");
    until(&mut window, 60, |state| {
        state.training.as_ref().is_some_and(|t| t.points.len() > 8 && t.field.is_some())
    });
    window
}

fn losses(window: &Window) -> Vec<f64> {
    let training = state(window).training.as_ref().expect("a training");
    training.points.iter().map(|point| point.loss).collect()
}

#[test]
fn a_training_is_saved_opened_and_shared() {
    let desk = Desk::default();
    let (saved, waiting) = (desk.saved.clone(), desk.waiting.clone());
    let mut window = training(desk);
    click(&mut window, "Pause (space)");
    window.run_steps(2);
    let before = losses(&window);
    let (name, bytes) = save(&mut window, &saved, "Save the run (checkpoint)");
    assert!(name.ends_with(".sketchpde"), "{name}");
    let (_, history) = save(&mut window, &saved, "Save the history (CSV)");
    let lines = String::from_utf8(history).expect("text").lines().count();
    assert_eq!(lines, before.len() + 1);
    let fragment = copied(&mut window);

    click(&mut window, "Allen-Cahn equation");
    until(&mut window, 40, |state| state.training.is_none() && state.mirror.records.len() > 2);
    waiting.set(Some(bytes.clone()));
    until(&mut window, 20, |state| state.training.as_ref().is_some_and(|t| !t.points.is_empty()));
    assert_eq!(losses(&window), before, "it stands where it stood");
    click(&mut window, "Play (space)");
    let more = before.len() + 2;
    until(&mut window, 60, |state| state.training.as_ref().is_some_and(|t| t.points.len() > more));

    let desk = Desk { fragment: Some(fragment), ..Desk::default() };
    let mut other = open([1280.0, 800.0], desk, false);
    until(&mut other, 60, |state| state.training.as_ref().is_some_and(|t| t.points.len() > more));
    assert_eq!(losses(&other)[..before.len()], before, "the same training from its beginning");
}

#[test]
fn a_training_survives_a_crash() {
    let desk = Desk::default();
    let faults = desk.faults.clone();
    let mut window = training(desk);
    let before = losses(&window);
    faults.set(Some(Fault::Panic));
    let more = before.len() + 3;
    until(&mut window, 60, |state| state.training.as_ref().is_some_and(|t| t.points.len() > more));
    let training = state(&window).training.as_ref().expect("a training");
    assert!(training.points.is_sorted_by(|a, b| b.iteration == a.iteration + 1), "none is missing");
    assert!(
        state(&window).notices.iter().any(|n| n.bad && n.text.contains("The training goes on"))
    );
}
