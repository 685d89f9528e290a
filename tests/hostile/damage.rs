//! Changes to bytes, and trials of a decoder under them.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// A change at a place given as a part of the length, so that it fits any file.
#[derive(Clone, Debug)]
pub enum Damage {
    Flip { place: f64, bit: u8 },
    Replace { place: f64, bytes: Vec<u8> },
    Insert { place: f64, bytes: Vec<u8> },
    Remove { place: f64, count: usize },
    Repeat { place: f64, count: usize },
    Truncate { place: f64 },
}

/// What lengths, counts and numbers go wrong by: the ends of integers, and no numbers.
fn words() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(vec![0xff; 4]),
        Just(vec![0xff; 8]),
        Just(vec![0; 8]),
        Just(vec![0xff, 0xff, 0xff, 0xff, 0x0f]),
        Just(f64::NAN.to_le_bytes().to_vec()),
        Just(f64::INFINITY.to_le_bytes().to_vec()),
        Just(1e300_f64.to_le_bytes().to_vec()),
        Just((-0.0_f64).to_le_bytes().to_vec()),
        Just((1_u64 << 40).to_le_bytes().to_vec()),
        Just(b"1e400".to_vec()),
        Just(b"nan".to_vec()),
        Just(b"[[".to_vec()),
        Just(b"\"\"\"".to_vec()),
        Just(b"(((((((((((((((((((((((((((((((".to_vec()),
        Just("\u{202e}\u{0}".as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 1..6),
    ]
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = || 0.0..1.0f64;
    prop_oneof![
        4 => (place(), 0..8u8).prop_map(|(place, bit)| Damage::Flip { place, bit }),
        3 => (place(), words()).prop_map(|(place, bytes)| Damage::Replace { place, bytes }),
        2 => (place(), words()).prop_map(|(place, bytes)| Damage::Insert { place, bytes }),
        2 => (place(), 1..64usize).prop_map(|(place, count)| Damage::Remove { place, count }),
        1 => (place(), 1..64usize).prop_map(|(place, count)| Damage::Repeat { place, count }),
        1 => place().prop_map(|place| Damage::Truncate { place }),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    let length = bytes.len();
    let at = |place: f64| ((place * length as f64) as usize).min(length.saturating_sub(1));
    match damage {
        _ if length == 0 => {}
        Damage::Flip { place, bit } => bytes[at(*place)] ^= 1 << bit,
        Damage::Replace { place, bytes: new } => {
            let start = at(*place);
            let end = (start + new.len()).min(length);
            bytes.splice(start..end, new.iter().copied());
        }
        Damage::Insert { place, bytes: new } => {
            bytes.splice(at(*place)..at(*place), new.iter().copied());
        }
        Damage::Remove { place, count } => {
            bytes.drain(at(*place)..(at(*place) + count).min(length));
        }
        Damage::Repeat { place, count } => {
            let piece = bytes[at(*place)..(at(*place) + count).min(length)].to_vec();
            bytes.splice(at(*place)..at(*place), piece);
        }
        Damage::Truncate { place } => bytes.truncate(at(*place)),
    }
}

/// How many changes each decoder gets.
pub fn cases() -> u32 {
    std::env::var("SKETCHPDE_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(200)
}

/// Longer than any decoder of a small file may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Gives the decoder the whole files, and then each of them with one to four changes, `cases` in all.
pub fn try_all(cases: u32, seeds: &[Vec<u8>], decode: impl Fn(&[u8])) {
    assert!(!seeds.is_empty(), "there is nothing to damage");
    seeds.iter().for_each(|seed| decode(seed));
    // The same changes in every run; what is found is to be made a test of its own.
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let random = proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm);
    let strategy = (0..seeds.len(), prop::collection::vec(damage(), 1..5));
    let trial = |(seed, changes): (usize, Vec<Damage>)| {
        let mut bytes = seeds[seed].clone();
        changes.iter().for_each(|change| apply(&mut bytes, change));
        let begun = Instant::now();
        decode(&bytes);
        let taken = begun.elapsed();
        if taken > PATIENCE {
            return Err(TestCaseError::fail(format!("it took {taken:?}")));
        }
        Ok(())
    };
    if let Err(error) = TestRunner::new_with_rng(config, random).run(&strategy, trial) {
        panic!("{error}");
    }
}

#[test]
#[should_panic(expected = "a byte was changed")]
fn the_trials_find_a_decoder_that_panics() {
    try_all(200, &[vec![7; 100]], |bytes| {
        assert!(bytes.iter().filter(|&&byte| byte != 7).count() == 0, "a byte was changed");
    });
}
