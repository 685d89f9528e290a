//! Saved trainings go on to the same bits.

use super::support::Poisson;
use crate::*;

#[test]
fn a_restored_training_goes_on_to_the_same_bits() {
    for method in Method::all() {
        let word = method.word();
        let begin = || {
            let system = Poisson::new(6, 7);
            let theta = system.0.start(3);
            pollster::block_on(Training::new(
                system,
                method.clone(),
                StoppingRule::default(),
                theta,
                4,
            ))
        };
        let mut whole = begin().expect("finite");
        let untouched = whole.save();
        for _ in 0..4 {
            pollster::block_on(whole.iterate()).expect("finite");
        }
        let mut rest = begin().expect("finite");
        pollster::block_on(rest.restore(&whole.save())).expect("its own state");
        for _ in 0..4 {
            assert_eq!(
                pollster::block_on(whole.iterate()),
                pollster::block_on(rest.iterate()),
                "{word}"
            );
        }
        assert_eq!(whole.save(), rest.save(), "{word}");
        let mut fresh = begin().expect("finite");
        pollster::block_on(fresh.restore(&untouched))
            .expect("the state before the first iteration");
        for _ in 0..8 {
            pollster::block_on(fresh.iterate()).expect("finite");
        }
        assert_eq!(fresh.save(), whole.save(), "{word}");
    }
}

#[test]
fn a_damaged_state_is_refused() {
    for method in Method::all() {
        let begin = || {
            let system = Poisson::new(2, 4);
            let theta = system.0.start(3);
            pollster::block_on(Training::new(
                system,
                method.clone(),
                StoppingRule::default(),
                theta,
                4,
            ))
        };
        let mut training = begin().expect("finite");
        pollster::block_on(training.iterate()).expect("finite");
        for entry in training.save().keys() {
            if entry.starts_with("history") {
                continue;
            }
            let mut state = training.save();
            state.insert(entry.clone(), vec![0.5; 3]);
            let error = pollster::block_on(begin().expect("finite").restore(&state)).err();
            assert_eq!(error, Some(OptimizeError::State { entry: entry.clone() }));
        }
    }
}

#[test]
fn more_iterations_reopen_a_training() {
    let begin = |max_iterations| {
        let system = Poisson::new(2, 4);
        let theta = system.0.start(3);
        let rule = StoppingRule { max_iterations, ..StoppingRule::default() };
        pollster::block_on(Training::new(
            system,
            Method::of("lm").expect("a method"),
            rule,
            theta,
            4,
        ))
    };
    let mut short = begin(2).expect("finite");
    while pollster::block_on(short.iterate()).expect("finite").reason.is_none() {}
    let mut long = begin(3).expect("finite");
    pollster::block_on(long.restore(&short.save())).expect("its own state");
    assert_eq!(long.reason(), None);
    assert_eq!(pollster::block_on(long.iterate()).expect("finite").record.iteration, 3);
    let mut same = begin(2).expect("finite");
    pollster::block_on(same.restore(&short.save())).expect("its own state");
    assert_eq!(same.reason(), Some(StopReason::MaxIterations));
}
