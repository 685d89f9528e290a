//! Trainings: from a mark, on a device, without one.

use sketchpde::optimize::TrainingState;
use sketchpde::session::SavedState;

use super::*;
use crate::link::{Fault, Loaded};

/// A straight line that a small network learns.
const LINE: &str = "format = 1\n[domain]\nx = { range = [0, 1] }\n[residual.interior]\n\
    equation = 'u = x'\npoints = { layout = 'grid', count = 8 }\n[exact]\nu = 'x'\n\
    [evaluation]\ncount = 9\n[network]\nlayers = [5]\n[method]\nname = 'lm'\niterations = 9\n\
    correction = false";

fn train(backend: Backend, toml: &str, state: Option<TrainingState>) -> Request {
    let start = state.map_or(Beginning::Fit, |state| {
        let state = Box::new(SavedState::Training(state));
        Beginning::Saved { state, comparable: true }
    });
    let (toml, deeds) = (toml.to_owned(), Vec::new());
    let load = Load { run: 1, toml, backend, start, deeds, done: 0, playing: false };
    Request::Load(Box::new(load))
}

#[test]
fn a_training_goes_on_from_its_mark_to_the_same_bits() {
    let train = |state| train(Backend::Cpu, LINE, state);
    let step = |server: &mut Server, count| {
        handle(server, Request::Command(Command::Step(count)));
        let (mut state, mut points) = (None, Vec::new());
        loop {
            let (activity, updates) = pollster::block_on(server.advance(1.0));
            for update in updates {
                match update {
                    Update::Mark(mark) => state = Some(mark.state),
                    Update::Snapshot(snapshot) => points.extend(snapshot.points),
                    Update::Picture(_) => {}
                    other => panic!("not asked for: {other:?}"),
                }
            }
            if activity == Activity::Idle {
                let Some(SavedState::Training(state)) = state else { panic!("one at rest") };
                return (state, points);
            }
        }
    };
    let mut whole = Server::new(wall_clock);
    handle(&mut whole, train(None));
    let (state, _) = step(&mut whole, 4);
    let (_, expected) = step(&mut whole, 3);
    assert_eq!(expected.iter().map(|p| p.iteration).collect::<Vec<_>>(), [5, 6, 7]);

    let mut other = Server::new(wall_clock);
    let updates = handle(&mut other, train(Some(state.clone())));
    assert!(matches!(updates.as_slice(), [Update::Loaded(_)]), "{updates:?}");
    let (_, shown) = look(&mut other);
    assert_eq!(shown.points.len(), 4, "all of them, for who begins anew");
    assert_eq!(step(&mut other, 3).1, expected);

    let mut damaged = state;
    damaged.remove("session.seconds").expect("an entry");
    let updates = handle(&mut other, train(Some(damaged)));
    assert!(matches!(updates.as_slice(), [Update::Refused { run: 1, .. }]), "{updates:?}");
}

/// What was told and shown until there is nothing to do.
fn run_out(server: &mut Server) -> (Vec<String>, Snapshot) {
    let (mut told, mut shown) = (Vec::new(), None);
    loop {
        let (activity, updates) = pollster::block_on(server.advance(1.0));
        for update in updates {
            match update {
                Update::Message(message) => told.push(message),
                Update::Snapshot(snapshot) => shown = Some(*snapshot),
                _ => {}
            }
        }
        if activity == Activity::Idle {
            return (told, shown.expect("it shows itself at rest"));
        }
    }
}

/// A server that trains on a backend and has done so many iterations.
fn trained_on(backend: Backend, toml: &str, count: usize) -> (Server, Loaded, Snapshot) {
    let mut server = Server::new(wall_clock);
    let updates = handle(&mut server, train(backend, toml, None));
    let Some(Update::Loaded(place)) = updates.first() else { panic!("{updates:?}") };
    handle(&mut server, Request::Command(Command::Step(count)));
    let (told, shown) = run_out(&mut server);
    assert_eq!(told, [] as [String; 0]);
    (server, place.clone(), shown)
}

#[test]
fn a_training_whose_device_is_lost_goes_on_on_the_cpu() {
    let (_, place, truth) = trained_on(Backend::Cpu, LINE, 9);
    assert_eq!((place.backend.as_str(), place.precision.as_str()), ("cpu", "f64"));
    let (mut server, place, before) = trained_on(Backend::Gpu(None), LINE, 4);
    assert_eq!((place.run, place.backend.as_str()), (1, "gpu"));
    assert!(place.precision.starts_with("mixed"), "{}", place.precision);
    // One step from a residual of order one, mean x^2 = 1/3, by a Jacobian in f32.
    let apart =
        |a: &Snapshot, b: &Snapshot| (a.points[0].loss.sqrt() - b.points[0].loss.sqrt()).abs();
    let allowed = 1e-4 * 3f64.sqrt().recip();
    assert!(apart(&before, &truth) < allowed, "{before:?} {truth:?}");
    let (_, _, other) = trained_on(Backend::Cpu, &format!("{LINE}\n[run]\nseed = 1"), 1);
    assert!(apart(&before, &other) > allowed, "another start would have shown");

    handle(&mut server, Request::Fault(Fault::LostDevice));
    handle(&mut server, Request::Command(Command::Play));
    let (told, after) = run_out(&mut server);
    assert!(told.len() == 1 && told[0].contains("goes on, on the CPU"), "{told:?}");
    let server = server.session().expect("a session");
    assert_eq!(server.description().backend, "cpu");
    // None is lost or done twice.
    let iterations: Vec<usize> = after.points.iter().map(|point| point.iteration).collect();
    assert_eq!((after.first_record, iterations), (4, (5..=9).collect()));
    assert!(after.points[0].loss <= before.points[3].loss, "from where it was");
    assert!(after.status.ended.is_some() && after.status.failure.is_none(), "{after:?}");
}

#[test]
fn a_cutoff_that_a_device_cannot_tell_is_shown_with_a_warning() {
    let toml = format!("{}\ncutoff = 1e-9", LINE.replace("'lm'", "'anagram'"));
    let (_, _, double) = trained_on(Backend::Cpu, &toml, 1);
    assert_eq!(double.status.warning, None);
    let (_, _, single) = trained_on(Backend::Gpu(None), &toml, 1);
    assert!(single.status.warning.is_some_and(|text| text.contains("method.cutoff = 1e-9")));
}

#[test]
fn a_reset_stays_on_its_device_and_starts_from_the_same_parameters() {
    let (mut server, place, first) = trained_on(Backend::Gpu(None), LINE, 2);
    handle(&mut server, Request::Command(Command::Reset));
    handle(&mut server, Request::Command(Command::Step(2)));
    let (told, again) = run_out(&mut server);
    assert!(told.is_empty(), "{told:?}");
    let now = server.session().expect("a session").description();
    assert_eq!((now.backend, now.device), (place.backend.as_str(), place.device));
    assert_eq!(again.points, first.points);
}

/// Who asks for a device that is not there is told so, and the server goes on.
#[test]
fn a_device_that_is_not_there_is_refused() {
    let mut server = Server::new(wall_clock);
    let absent = Backend::Gpu(Some("no such adapter".to_owned()));
    let updates = handle(&mut server, train(absent, LINE, None));
    let [Update::Refused { run: 1, message }] = updates.as_slice() else { panic!("{updates:?}") };
    assert!(message.contains("no such adapter"), "{message}");
    let (_, _, shown) = trained_on(Backend::Cpu, LINE, 1);
    assert_eq!(shown.points.len(), 1);
}
