//! Runs that are told again: what was done along the way is done again at its step.

use super::*;
use crate::link::{Deeds, What};

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
    obey(&mut server, Command::set("method.columns", "25"));
    obey(&mut server, poke());
    obey(&mut server, Command::Step(4));
    settle(&mut server);
    obey(&mut server, Command::set("parameters.kappa", "0.25"));
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
