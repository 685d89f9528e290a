//! A small run from outside: commands, snapshots, going on from a saved state.

mod density;

use super::{
    Activity, Checkpoint, Command, Maker, Options, Phase, Recording, SavedState, SavedSteps,
    Session, SessionError, Solver, Start,
};
use crate::field::device::Backend;
use crate::output::StepRecord;
use crate::problem::{Overrides, Problem, ProblemFile};
use crate::reference::Reference;

/// A wave that travels and decays, with an exact solution: 20 steps.
const WAVE: &str = r#"
format = 1
name = "small-wave"
[equation]
text = "u_t = kappa*u_xx - c*u_x"
[domain]
x = { range = [0, "2*pi"], boundary = "periodic" }
[time]
end = 0.2
[parameters]
kappa = { value = 0.5, range = [0, 1] }
c = 1
[initial]
u = "sin(x)"
[exact]
u = "exp(-kappa*t)*sin(x - c*t)"
[network]
width = 5
hidden_layers = 1
activation = "tanh"
[points]
count = 40
[method]
columns = 30
step = 0.01
"#;

/// A clock that does not move: every call of `advance` uses its budget to the end of the run.
fn stopped() -> f64 {
    0.0
}

fn session(start: Start) -> Session {
    session_with(start, &[])
}

fn session_with(start: Start, changes: &[(&str, &str)]) -> Session {
    let changes: Overrides =
        changes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let problem = Problem::from_toml(WAVE, &changes).expect("a valid problem");
    session_of(ProblemFile::Evolution(problem), start)
}

fn session_of(problem: ProblemFile, start: Start) -> Session {
    let solver = pollster::block_on(Solver::open(problem, &Backend::Cpu)).expect("a CPU");
    let options = Options { start, frames: 10, clock: stopped };
    pollster::block_on(Session::new(solver, options)).expect("a session")
}

fn record(session: &Session) -> &Recording {
    session.recording().expect("an evolution")
}

fn obey(session: &mut Session, command: Command) -> Result<(), SessionError> {
    pollster::block_on(session.obey(command))
}

/// Runs until there is nothing to do.
fn settle(session: &mut Session) {
    while pollster::block_on(session.advance(1.0)) == Activity::Busy {}
}

fn finished() -> Session {
    let mut session = session(Start::Beginning);
    settle(&mut session);
    assert_eq!(session.status().phase, Phase::Done, "{:?}", session.failure());
    session
}

/// What must be the same in two equal runs: everything but the wall times.
fn outcome(session: &Session) -> (Vec<StepRecord>, Vec<f64>, Vec<f64>) {
    let mut records = record(session).history().records.clone();
    records.iter_mut().for_each(|record| record.wall_seconds = 0.0);
    (records, session.parameters().to_vec(), record(session).frames().values().to_vec())
}

#[test]
fn a_run_goes_from_the_fit_to_the_end_and_keeps_evenly_spread_frames() {
    let session = finished();
    let status = session.status();
    assert_eq!((status.step, status.steps), (20, Some(20)));
    assert!((status.time - 0.2).abs() < 1e-12);
    assert_eq!(record(&session).frames().len(), 11, "the start and ten marks");
    assert!(status.initial_error.is_some_and(|e| e < 1e-3), "{:?}", status.initial_error);
    assert_eq!(status.seconds_left, Some(0.0));
}

#[test]
fn steps_by_command_are_the_steps_of_a_free_run() {
    let whole = finished();
    let mut single = session(Start::Beginning);
    obey(&mut single, Command::Pause).unwrap();
    settle(&mut single);
    assert_eq!((single.status().phase, single.status().step), (Phase::Steps, 0));
    for _ in 0..4 {
        obey(&mut single, Command::Step(5)).unwrap();
        settle(&mut single);
    }
    assert_eq!(outcome(&single), outcome(&whole));
}

fn steps_of(saved: &SavedState) -> &SavedSteps {
    match saved {
        SavedState::Steps(steps) => steps,
        other => panic!("no time steps: {}", other.place()),
    }
}

#[test]
fn a_run_that_is_saved_in_its_fit_goes_on_to_the_same_bits() {
    let whole = finished();
    let mut first = session(Start::Beginning);
    // A budget of nothing: one iteration at a time.
    for _ in 0..2 {
        assert_eq!(pollster::block_on(first.advance(0.0)), Activity::Busy);
    }
    assert_eq!(first.status().phase, Phase::Fit);
    let saved = first.save().expect("a state");
    assert!(matches!(saved, SavedState::Fit { .. }));
    let mut second = session(Start::Saved(saved));
    assert_eq!(second.status().fit_error, first.status().fit_error);
    settle(&mut second);
    assert_eq!(outcome(&second), outcome(&whole));
    assert_eq!(second.status().fit_ended, whole.status().fit_ended);
    assert!(whole.status().fit_ended.is_some());
}

#[test]
fn a_saved_run_goes_on_to_the_same_bits() {
    let whole = finished();
    let mut first = session(Start::Beginning);
    obey(&mut first, Command::Step(7)).unwrap();
    settle(&mut first);
    let saved = first.save().expect("a state");
    assert_eq!(steps_of(&saved).history.records.len(), 7);
    let mut second = session(Start::Saved(saved));
    settle(&mut second);
    assert_eq!(outcome(&second), outcome(&whole));
    // The comparison can fail: another number of columns is another run.
    let mut other = session(Start::Fitted(record(&whole).fitted().to_vec()));
    obey(&mut other, Command::set("method.columns", "29")).unwrap();
    settle(&mut other);
    assert_ne!(outcome(&other).1, outcome(&whole).1);
}

/// The length of the next step, its controller and the draws of subsets are a part of the state,
/// and spectra of every scheme are kept at the same marks.
#[test]
fn a_saved_run_with_step_control_goes_on_to_the_same_bits_in_every_scheme() {
    for scheme in ["stage-fit", "parameter-ode"] {
        let changes = [
            ("method.scheme", scheme),
            ("method.integrator", "dormand-prince"),
            ("method.tolerance", "1e-4"),
            ("method.rcond", "1e-4"),
        ];
        let mut whole = session_with(Start::Beginning, &changes);
        settle(&mut whole);
        assert_eq!(whole.status().phase, Phase::Done, "{scheme}: {:?}", whole.failure());
        let steps = record(&whole).history().records.len();
        assert!(steps > 3, "{scheme} took {steps} steps");

        let mut first = session_with(Start::Beginning, &changes);
        obey(&mut first, Command::Step(steps / 2)).unwrap();
        settle(&mut first);
        let saved = first.save().expect("a state");
        let mut forgetful = steps_of(&saved).clone();
        forgetful.evolution.dt *= 0.9;
        let mut second = session_with(Start::Saved(saved), &changes);
        settle(&mut second);
        assert_eq!(outcome(&second), outcome(&whole), "{scheme}");
        assert_eq!(record(&second).history().spectra, record(&whole).history().spectra, "{scheme}");
        assert!(
            record(&whole).history().spectra.len() >= 2,
            "{scheme}: the start and the end at least"
        );
        // The comparison can fail.
        let forgetful = SavedState::Steps(Box::new(forgetful));
        let mut other = session_with(Start::Saved(forgetful), &changes);
        settle(&mut other);
        assert_ne!(outcome(&other), outcome(&whole), "{scheme}");
    }
}

#[test]
fn reset_goes_back_to_the_fitted_state() {
    let mut session = finished();
    let whole = outcome(&session);
    obey(&mut session, Command::Pause).unwrap();
    obey(&mut session, Command::Reset).unwrap();
    assert_eq!(session.status().step, 0);
    assert_eq!(session.parameters(), record(&session).fitted());
    obey(&mut session, Command::Play).unwrap();
    settle(&mut session);
    assert_eq!(outcome(&session), whole);
}

#[test]
fn errors_are_measured_whenever_the_reference_comes() {
    let mut session = session(Start::Beginning);
    obey(&mut session, Command::Step(9)).unwrap();
    settle(&mut session);
    assert_eq!(session.status().error, None);
    let exact = Reference::of(record(&session).problem(), &|_| std::ops::ControlFlow::Continue(()));
    session.set_reference(exact.unwrap().expect("the problem has an exact solution"));
    assert!(session.status().error.is_some_and(|e| e < 1e-2), "{:?}", session.status().error);
    obey(&mut session, Command::Play).unwrap();
    settle(&mut session);
    let compared = record(&session).history().records.iter().filter(|r| r.error.is_some()).count();
    assert_eq!(compared, 10, "one record per frame but the first");
    let last = record(&session).history().records.last().unwrap().error;
    assert_eq!(last, session.status().error);
}

#[test]
fn snapshots_bring_each_record_once_and_again_when_its_error_is_known() {
    let mut session = session(Start::Beginning);
    obey(&mut session, Command::Step(6)).unwrap();
    settle(&mut session);
    let look = |session: &mut Session| {
        let snapshot = session.snapshot();
        (snapshot.first_record, snapshot.records.len())
    };
    assert_eq!(look(&mut session), (0, 6));
    assert_eq!(look(&mut session), (6, 0));
    obey(&mut session, Command::Step(2)).unwrap();
    settle(&mut session);
    assert_eq!(look(&mut session), (6, 2));
    let exact = Reference::of(record(&session).problem(), &|_| std::ops::ControlFlow::Continue(()));
    session.set_reference(exact.unwrap().unwrap());
    // Every second step is a frame: the first record that has changed is number 1.
    assert_eq!(look(&mut session), (1, 7));
}

#[test]
fn wrong_requests_are_refused_and_change_nothing() {
    let mut session = session(Start::Beginning);
    let before = record(&session).problem().clone();
    for (key, value, text) in [
        ("parameters.speed", "1.0", "speed"),
        ("parameters.kappa", "2.0", "kappa"),
        ("parameters.c", "nan", "c"),
        ("method.columns", "0", "columns"),
        ("method.columns", "10000", "columns"),
        ("method.rcond", "1.0", "rcond"),
        ("method.step", "-0.1", "step"),
        ("network.width", "6", "begin anew"),
        ("time.end", "0.3", "begin anew"),
    ] {
        let error = obey(&mut session, Command::set(key, value)).expect_err("refused").to_string();
        assert!(error.contains(text), "{error}");
    }
    assert_eq!(record(&session).problem(), &before);
}

#[test]
fn a_bump_is_added_across_the_seam_and_the_run_goes_on() {
    let mut session = session(Start::Beginning);
    obey(&mut session, Command::Step(5)).unwrap();
    settle(&mut session);
    let before = session.snapshot();
    let (height, radius) = (0.3, 0.9);
    let bump = Command::Disturb { place: vec![0.1], height, radius };
    obey(&mut session, bump).unwrap();
    let after = session.snapshot();
    assert_eq!(after.status.time, before.status.time);
    let added = |x: f64| {
        let gap = f64::min((x - 0.1).abs(), std::f64::consts::TAU - (x - 0.1).abs());
        height * (-(gap / radius).powi(2)).exp()
    };
    let x = &record(&session).grid().axes()[0];
    let misses = x.iter().zip(before.values.iter().zip(&after.values));
    let worst = misses.fold(0.0f64, |worst, (x, (u, v))| worst.max((v - u - added(*x)).abs()));
    assert!(worst < 0.03 * height, "off by {worst:.1e}");
    // The oracle can fail: without the way round the seam it is off by the bump itself.
    let far = x.len() - 1;
    assert!((after.values[far] - before.values[far]).abs() > 0.5 * height);
    let wrong = Command::Disturb { place: vec![], height, radius };
    assert!(obey(&mut session, wrong).is_err());
    let wrong = Command::Disturb { place: vec![0.1], height: f64::NAN, radius };
    assert!(obey(&mut session, wrong).is_err());
    obey(&mut session, Command::Play).unwrap();
    settle(&mut session);
    assert_eq!(session.status().phase, Phase::Done, "{:?}", session.failure());
}

#[test]
fn a_drawn_state_is_where_the_run_begins_from_then_on() {
    let mut session = session(Start::Beginning);
    obey(&mut session, Command::Step(0)).unwrap();
    settle(&mut session);
    let x = record(&session).grid().axes()[0].clone();
    let drawn: Vec<f64> = x.iter().map(|x| 0.5 * x.sin() + 0.3 * (2.0 * x).cos()).collect();
    let distance = |values: &[f64]| {
        let worst = values.iter().zip(&drawn).fold(0.0f64, |w, (u, v)| w.max((u - v).abs()));
        assert_eq!(values.len(), drawn.len());
        worst
    };
    assert!(distance(&session.snapshot().values) > 0.4, "it is not that from the start");
    obey(&mut session, Command::Redraw { values: drawn.clone() }).unwrap();
    let after = session.snapshot();
    assert!(distance(&after.values) < 2e-2, "off by {:.1e}", distance(&after.values));
    assert_eq!((after.status.step, after.status.initial_error), (0, None));
    obey(&mut session, Command::Step(5)).unwrap();
    settle(&mut session);
    assert_eq!(session.status().step, 5);
    obey(&mut session, Command::Reset).unwrap();
    assert!(distance(&session.snapshot().values) < 2e-2, "a reset leads back to it");
    for wrong in [vec![0.0; 3], vec![f64::NAN; drawn.len()]] {
        assert!(obey(&mut session, Command::Redraw { values: wrong }).is_err());
    }
}

#[test]
fn a_new_parameter_acts_from_now_on_and_ends_the_comparison() {
    let mut session = session(Start::Beginning);
    let exact = Reference::of(record(&session).problem(), &|_| std::ops::ControlFlow::Continue(()));
    session.set_reference(exact.unwrap().unwrap());
    obey(&mut session, Command::Step(10)).unwrap();
    settle(&mut session);
    let before = outcome(&session);
    obey(&mut session, Command::set("parameters.kappa", "0")).unwrap();
    assert_eq!(outcome(&session), before, "the past stays");
    obey(&mut session, Command::Play).unwrap();
    settle(&mut session);
    let snapshot = session.snapshot();
    assert!(snapshot.messages.iter().any(|m| m.contains("kappa changed")));
    assert!(snapshot.reference.is_none());
    assert_eq!(snapshot.status.error, None, "the last error is not of this state");
    // The wave decays during the first half only: exp(-0.5 * 0.1) is its height at the end.
    let height = snapshot.values.iter().fold(0.0, |h: f64, u| h.max(*u));
    assert!((height - (-0.05f64).exp()).abs() < 1e-2, "height {height}");
}

#[test]
fn a_training_is_a_session_too_and_goes_on_from_its_file_to_the_same_bits() {
    let text = "format = 1\n[domain]\nx = { range = [0, 1] }\n[residual.interior]\n\
        equation = 'u = x'\npoints = { layout = 'grid', count = 8 }\n[exact]\nu = 'x'\n\
        [evaluation]\ncount = 9\n[network]\nlayers = [5]\n[method]\nname = 'lm'\n\
        correction = false\niterations = 9";
    let problem =
        || ProblemFile::from_bytes(text.as_bytes(), None, &Overrides::new()).expect("a problem");
    let mut whole = session_of(problem(), Start::Beginning);
    obey(&mut whole, Command::Step(4)).unwrap();
    settle(&mut whole);
    assert_eq!((whole.status().phase, whole.status().step), (Phase::Training, 4));
    assert!(matches!(
        obey(&mut whole, Command::set("method.step", "1")),
        Err(SessionError::StepsOnly)
    ));
    let maker = Maker::of(&whole.description());
    let saved = Checkpoint::new(maker, whole.source(), whole.save().expect("a state"));
    let file = Checkpoint::from_bytes(&saved.to_bytes()).expect("a file");
    assert_eq!(file, saved);
    let mut other = session_of(problem(), Start::Saved(file.state.clone()));
    for session in [&mut whole, &mut other] {
        obey(session, Command::Play).unwrap();
        settle(session);
        assert_eq!((session.status().phase, session.status().step), (Phase::Done, 9));
    }
    assert_eq!(whole.parameters(), other.parameters());
    assert_eq!(other.snapshot().points.len(), 9, "all of them, for who begins anew");
    // A state of the other family is refused.
    let solver = pollster::block_on(Solver::open(
        ProblemFile::Evolution(Problem::from_toml(WAVE, &Overrides::new()).unwrap()),
        &Backend::Cpu,
    ));
    let options = Options { start: Start::Saved(file.state), frames: 10, clock: stopped };
    let refused = pollster::block_on(Session::new(solver.unwrap(), options));
    assert!(matches!(refused, Err(SessionError::Saved { .. })));
    obey(&mut whole, Command::Reset).unwrap();
    assert_eq!(whole.status().step, 0);
}
