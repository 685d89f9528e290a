//! A solver that ends before its run, and runs that go on.

use super::*;
use sketchpde::output::History;
use sketchpde::session::{Checkpoint, Rows, SavedState, SavedSteps};

use crate::link::{Fault, Mark};

/// A run on the CPU that has taken `steps` steps and rests, its latest mark and its frames.
fn paused_after(steps: usize, toml: &str) -> (Server, Mark, FrameBlock) {
    let mut server = Server::new(wall_clock);
    handle(&mut server, load(1, toml.to_owned()));
    handle(&mut server, Request::Command(Command::Step(steps)));
    loop {
        let (activity, updates) = pollster::block_on(server.advance(1.0));
        if activity != Activity::Idle {
            continue;
        }
        let (mut mark, mut frames) = (None, None);
        for update in updates {
            match update {
                Update::Mark(new) => mark = Some(*new),
                Update::Frames(new) => frames = Some(new),
                _ => {}
            }
        }
        return (server, mark.expect("one at rest"), frames.expect("new ones"));
    }
}

fn steps_of(mark: Mark, frames: &FrameBlock) -> SavedSteps {
    let values = frames.values.iter().map(|&v| f64::from(v)).collect();
    let frames = Rows { times: frames.times.clone(), values };
    match mark.whole(History::default(), frames) {
        SavedState::Steps(steps) => *steps,
        other => panic!("{}", other.place()),
    }
}

fn from(steps: SavedSteps) -> Beginning {
    let state = Box::new(SavedState::Steps(Box::new(steps)));
    Beginning::Saved { state, comparable: true }
}

#[test]
fn a_kept_run_goes_on_to_the_same_bits_in_another_server() {
    let toml = small(&[("method.tolerance", "1e-6")]);
    let (mut whole, mark, frames) = paused_after(7, &toml);
    assert_eq!((mark.step(), frames.times.len()), (7, 8));
    let updates = handle(&mut whole, Request::Save);
    let [Update::Saved(checkpoint)] = updates.as_slice() else { panic!("{updates:?}") };
    handle(&mut whole, Request::Command(Command::Play));
    let (_, expected) = settle(&mut whole);

    let mut other = Server::new(wall_clock);
    let file = Checkpoint::from_bytes(&checkpoint.to_bytes()).expect("a checkpoint");
    let saved = Beginning::Saved { state: Box::new(file.state), comparable: file.comparable };
    let kept = steps_of(mark, &frames);
    for (start, toml) in [(saved, &file.problem), (from(kept.clone()), &toml)] {
        let updates = handle(&mut other, load_on(Backend::Cpu, 2, toml.clone(), start));
        assert!(matches!(updates.first(), Some(Update::Loaded(_))), "{updates:?}");
        let (frames, end) = settle(&mut other);
        assert_eq!(end.values, expected.values, "to the last bit");
        let frames = frames.expect("all of them, for who begins anew");
        assert_eq!(frames.times[..8], kept.frames.times);
    }
    // It can fail: a run from another place ends elsewhere.
    let mut wrong = kept;
    wrong.evolution.theta[0] += 1e-3;
    handle(&mut other, load_on(Backend::Cpu, 3, toml, from(wrong)));
    assert_ne!(settle(&mut other).1.values, expected.values);
}

#[test]
fn foreign_states_are_refused() {
    let toml = small(&[]);
    let (mut server, mark, frames) = paused_after(3, &toml);
    let good = steps_of(mark, &frames);
    let mut refused = |change: fn(&mut SavedSteps)| {
        let mut bad = good.clone();
        change(&mut bad);
        let updates = handle(&mut server, load_on(Backend::Cpu, 9, toml.clone(), from(bad)));
        let [Update::Refused { run: 9, message }] = updates.as_slice() else {
            panic!("{updates:?}")
        };
        message.clone()
    };
    assert!(refused(|kept| kept.frames.values.truncate(1)).contains("grid"));
    assert!(refused(|kept| kept.evolution.time = 7.0).contains("t = 7"));
    assert!(refused(|kept| kept.evolution.theta[1] = f64::NAN).contains("finite"));
    assert!(refused(|kept| kept.evolution.theta.truncate(1)).contains("parameters"));
    assert!(refused(|kept| kept.fitted.push(0.0)).contains("parameters"));
}

/// Polls until `wanted` finds what it looks for.
fn wait_for<T>(link: &mut ThreadLink, mut wanted: impl FnMut(Update) -> Option<T>) -> T {
    let patience = Instant::now() + Duration::from_secs(120);
    while Instant::now() < patience {
        link.send(Request::Snapshot);
        for update in link.poll() {
            if let Some(found) = wanted(update) {
                return found;
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("it did not come to that");
}

#[test]
fn a_thread_that_panics_is_replaced_and_says_why() {
    let mut link = ThreadLink::spawn(|| {}).expect("a thread");
    link.send(load(1, small(&[])));
    wait_for(&mut link, |update| matches!(update, Update::Mark(_)).then_some(()));
    link.send(Request::Fault(Fault::Panic));
    let why = wait_for(&mut link, |update| match update {
        Update::Stopped(why) => Some(why),
        _ => None,
    });
    assert!(why.contains("test"), "{why}");
    link.send(load(2, small(&[])));
    wait_for(&mut link, |update| matches!(update, Update::Loaded(l) if l.run == 2).then_some(()));
}

#[test]
fn a_run_whose_device_is_lost_goes_on_on_the_cpu() {
    let mut server = Server::new(wall_clock);
    let gpu = load_on(Backend::Gpu(None), 1, small(&[]), Beginning::Fit);
    let updates = handle(&mut server, gpu);
    assert!(
        matches!(updates.first(), Some(Update::Loaded(l)) if l.backend == "gpu"),
        "{updates:?}"
    );
    handle(&mut server, Request::Command(Command::Step(4)));
    let (_, before) = settle(&mut server);
    assert_eq!(before.status.step, 4);
    handle(&mut server, Request::Fault(Fault::LostDevice));
    handle(&mut server, Request::Command(Command::Play));
    let (mut told, mut backend) = (String::new(), String::new());
    loop {
        let (activity, updates) = pollster::block_on(server.advance(1.0));
        for update in updates {
            match update {
                Update::Message(message) => told.push_str(&message),
                Update::Loaded(loaded) => backend = loaded.backend,
                _ => {}
            }
        }
        if activity == Activity::Idle {
            break;
        }
    }
    assert!(told.contains("goes on, on the CPU"), "{told}");
    assert_eq!(backend, "cpu");
    let (_, after) = look(&mut server);
    assert_eq!((after.status.phase, after.status.step), (Phase::Done, 20), "no step is lost");
}
