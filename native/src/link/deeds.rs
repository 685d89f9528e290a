//! What a person did to a run along the way, so that it can be done again at the same steps.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use sketchpde::session::Command;

/// Something done to a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deed {
    /// The steps that the run had taken.
    pub step: usize,
    pub what: What,
}

/// What can be done to a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum What {
    /// A setting was changed or the solution disturbed.
    Command(Command),
    /// The solution was drawn: places of the pointer, x and u, in one dimension.
    Draw(Vec<[f32; 2]>),
}

impl What {
    /// Whether it changes the settings and leaves the solution as it is.
    #[must_use]
    pub fn is_setting(&self) -> bool {
        matches!(self, Self::Command(Command::Set(_)))
    }

    /// Whether the solution is no longer that of the problem after it.
    #[must_use]
    pub fn departs(&self) -> bool {
        match self {
            Self::Command(command) if self.is_setting() => command.changes_the_equation(),
            _ => true,
        }
    }

    /// Whether it belongs into the record: the solution's values, as they come from drawing, and
    /// what only starts and stops the run do not.
    fn is_kept(&self) -> bool {
        self.is_setting() || matches!(self, Self::Draw(_) | Self::Command(Command::Disturb { .. }))
    }

    /// Whether it leaves nothing of an earlier `other`.
    fn supersedes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Command(Command::Set(new)), Self::Command(Command::Set(old))) => {
                old.iter().all(|(key, _)| new.iter().any(|(other, _)| other == key))
            }
            _ => false,
        }
    }
}

/// What was done to a run, and what is to be done to it again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Deeds {
    pub done: Vec<Deed>,
    /// In the order of their steps.
    pub due: VecDeque<Deed>,
    /// Those of the done ones that were due before, since this was last shown.
    pub redone: Vec<Deed>,
}

impl Deeds {
    /// The first `done` of these were done already.
    #[must_use]
    pub fn new(mut all: Vec<Deed>, done: usize) -> Self {
        let due = all.split_off(done.min(all.len()));
        Self { done: all, due: due.into(), redone: Vec::new() }
    }

    /// Puts into the record what was done after `step` steps.
    pub fn note(&mut self, step: usize, what: What) {
        if !what.is_kept() {
            return;
        }
        self.done.pop_if(|last| last.step == step && what.supersedes(&last.what));
        self.done.push(Deed { step, what });
    }

    /// What is due after `step` steps.
    pub fn take_due(&mut self, step: usize) -> Option<What> {
        let deed = self.due.pop_front_if(|deed| deed.step <= step)?;
        self.redone.push(Deed { step, ..deed.clone() });
        Some(deed.what)
    }

    /// The run goes back to its start: what was drawn there has become its initial state, settings
    /// stay as they are, and everything else is undone.
    pub fn go_back(&mut self) {
        let begins = |deed: &Deed| deed.step == 0 && matches!(deed.what, What::Draw(_));
        let beginning = self.done.iter().rposition(begins).map_or(0, |last| last + 1);
        self.settings_only(beginning);
    }

    /// The run has another initial state, to which a network is fitted anew.
    pub fn begin_anew(&mut self) {
        self.settings_only(0);
    }

    fn settings_only(&mut self, from: usize) {
        self.due.clear();
        let rest = self.done.split_off(from);
        for deed in rest.into_iter().filter(|deed| deed.what.is_setting()) {
            self.note(0, deed.what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(count: usize) -> What {
        What::Command(Command::set("method.columns", count.to_string()))
    }

    fn poke() -> What {
        What::Command(Command::Disturb { place: vec![1.0], height: 0.1, radius: 0.2 })
    }

    #[test]
    fn a_record_keeps_what_changes_the_run() {
        let mut deeds = Deeds::default();
        deeds.note(2, What::Command(Command::Play));
        deeds.note(2, columns(5));
        deeds.note(2, columns(6));
        deeds.note(3, columns(7));
        deeds.note(3, poke());
        deeds.note(3, poke());
        let steps: Vec<usize> = deeds.done.iter().map(|deed| deed.step).collect();
        assert_eq!(steps, [2, 3, 3, 3], "one of two settings at a step, both pokes");
        assert_eq!(deeds.done[0].what, columns(6));
        deeds.go_back();
        assert_eq!(deeds.done, [Deed { step: 0, what: columns(7) }]);
    }

    #[test]
    fn what_was_drawn_at_the_start_stays_the_initial_state() {
        let drawn = || What::Draw(vec![[0.0, 1.0], [1.0, 1.0]]);
        let mut deeds = Deeds::default();
        deeds.note(0, columns(5));
        deeds.note(0, drawn());
        deeds.note(4, columns(6));
        deeds.note(5, drawn());
        deeds.go_back();
        let what: Vec<&What> = deeds.done.iter().map(|deed| &deed.what).collect();
        // What was drawn was fitted under the first setting, the run goes on under the second one.
        assert_eq!(what[..], [&columns(5), &drawn(), &columns(6)]);
        deeds.begin_anew();
        assert_eq!(deeds.done, [Deed { step: 0, what: columns(6) }]);
    }

    #[test]
    fn deeds_are_due_at_their_steps() {
        let all = [1, 4, 4].map(|step| Deed { step, what: poke() });
        let mut deeds = Deeds::new(all.to_vec(), 1);
        assert_eq!((deeds.done.len(), deeds.take_due(3)), (1, None));
        assert_eq!(deeds.take_due(4), Some(poke()));
        assert_eq!(deeds.take_due(4), Some(poke()));
        assert_eq!((deeds.take_due(9), deeds.redone.len()), (None, 2));
    }
}
