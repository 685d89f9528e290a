//! What the solver's answers do, and when it is asked again.

use egui::Context;
use sketchpde::session::{Phase, Snapshot};

use super::{App, Beginnings};
use crate::link::{Deed, Deeds, Loaded, Request, Update, What};
use crate::setup::deeds::setting;

/// Between two snapshots, in seconds: 40 pictures a second are smooth, and leave time to solve.
const SNAPSHOT_EVERY: f64 = 0.025;
/// How long a notice stays, in seconds.
const NOTICE_STAYS: f64 = 9.0;

impl App {
    pub(super) fn listen(&mut self) {
        for update in self.line.poll() {
            self.take(update);
        }
        let now = self.state.now;
        self.state.notices.retain(|notice| notice.bad || now - notice.since < NOTICE_STAYS);
    }

    fn take(&mut self, update: Update) {
        match update {
            Update::Loaded(loaded) => self.take_loaded(loaded),
            Update::Frames(block) => self.state.mirror.take_frames(block),
            Update::Snapshot(snapshot) => self.take_snapshot(*snapshot),
            Update::Rival(snapshot) => {
                for message in self.state.mirror.take_rival(*snapshot) {
                    self.notice(message, false);
                }
            }
            Update::NoRace(why) => {
                self.state.mirror.rival = None;
                self.complain(format!("There is no race: {why}."));
            }
            Update::Picture(field) => {
                if let Some(training) = &mut self.state.training
                    && training.loaded.is_some()
                {
                    training.take_picture(*field);
                }
            }
            Update::Deeds(deeds) => self.take_deeds(deeds),
            Update::Mark(mark) => match &mut self.state.training {
                Some(training) => training.take_mark(*mark),
                None => self.state.mirror.take_mark(*mark),
            },
            Update::Saved(checkpoint) => self.save_checkpoint(*checkpoint),
            Update::Stopped(why) => self.recover(&why),
            Update::Message(message) => self.notice(message, false),
            Update::Refused { run, message } => {
                if self.state.awaited == Some(run) {
                    self.state.awaited = None;
                    self.next = None;
                }
                self.state.training.take_if(|training| training.run == run);
                self.complain(message);
            }
            Update::ReferenceWanted { .. } => {}
        }
    }

    /// The run that was asked for is there.
    fn take_loaded(&mut self, loaded: Loaded) {
        if let Some(next) = self.next.take_if(|next| next.run == loaded.run) {
            self.state.training = None;
            self.state.mirror = next;
            self.state.scrub = None;
            let Beginnings { stale, redrawn } = std::mem::take(&mut self.after_loading);
            (self.state.stale, self.state.redrawn) = (stale, redrawn);
        }
        if let Some(training) = &mut self.state.training
            && training.run == loaded.run
        {
            training.loaded = Some(loaded);
        } else if self.state.mirror.run == loaded.run {
            self.state.awaited = None;
            self.state.mirror.loaded = Some(loaded);
        }
    }

    fn take_snapshot(&mut self, snapshot: Snapshot) {
        self.asked = false;
        let failed = snapshot.status.phase == Phase::Failed;
        let messages = match &mut self.state.training {
            // Of the run before, as long as this one is not there.
            Some(training) if training.loaded.is_none() => Vec::new(),
            Some(training) => training.take(snapshot),
            None => self.state.mirror.take_snapshot(snapshot, self.state.now),
        };
        for message in messages {
            self.notice(message, failed);
        }
    }

    /// What was done to the run: settings that were changed again show as such.
    fn take_deeds(&mut self, deeds: Deeds) {
        self.state.stale |= deeds.done.iter().any(|deed| deed.what.departs());
        let drawn = |deed: &Deed| deed.step == 0 && matches!(deed.what, What::Draw(_));
        self.state.redrawn |= deeds.done.iter().any(drawn);
        for deed in &deeds.redone {
            let Some((key, value)) = setting(&deed.what) else { continue };
            self.state.setup.change(&key, value);
        }
        if !deeds.redone.is_empty()
            && let Ok(problem) = self.state.setup.problem()
        {
            self.state.mirror.problem = problem;
        }
        self.state.mirror.deeds = deeds;
    }

    /// Asks for a snapshot while things move, and sees to it that the next frame comes.
    pub(super) fn ask(&mut self, ctx: &Context) {
        let known = self.state.mirror.loaded.is_some() && self.state.awaited.is_none();
        let moving = match &self.state.training {
            // What is there and has not shown itself yet is asked once.
            Some(training) => {
                training.loaded.is_some() && (training.status.is_none() || training.playing())
            }
            None => known && self.state.mirror.moving(),
        };
        if moving && !self.asked {
            let wait = self.asked_at + SNAPSHOT_EVERY - self.state.now;
            if wait <= 0.0 {
                self.asked = true;
                self.asked_at = self.state.now;
                self.line.send(Request::Snapshot);
            } else {
                ctx.request_repaint_after_secs(wait as f32);
            }
        }
        let waiting = self.state.edit.due.is_some() || !self.state.notices.is_empty();
        if waiting {
            ctx.request_repaint_after_secs(0.2);
        }
    }
}
