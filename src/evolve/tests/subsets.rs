//! Which parameters a step changes.

use super::support::*;
use crate::random::{Philox, Stream};
use crate::{Evolution, EvolutionState};

const SPARSE: usize = 11;
const SEED: u64 = 5;

fn sparse(scheme: &str, corrections: &str) -> Evolution {
    let count = SPARSE.to_string();
    let problem = problem(
        REACTION,
        &[
            ("method.scheme", scheme),
            ("method.corrections", corrections),
            ("method.update", "random-sparse"),
            ("method.columns", &count),
            ("method.step", "0.01"),
            ("run.seed", &SEED.to_string()),
        ],
    );
    evolution(&problem, start(&problem, 1.0))
}

/// Parameters that differ in any bit.
fn changed(before: &[f64], after: &[f64]) -> Vec<u32> {
    let differs = |&k: &u32| before[k as usize].to_bits() != after[k as usize].to_bits();
    (0..before.len() as u32).filter(differs).collect()
}

#[test]
fn a_sparse_step_of_the_parameter_ode_changes_its_own_subset_and_nothing_else() {
    let mut evolution = sparse("parameter-ode", "1");
    let total = evolution.theta().len();
    let random = Philox::new(SEED, Stream::Columns);
    let mut last = Vec::new();
    for step in 1..=4 {
        let before = evolution.theta().to_vec();
        let report = pollster::block_on(evolution.step()).expect("a solution");
        assert_eq!(report.columns, random.subset(step, total, SPARSE));
        assert_ne!(report.columns, last, "drawn afresh");
        // Every chosen parameter moves: rounding aside, no column of this network is zero.
        assert_eq!(changed(&before, evolution.theta()), report.columns);
        last = report.columns;
    }
}

#[test]
fn a_stage_fit_changes_the_subsets_of_its_corrections_and_nothing_else() {
    for corrections in ["1", "4"] {
        let mut evolution = sparse("stage-fit", corrections);
        let total = evolution.theta().len();
        let random = Philox::new(SEED, Stream::Columns);
        for _ in 0..4 {
            let (before, first) = (evolution.theta().to_vec(), evolution.save().epoch + 1);
            let report = pollster::block_on(evolution.step()).expect("a solution");
            let last = evolution.save().epoch;
            assert_eq!(last - first, report.corrections as u64);
            assert_eq!(report.columns, random.subset(first, total, SPARSE));
            let mut drawn: Vec<u32> =
                (first..=last).flat_map(|epoch| random.subset(epoch, total, SPARSE)).collect();
            drawn.sort_unstable();
            drawn.dedup();
            let changed = changed(&before, evolution.theta());
            assert!(!changed.is_empty() && changed.len() < total);
            assert!(changed.iter().all(|k| drawn.binary_search(k).is_ok()), "{changed:?}");
        }
    }
}

#[test]
fn a_dense_step_takes_every_parameter() {
    for scheme in ["parameter-ode", "stage-fit"] {
        let problem = problem(REACTION, &[("method.scheme", scheme), ("method.step", "0.01")]);
        let mut evolution = evolution(&problem, start(&problem, 1.0));
        let before = evolution.theta().to_vec();
        let report = pollster::block_on(evolution.step()).expect("a solution");
        let every: Vec<u32> = (0..before.len() as u32).collect();
        assert_eq!(report.columns, every, "{scheme}");
        assert!(changed(&before, evolution.theta()).len() > before.len() / 2, "{scheme}");
    }
}

/// A step by every kind of sampling takes as many parameters as it should, follows the equation,
/// and a run that was saved between two steps goes on to the same bits.
#[test]
fn weighed_subsets_follow_the_equation_and_resume() {
    for scheme in ["parameter-ode", "stage-fit"] {
        for sampling in ["by-layer", "leverage", "pivoted-qr", "gaussian"] {
            let problem = problem(
                REACTION,
                &[
                    ("method.scheme", scheme),
                    ("method.update", "random-sparse"),
                    ("method.columns", "30"),
                    ("method.sampling", sampling),
                    ("method.rcond", "1e-5"),
                    ("method.step", "0.01"),
                ],
            );
            let theta = start(&problem, 0.7);
            let mut whole = evolution(&problem, theta.clone());
            let one = |run: &mut Evolution| pollster::block_on(run.step()).expect("a solution");
            let first = one(&mut whole);
            assert_eq!(first.count, 30, "{sampling}");
            let moved = if sampling == "gaussian" { theta.len() } else { 30 };
            assert_eq!(first.columns.len(), moved, "{sampling}");
            let saved = whole.save();
            let uniform = Philox::new(problem.seed, Stream::Columns).subset(1, theta.len(), 30);
            assert_ne!(first.columns, uniform, "{sampling} is not uniform");
            let second = one(&mut whole);
            let mut resumed = evolution(&problem, theta.clone());
            resumed.restore(saved).expect("the same network");
            assert_eq!(one(&mut resumed), second, "{scheme}, {sampling}");
            assert_eq!(resumed.save(), whole.save(), "{scheme}, {sampling}");
            for _ in 2..10 {
                one(&mut whole);
            }
            let error = reaction_error(&whole, &theta);
            assert!(error < 2e-3, "{scheme}, {sampling}: {error}");
        }
    }
}

/// s follows the run where the file leaves it to it: from too few columns it grows, the steps follow
/// the equation, and a saved run goes on with the s that it had.
#[test]
fn a_run_that_chooses_its_columns_grows_them_and_resumes() {
    for (scheme, tolerance) in [("parameter-ode", "0"), ("stage-fit", "1e-5")] {
        let problem = problem(
            REACTION,
            &[
                ("method.scheme", scheme),
                ("method.update", "random-sparse"),
                ("method.columns", "auto"),
                ("method.integrator", "dormand-prince"),
                ("method.tolerance", tolerance),
                ("method.step", "0.01"),
            ],
        );
        let theta = start(&problem, 0.7);
        let mut whole = evolution(&problem, theta.clone());
        let few = |run: &mut Evolution| {
            let state = run.save();
            run.restore(EvolutionState { columns: 5, ..state }).expect("its own state");
        };
        few(&mut whole);
        let one = |run: &mut Evolution| pollster::block_on(run.step()).expect("a solution");
        let first = one(&mut whole);
        // Attempts that missed the tolerance have let s grow before the one that stands.
        assert_eq!(first.count == 5, first.rejected == 0, "{scheme}: {first:?}");
        let counts: Vec<usize> = (0..5).map(|_| one(&mut whole).count).collect();
        assert!(counts[4] > 10, "{scheme}: {counts:?}");
        let saved = whole.save();
        let next = one(&mut whole);
        let mut resumed = evolution(&problem, theta.clone());
        resumed.restore(saved).expect("the same network");
        assert_eq!(one(&mut resumed), next, "{scheme}");
        assert_eq!(resumed.save(), whole.save(), "{scheme}");
        let error = reaction_error(&whole, &theta);
        assert!(error < 2e-3, "{scheme}: {error}");
    }
}
