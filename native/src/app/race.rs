//! Another run beside this one, from the same initial state.

use sketchpde::problem::{Choice, MethodSettings, Update};
use sketchpde::session::Phase;

use super::App;
use crate::link::{Challenge, Request};
use crate::mirror::Rival;
use crate::setup::in_words;

impl App {
    /// Races the present method against one that differs in one setting.
    pub(super) fn race(&mut self, key: &'static str, value: &str) {
        if self.state.mirror.phase() == Phase::Fit {
            return self.tell("A race begins when the network is fitted to the initial state.");
        }
        let problem = match self.state.setup.with(key, value).problem() {
            Ok(problem) => problem,
            Err(errors) => return self.complain(in_words(&errors)),
        };
        let names = names(&problem.method, &self.state.mirror.problem.method);
        self.state.mirror.rival = Some(Rival {
            names,
            method: problem.method.clone(),
            status: None,
            values: Vec::new(),
            records: Vec::new(),
        });
        self.state.scrub = None;
        let challenge =
            Challenge { toml: problem.source.clone(), backend: self.state.backend.clone() };
        self.line.send(Request::Race(Box::new(challenge)));
        self.asked = false;
    }

    pub(super) fn end_race(&mut self) {
        if self.state.mirror.rival.take().is_some() {
            self.line.send(Request::EndRace);
        }
    }
}

/// Each method in words that tell the two apart: the rival's, then the other one's.
fn names(rival: &MethodSettings, own: &MethodSettings) -> [String; 2] {
    let tell: fn(&MethodSettings) -> String = if rival.scheme != own.scheme {
        |m| m.scheme.word().to_owned()
    } else if rival.integrator != own.integrator {
        |m| m.integrator.word().to_owned()
    } else if rival.update != own.update {
        |m| match m.update {
            Update::Dense => "dense".to_owned(),
            Update::RandomSparse => "sparse".to_owned(),
        }
    } else if rival.columns != own.columns {
        |m| match m.update {
            Update::Dense => "dense".to_owned(),
            Update::RandomSparse => format!("s = {}", m.columns),
        }
    } else {
        |m| format!("step {}", m.step)
    };
    [tell(rival), tell(own)]
}
