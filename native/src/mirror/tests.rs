//! What a mirror makes of what it is sent.

use super::*;
use crate::link::What;
use sketchpde::problem::Preset;
use sketchpde::session::{Command, SavedSteps};

fn mirror() -> Mirror {
    let preset = Preset::find("heat-dirichlet").expect("a preset");
    let setup = Setup::preset(preset);
    Mirror::new(1, setup.problem().expect("a problem"), setup)
}

fn block(mirror: &Mirror, first: usize, times: &[f64]) -> FrameBlock {
    let points = mirror.grid.points();
    let values = times.iter().flat_map(|&t| vec![t as f32; points]).collect();
    FrameBlock { first, times: times.to_vec(), values, ..FrameBlock::default() }
}

#[test]
fn a_density_in_many_dimensions_is_shown_by_its_marginal_along_one() {
    for (name, mean) in [("fokker-planck-5d", 0.9), ("fokker-planck-8d", 0.9)] {
        let setup = Setup::preset(Preset::find(name).expect("a preset"));
        let mirror = Mirror::new(1, setup.problem().expect("a problem"), setup);
        let [x] = mirror.grid.axes() else { panic!("{name}: one axis") };
        let (values, reference) = mirror.shown(None);
        assert!(reference.is_none() && mirror.grid.looks_at_a_marginal());
        // A Gaussian of variance 0.1.
        for (x, p) in x.iter().zip(values) {
            let exact =
                (-(x - mean) * (x - mean) / 0.2).exp() / (0.2 * std::f64::consts::PI).sqrt();
            assert!((p - exact).abs() < 1e-9, "{name}, x1 = {x}: {p}, {exact}");
        }
    }
}

#[test]
fn frames_are_added_replaced_and_found_by_time() {
    let mut mirror = mirror();
    mirror.take_frames(block(&mirror, 0, &[0.0, 0.1]));
    mirror.take_frames(block(&mirror, 2, &[0.3]));
    assert_eq!(mirror.frames.times, [0.0, 0.1, 0.3]);
    assert_eq!(mirror.frames.generation, 0);
    for (time, nearest) in [(-1.0, 0), (0.04, 0), (0.06, 1), (0.25, 2), (9.0, 2)] {
        assert_eq!(mirror.frames.nearest(time), Some(nearest), "t = {time}");
    }
    assert_eq!(mirror.frames.values_at(1).map(|row| row[0]), Some(0.1));
    assert_eq!(mirror.frames.values_at(3), None);
    mirror.take_frames(block(&mirror, 0, &[0.0]));
    assert_eq!((mirror.frames.times.len(), mirror.frames.generation), (1, 1));
    mirror.take_frames(block(&mirror, 7, &[0.9]));
    assert_eq!(mirror.frames.times.len(), 1, "a gap is of another run");
}

#[test]
fn a_story_from_a_mark_keeps_what_the_run_has_there() {
    let deed = |step, what| Deed { step, what };
    let columns = |count: usize| What::Command(Command::set("method.columns", count.to_string()));
    let drawn = What::Draw(vec![[0.0, 1.0]]);
    let all =
        [deed(2, columns(5)), deed(6, columns(7)), deed(7, drawn.clone()), deed(9, drawn.clone())];
    let mut mirror = mirror();
    mirror.deeds = Deeds::new(all.to_vec(), 3);
    assert_eq!(mirror.story().deeds, all);
    let mut steps = SavedSteps::default();
    steps.evolution.step = 4;
    let state = SavedState::Steps(Box::new(steps));
    mirror.take_mark(Mark { run: 1, state, deeds: 1 });
    let (story, done) = mirror.story_from_mark();
    // What was drawn after the mark may be what stopped the solver.
    assert_eq!(story.deeds, [deed(2, columns(5)), deed(4, columns(7)), deed(9, drawn)]);
    assert_eq!(done, 2);
}

#[test]
fn the_range_grows_and_never_shrinks() {
    let mut mirror = mirror();
    let before = mirror.range;
    mirror.take_frames(block(&mirror, 0, &[0.5]));
    assert_eq!(mirror.range, before, "inside");
    mirror.take_frames(block(&mirror, 1, &[7.0]));
    assert!(mirror.range[1] > 7.0 && mirror.range[0] <= before[0]);
}

#[test]
fn records_are_replaced_from_where_they_changed() {
    let mut mirror = mirror();
    let record = |step, error| StepRecord { step, error, ..StepRecord::default() };
    take_records(&mut mirror.records, 0, (1..=4).map(|step| record(step, None)).collect());
    take_records(
        &mut mirror.records,
        2,
        vec![record(3, Some(0.1)), record(4, None), record(5, None)],
    );
    let steps: Vec<usize> = mirror.records.iter().map(|r| r.step).collect();
    assert_eq!(steps, [1, 2, 3, 4, 5]);
    assert_eq!(mirror.records[2].error, Some(0.1));
    take_records(
        &mut mirror.records,
        5,
        (6..=3 * MOST_RECORDS).map(|step| record(step, None)).collect(),
    );
    assert!(mirror.records.len() <= 3 * MOST_RECORDS / 2 + 10);
    assert!(mirror.records.is_sorted_by_key(|record| record.step));
}
