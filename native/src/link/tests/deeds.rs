//! Runs that are told again: what was done along the way is done again at its step.

use super::*;
use crate::link::{Deeds, TrainingLoad, What};

fn poke() -> Command {
    Command::Disturb { place: vec![1.0], height: 0.2, radius: 0.5 }
}

fn obey(server: &mut Server, command: Command) {
    handle(server, Request::Command(command));
}

/// Runs until there is nothing to do; gives the last record and the snapshot.
fn settle_with_deeds(server: &mut Server) -> (Option<Deeds>, Snapshot) {
    loop {
        let (activity, mut updates) = pollster::block_on(server.advance(1.0));
        if activity == Activity::Idle {
            let deeds = updates.iter_mut().find_map(|update| match update {
                Update::Deeds(deeds) => Some(std::mem::take(deeds)),
                _ => None,
            });
            return (deeds, shown(updates).1);
        }
    }
}

#[test]
fn a_run_told_again_ends_in_the_same_bits() {
    let mut server = Server::new(wall_clock);
    handle(&mut server, load(1, small(&[])));
    obey(&mut server, Command::Pause);
    settle(&mut server);
    let stroke = |height: f32| (0..=20).map(|k| [1.0 + 0.1 * k as f32, height]).collect();
    handle(&mut server, Request::Draw(stroke(0.4)));
    obey(&mut server, Command::Step(3));
    settle(&mut server);
    obey(&mut server, Command::SetColumns(25));
    obey(&mut server, poke());
    obey(&mut server, Command::Step(4));
    settle(&mut server);
    obey(&mut server, Command::SetParameter { name: "kappa".into(), value: 0.25 });
    handle(&mut server, Request::Draw(stroke(-0.1)));
    obey(&mut server, Command::Play);
    let (deeds, end) = settle_with_deeds(&mut server);
    let done = deeds.expect("new ones").done;
    let steps: Vec<usize> = done.iter().map(|deed| deed.step).collect();
    assert_eq!(steps, [0, 3, 3, 7, 7]);

    let mut told_again = |deeds: Vec<Deed>| {
        let request = load_with(2, small(&[]), Backend::Cpu, Beginning::Fit, deeds);
        handle(&mut server, request);
        settle_with_deeds(&mut server)
    };
    let (again, same) = told_again(done.clone());
    assert_eq!(same.values, end.values, "to the last bit");
    let again = again.expect("new ones");
    assert_eq!((&again.done, again.redone.len(), again.due.len()), (&done, 5, 0));
    // It can fail: without one of them, or at another step, the end is another one.
    assert_ne!(told_again(done[..4].to_vec()).1.values, end.values);
    let mut late = done;
    late[2].step = 4;
    assert_ne!(told_again(late).1.values, end.values);
}

#[test]
fn what_cannot_be_done_again_is_said_and_the_run_goes_on() {
    let mut server = Server::new(wall_clock);
    let place = Command::Disturb { place: vec![1.0, 2.0], height: 0.2, radius: 0.5 };
    let deeds = vec![Deed { step: 2, what: What::Command(place) }];
    handle(&mut server, load_with(1, small(&[]), Backend::Cpu, Beginning::Fit, deeds));
    let (mut messages, mut done) = (0, false);
    while !done {
        let (activity, updates) = pollster::block_on(server.advance(1.0));
        messages += updates.iter().filter(|u| matches!(u, Update::Message(_))).count();
        done = activity == Activity::Idle;
    }
    assert_eq!(messages, 1);
    assert_eq!(look(&mut server).1.status.phase, Phase::Done);
}

/// A straight line that a small network learns.
const LINE: &str = "format = 1\n[domain]\nx = { range = [0, 1] }\n[residual.interior]\n\
    equation = 'u = x'\npoints = { layout = 'grid', count = 8 }\n[exact]\nu = 'x'\n\
    [evaluation]\ncount = 9\n[network]\nlayers = [5]\n[method]\nname = 'lm'\niterations = 9";

#[test]
fn a_training_goes_on_from_its_mark_to_the_same_bits() {
    let train = |state| {
        let load = TrainingLoad { run: 1, toml: LINE.into(), state, playing: false };
        Request::Train(Box::new(load))
    };
    let step = |server: &mut Server, count| {
        obey(server, Command::Step(count));
        let (mut state, mut points) = (None, Vec::new());
        loop {
            let (activity, updates) = pollster::block_on(server.advance(1.0));
            for update in updates {
                match update {
                    Update::TrainingMark(mark) => state = Some(mark.state),
                    Update::Training(snapshot) => points.extend(snapshot.points),
                    other => panic!("not asked for: {other:?}"),
                }
            }
            if activity == Activity::Idle {
                return (state.expect("one at rest"), points);
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
    let [Update::Training(shown), Update::TrainingMark(_)] = updates.as_slice() else {
        panic!("{updates:?}")
    };
    assert_eq!(shown.points.len(), 4, "all of them, for who begins anew");
    assert_eq!(step(&mut other, 3).1, expected);

    let mut damaged = state;
    damaged.remove("session.seconds").expect("an entry");
    let updates = handle(&mut other, train(Some(damaged)));
    assert!(matches!(updates.as_slice(), [Update::Refused { run: 1, .. }]), "{updates:?}");
}
