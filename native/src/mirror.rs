//! The drawing side's copy of a run, put together from what the solver sends.

use sketchpde::network::{Network, Site};
use sketchpde::output::{History, Spectrum, StepRecord};
use sketchpde::problem::{MethodSettings, Problem};
use sketchpde::session::{EvaluationGrid, Phase, Rows, SavedState, Snapshot, Status};

use crate::link::{Deed, Deeds, FrameBlock, Loaded, Mark, RunId};
use crate::setup::Setup;
use crate::setup::share::Story;

mod frames;
#[cfg(test)]
mod tests;

pub use frames::Frames;

/// Records that are kept for the plots; of longer runs the oldest half is thinned out.
const MOST_RECORDS: usize = 20_000;

/// A run as it is known here.
pub struct Mirror {
    pub run: RunId,
    /// The problem as it was when the run was set up; parameters may have changed since.
    pub problem: Problem,
    pub network: Network,
    /// What each parameter does.
    pub sites: Vec<Site>,
    pub grid: EvaluationGrid,
    /// Where it computes; `None` until the solver has answered.
    pub loaded: Option<Loaded>,
    /// The latest, without records and messages.
    pub status: Option<Status>,
    /// u on the grid at [`Status::time`].
    pub values: Vec<f64>,
    pub reference: Option<Vec<f64>>,
    pub spectrum: Option<Spectrum>,
    pub columns: Vec<u32>,
    pub records: Vec<StepRecord>,
    pub frames: Frames,
    /// The smallest interval, with some room, that holds every value seen so far.
    pub range: [f64; 2],
    /// Steps per second of wall time.
    pub rate: Option<f64>,
    /// The other run of a race.
    pub rival: Option<Rival>,
    /// How the run began.
    begun: Setup,
    /// What was done to it since.
    pub deeds: Deeds,
    /// From where the run could go on.
    mark: Option<Mark>,
    latest: Option<(f64, usize)>,
}

/// The other run of a race, on the same grid.
pub struct Rival {
    /// The method in a few words, and those of the present run.
    pub names: [String; 2],
    /// Its settings.
    pub method: MethodSettings,
    /// `None` until the solver has begun it.
    pub status: Option<Status>,
    pub values: Vec<f64>,
    pub records: Vec<StepRecord>,
}

impl Mirror {
    /// Before anything is known of the run.
    #[must_use]
    pub fn new(run: RunId, problem: Problem, begun: Setup) -> Self {
        let network = Network::of(&problem);
        let grid = EvaluationGrid::of(&problem);
        let range = with_room(bounds(&grid.initial_values(&problem)).unwrap_or([-1.0, 1.0]));
        let layout = network.layout();
        let sites = (0..network.parameters()).map(|offset| layout.site(offset)).collect();
        Self {
            run,
            problem,
            network,
            sites,
            grid,
            loaded: None,
            status: None,
            values: Vec::new(),
            reference: None,
            spectrum: None,
            columns: Vec::new(),
            records: Vec::new(),
            frames: Frames::default(),
            range,
            rate: None,
            rival: None,
            begun,
            deeds: Deeds::default(),
            mark: None,
            latest: None,
        }
    }

    /// Takes what is new in a snapshot, at the wall time `now`; gives its messages.
    pub fn take_snapshot(&mut self, snapshot: Snapshot, now: f64) -> Vec<String> {
        self.measure(snapshot.status.step, now);
        self.see(&snapshot.values);
        self.values = snapshot.values;
        self.reference = snapshot.reference;
        self.spectrum = snapshot.spectrum;
        self.columns = snapshot.columns;
        take_records(&mut self.records, snapshot.first_record, snapshot.records);
        self.status = Some(snapshot.status);
        snapshot.messages
    }

    /// Takes what is new of the other run of a race; gives its messages.
    pub fn take_rival(&mut self, snapshot: Snapshot) -> Vec<String> {
        self.see(&snapshot.values);
        let Some(rival) = &mut self.rival else { return Vec::new() };
        rival.values = snapshot.values;
        take_records(&mut rival.records, snapshot.first_record, snapshot.records);
        rival.status = Some(snapshot.status);
        snapshot.messages
    }

    /// Takes a place from which the run can go on.
    pub fn take_mark(&mut self, mark: Mark) {
        self.mark = Some(mark);
    }

    /// The run, to be told again from its beginning.
    #[must_use]
    pub fn story(&self) -> Story {
        let deeds = self.deeds.done.iter().chain(&self.deeds.due).cloned().collect();
        Story { setup: self.begun.clone(), deeds }
    }

    /// The run's story for going on from the latest mark, and how many of its deeds the mark
    /// contains. Of those that came after it only settings are left, which the run has there now.
    #[must_use]
    pub fn story_from_mark(&self) -> (Story, usize) {
        let Story { setup, mut deeds } = self.story();
        let Some(mark) = &self.mark else { return (setup.into(), 0) };
        let (done, step) = (self.deeds.done.len(), mark.step());
        let marked = mark.deeds.min(done);
        let due = deeds.split_off(done);
        let later = deeds.split_off(marked);
        let kept = later.into_iter().filter(|deed| deed.what.is_setting());
        deeds.extend(kept.map(|deed| Deed { step, ..deed }));
        let done = deeds.len();
        deeds.extend(due);
        (Story { setup, deeds }, done)
    }

    /// The run until the latest mark, to go on from there.
    #[must_use]
    pub fn kept(&self) -> Option<SavedState> {
        let mark = self.mark.clone()?;
        let SavedState::Steps(steps) = &mark.state else { return None };
        let (step, time) = (steps.evolution.step, steps.evolution.time);
        let known = self.frames.times.partition_point(|&kept| kept <= time);
        let records = self.records.iter().filter(|r| r.step <= step);
        // What is known of errors belongs to the reference, which comes again.
        let records = records.map(|r| StepRecord { error: None, ..r.clone() }).collect();
        let spectra = self.spectrum.iter().cloned().collect();
        let values = &self.frames.values[..known * self.grid.points()];
        let values = values.iter().map(|&value| f64::from(value)).collect();
        let frames = Rows { times: self.frames.times[..known].to_vec(), values };
        Some(mark.whole(History { records, spectra }, frames))
    }

    /// s of the latest step.
    #[must_use]
    pub fn latest_columns(&self) -> Option<usize> {
        self.status.as_ref()?.last.as_ref().map(|record| record.columns)
    }

    /// How many of the Jacobian's singular values lie above the cutoff, and how many there are.
    #[must_use]
    pub fn rank(&self) -> Option<(usize, usize)> {
        let spectrum = self.spectrum.as_ref()?;
        let values = &spectrum.singular_values;
        let cutoff = spectrum.rcond * values.first().copied().unwrap_or(0.0);
        Some((values.iter().filter(|value| **value >= cutoff).count(), values.len()))
    }

    /// Takes new frames.
    pub fn take_frames(&mut self, block: FrameBlock) {
        let points = self.grid.points();
        let frames = &mut self.frames;
        let fits = block.values.len() == block.times.len() * points
            && block.reference.len().is_multiple_of(points.max(1))
            && block.first <= frames.times.len();
        if !fits {
            // Of another run, which the answer to the latest request will replace.
            return;
        }
        if block.first < frames.times.len() {
            frames.generation += 1;
        }
        frames.times.truncate(block.first);
        frames.values.truncate(block.first * points);
        frames.reference.truncate(block.first_reference * points);
        frames.times.extend(block.times);
        frames.values.extend(&block.values);
        frames.reference.extend(block.reference);
        let [mut lower, mut upper] = self.range;
        for &value in block.values.iter().filter(|value| value.is_finite()) {
            lower = lower.min(f64::from(value));
            upper = upper.max(f64::from(value));
        }
        self.widen([lower, upper]);
    }

    fn see(&mut self, values: &[f64]) {
        if let Some(seen) = bounds(values) {
            self.widen(seen);
        }
    }

    fn widen(&mut self, seen: [f64; 2]) {
        if seen[0] < self.range[0] || seen[1] > self.range[1] {
            let joined = [seen[0].min(self.range[0]), seen[1].max(self.range[1])];
            self.range = with_room(joined);
        }
    }

    /// A running estimate of the steps per second.
    fn measure(&mut self, step: usize, now: f64) {
        let Some((before, first)) = self.latest else {
            self.latest = Some((now, step));
            return;
        };
        if step < first {
            self.rate = None;
            self.latest = Some((now, step));
        } else if now - before > 0.5 {
            self.rate = (step > first).then(|| (step - first) as f64 / (now - before));
            self.latest = Some((now, step));
        }
    }

    /// The solution and the reference at a kept frame, or now; the initial state before there is
    /// anything else.
    #[must_use]
    pub fn shown(&self, frame: Option<usize>) -> (Vec<f64>, Option<Vec<f64>>) {
        let double = |row: &[f32]| row.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
        match frame {
            Some(index) => (
                self.frames.values_at(index).map(double).unwrap_or_default(),
                self.frames.reference_at(index).map(double),
            ),
            None if self.values.is_empty() => (self.grid.initial_values(&self.problem), None),
            None => (self.values.clone(), self.reference.clone()),
        }
    }

    #[must_use]
    pub fn phase(&self) -> Phase {
        self.status.as_ref().map_or(Phase::Fit, |status| status.phase)
    }

    #[must_use]
    pub fn playing(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.playing)
    }

    /// Whether the picture will change without anybody doing anything.
    #[must_use]
    pub fn moving(&self) -> bool {
        let rival = self.rival.as_ref().and_then(|rival| rival.status.as_ref());
        let own = match self.phase() {
            Phase::Fit => true,
            Phase::Steps | Phase::Training => self.playing(),
            Phase::Done | Phase::Failed => false,
        };
        own || rival.is_some_and(|s| s.phase == Phase::Steps && s.playing)
    }
}

fn take_records(known: &mut Vec<StepRecord>, first: usize, records: Vec<StepRecord>) {
    // Records count steps from 1; thinning keeps them in order.
    known.truncate(known.partition_point(|record| record.step <= first));
    known.extend(records);
    while known.len() > MOST_RECORDS {
        let old = known.len() / 2;
        let mut index = 0;
        known.retain(|_| {
            index += 1;
            index > old || index % 2 == 0
        });
    }
}

fn bounds(values: &[f64]) -> Option<[f64; 2]> {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    finite.fold(None, |range, value| match range {
        None => Some([value, value]),
        Some([lower, upper]) => Some([f64::min(lower, value), f64::max(upper, value)]),
    })
}

/// Widened by a twentieth on both sides, so that small growth does not repaint everything.
fn with_room([lower, upper]: [f64; 2]) -> [f64; 2] {
    let room = 0.05 * (upper - lower).max(1e-9 * upper.abs().max(1.0));
    [lower - room, upper + room]
}
