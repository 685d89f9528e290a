//! The line, over its whole length: requests in, updates out, as bytes and over a thread.

mod deeds;
mod failures;
mod races;
mod trainings;

use std::time::{Duration, Instant};

use sketchpde::problem::{Overrides, Problem};
use sketchpde::session::{Command, Phase, Snapshot, wall_clock};

use super::{
    Activity, Backend, Beginning, Deed, FrameBlock, Link, Load, Request, Server, ThreadLink,
    Update, decode, encode, find_reference,
};

/// A wave that travels and decays, in 20 steps.
fn small(extra: &[(&str, &str)]) -> String {
    let text = r#"
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
    let changes: Overrides =
        extra.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Problem::from_toml(text, &changes).expect("a valid problem").source
}

fn load(run: u64, toml: String) -> Request {
    load_on(Backend::Cpu, run, toml, Beginning::Fit)
}

fn load_on(backend: Backend, run: u64, toml: String, start: Beginning) -> Request {
    load_with(run, toml, backend, start, Vec::new())
}

fn load_with(
    run: u64,
    toml: String,
    backend: Backend,
    start: Beginning,
    deeds: Vec<Deed>,
) -> Request {
    let load = Load { run, toml, backend, start, deeds, done: 0, playing: true };
    Request::Load(Box::new(load))
}

fn handle(server: &mut Server, request: Request) -> Vec<Update> {
    // Everything passes as bytes, as it does between a page and its worker.
    let request = decode(&encode(&request).expect("encodes")).expect("decodes");
    let updates = pollster::block_on(server.handle(request));
    decode(&encode(&updates).expect("encodes")).expect("decodes")
}

/// Runs until there is nothing to do; gives what the run then shows by itself.
fn settle(server: &mut Server) -> (Option<FrameBlock>, Snapshot) {
    loop {
        let (activity, updates) = pollster::block_on(server.advance(1.0));
        if activity == Activity::Idle {
            return shown(updates);
        }
    }
}

fn look(server: &mut Server) -> (Option<FrameBlock>, Snapshot) {
    shown(handle(server, Request::Snapshot))
}

/// The new frames, if any, and the snapshot.
fn shown(updates: Vec<Update>) -> (Option<FrameBlock>, Snapshot) {
    let mut frames = None;
    for update in updates {
        match update {
            Update::Frames(block) => frames = Some(block),
            Update::Snapshot(snapshot) => return (frames, *snapshot),
            Update::Mark(_) | Update::Rival(_) | Update::Deeds(_) | Update::Picture(_) => {}
            other => panic!("not asked for: {other:?}"),
        }
    }
    panic!("no snapshot");
}

#[test]
fn a_server_runs_a_problem_and_sends_each_frame_once() {
    let mut server = Server::new(wall_clock);
    let updates = handle(&mut server, load(7, small(&[])));
    let Some(Update::Loaded(loaded)) = updates.first() else { panic!("{updates:?}") };
    assert_eq!((loaded.run, loaded.backend.as_str()), (7, "cpu"));
    assert!(matches!(updates.get(1), Some(Update::ReferenceWanted { run: 7, .. })));
    let (frames, snapshot) = settle(&mut server);
    assert_eq!((snapshot.status.phase, snapshot.status.step), (Phase::Done, 20));
    let frames = frames.expect("frames");
    assert_eq!((frames.first, frames.times.len()), (0, 21));
    let session = server.session().expect("a session");
    let same = |a: &[f32], b: &[f64]| a.iter().zip(b).all(|(a, b)| *a == *b as f32);
    assert_eq!(frames.values.len(), session.recording().expect("steps").frames().values().len());
    assert!(same(&frames.values, session.recording().expect("steps").frames().values()));
    assert_eq!(look(&mut server).0, None, "nothing twice");

    handle(&mut server, Request::Command(Command::Reset));
    handle(&mut server, Request::Command(Command::Step(2)));
    assert_eq!(settle(&mut server).0.expect("frames").first, 0, "anew after a reset");
}

#[test]
fn a_reference_arrives_later_and_belongs_to_its_run() {
    let mut server = Server::new(wall_clock);
    handle(&mut server, load(1, small(&[])));
    settle(&mut server);
    assert_eq!(look(&mut server).1.status.error, None);
    let solution = find_reference(&small(&[]), &|| true);
    handle(&mut server, Request::Reference { run: 2, solution: solution.clone() });
    assert_eq!(look(&mut server).1.status.error, None, "that was of another run");
    let (frames, snapshot) = shown(handle(&mut server, Request::Reference { run: 1, solution }));
    let frames = frames.expect("the reference's frames");
    assert!(frames.times.is_empty() && frames.first_reference == 0);
    assert_eq!(frames.reference.len(), 21 * 1024);
    assert!(snapshot.status.error.is_some_and(|e| e < 1e-3), "{:?}", snapshot.status.error);
    let damaged = Request::Reference { run: 1, solution: Ok(vec![1, 2, 3]) };
    assert!(matches!(handle(&mut server, damaged).as_slice(), [Update::Message(_)]));
}

#[test]
fn what_cannot_be_loaded_leaves_the_present_run_alone() {
    let mut server = Server::new(wall_clock);
    handle(&mut server, load(1, small(&[])));
    settle(&mut server);
    let wrong = small(&[]).replace("kappa*u_xx", "kappa*u_xx + q");
    let updates = handle(&mut server, load(2, wrong));
    let [Update::Refused { run: 2, message }] = updates.as_slice() else { panic!("{updates:?}") };
    assert!(message.contains('q'), "{message}");
    assert_eq!(look(&mut server).1.status.phase, Phase::Done);
    let refused = handle(&mut server, Request::Command(Command::set("method.columns", "0")));
    assert!(matches!(refused.as_slice(), [Update::Message(_)]));
}

#[test]
fn a_fit_is_not_repeated() {
    let mut server = Server::new(wall_clock);
    handle(&mut server, load(1, small(&[])));
    settle(&mut server);
    assert!(look(&mut server).1.status.seconds.fit > 0.0);
    // Another equation with the same network and initial state: the same fit.
    handle(&mut server, load(2, small(&[("equation.text", "u_t = kappa*u_xx + 0*c")])));
    assert_eq!(look(&mut server).1.status.phase, Phase::Steps);
    handle(&mut server, load(3, small(&[("run.seed", "5")])));
    assert_eq!(look(&mut server).1.status.phase, Phase::Fit, "another network, another fit");
}

#[test]
fn a_thread_serves_until_the_link_is_dropped() {
    let (sender, woken) = std::sync::mpsc::channel();
    let mut link = ThreadLink::spawn(move || {
        let _ = sender.send(());
    })
    .expect("a thread");
    link.send(load(1, small(&[])));
    let patience = Instant::now() + Duration::from_secs(60);
    let mut done = false;
    while !done {
        assert!(Instant::now() < patience, "the run never came to an end with its error known");
        let _ = woken.recv_timeout(Duration::from_millis(5));
        link.send(Request::Snapshot);
        for update in link.poll() {
            if let Update::Snapshot(snapshot) = update {
                let status = snapshot.status;
                done |= status.phase == Phase::Done && status.error.is_some();
            }
        }
    }
    drop(link);
    // The thread lets go of the waker when it ends.
    loop {
        match woken.recv_timeout(Duration::from_secs(60)) {
            Ok(()) => {}
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
            Err(error) => panic!("the thread goes on: {error}"),
        }
    }
}

#[test]
fn broken_bytes_are_refused() {
    let bytes = encode(&Request::Command(Command::Step(3))).expect("encodes");
    assert!(decode::<Request>(&bytes[..bytes.len() - 1]).is_err());
    assert!(decode::<Request>(&[bytes.clone(), vec![0]].concat()).is_err());
    assert!(decode::<Request>(&[250, 1, 2]).is_err());
    assert_eq!(decode::<Request>(&bytes), Ok(Request::Command(Command::Step(3))));
}
