//! Two runs at equal wall time.

use std::cell::Cell;

use super::*;
use crate::link::Challenge;

thread_local! {
    static TICKS: Cell<u32> = const { Cell::new(0) };
}

/// A millisecond per look, so that every step of either run takes the same time.
fn ticking() -> f64 {
    TICKS.set(TICKS.get() + 1);
    f64::from(TICKS.get()) * 1e-3
}

fn challenge(toml: String) -> Request {
    Request::Race(Box::new(Challenge { toml, backend: Backend::Cpu }))
}

fn statuses(updates: Vec<Update>) -> (Option<Snapshot>, Option<Snapshot>) {
    let (mut own, mut rival) = (None, None);
    for update in updates {
        match update {
            Update::Snapshot(snapshot) => own = Some(*snapshot),
            Update::Rival(snapshot) => rival = Some(*snapshot),
            _ => {}
        }
    }
    (own, rival)
}

#[test]
fn both_begin_alike_get_equal_time_and_end_apart() {
    let mut server = Server::new(ticking);
    let own = small(&[]);
    let other = small(&[("method.step", "0.004")]);
    handle(&mut server, load(1, own.clone()));
    assert!(matches!(
        handle(&mut server, challenge(other.clone())).as_slice(),
        [Update::NoRace(_)]
    ));
    let (_, alone) = settle(&mut server);
    let started = statuses(handle(&mut server, challenge(other)));
    let (Some(a), Some(b)) = started else { panic!("two snapshots") };
    assert_eq!(a.values, b.values, "one initial state");
    assert_eq!((a.status.step, b.status.step), (0, 0));
    let (mut last, mut activity) = (None, Activity::Busy);
    while activity != Activity::Idle {
        let (next, updates) = pollster::block_on(server.advance(0.0));
        activity = next;
        let shown =
            if updates.is_empty() { handle(&mut server, Request::Snapshot) } else { updates };
        let (Some(a), Some(b)) = statuses(shown) else { panic!("two snapshots") };
        if a.status.phase == Phase::Steps && b.status.phase == Phase::Steps {
            let apart = a.status.step.abs_diff(b.status.step);
            assert!(apart <= 1, "steps of equal cost are taken in turns: {apart}");
        }
        last = Some((a, b));
    }
    let (a, b) = last.expect("an end");
    assert_eq!((a.status.step, b.status.step), (20, 50));
    assert_eq!(a.values, alone.values, "a rival changes nothing");
    assert_ne!(a.values, b.values);
    handle(&mut server, Request::EndRace);
    assert!(statuses(handle(&mut server, Request::Snapshot)).1.is_none());
}

#[test]
fn another_problem_is_no_rival() {
    let mut server = Server::new(ticking);
    handle(&mut server, load(1, small(&[])));
    settle(&mut server);
    for other in
        [small(&[("run.seed", "7")]), small(&[("equation.text", "u_t = kappa*u_xx + 0*c")])]
    {
        let updates = handle(&mut server, challenge(other));
        let [Update::NoRace(message)] = updates.as_slice() else { panic!("{updates:?}") };
        assert!(message.contains("two problems"), "{message}");
    }
}

#[test]
fn errors_of_both_are_known_when_the_reference_comes_during_the_race() {
    let mut server = Server::new(ticking);
    handle(&mut server, load(1, small(&[])));
    settle(&mut server);
    handle(&mut server, challenge(small(&[("method.step", "0.02")])));
    settle(&mut server);
    let solution = find_reference(&small(&[]), &|| true);
    let (own, rival) = statuses(handle(&mut server, Request::Reference { run: 1, solution }));
    for status in [own, rival].map(|s| s.expect("a snapshot").status) {
        assert!(status.space_time_error.is_some_and(|e| e < 1e-2), "{status:?}");
    }
}
