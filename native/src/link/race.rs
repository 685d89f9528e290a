//! Two runs of one problem from one initial state, at equal wall time.
//!
//! They take turns: whoever has had less time for its steps is next. The pace that a person can
//! follow is kept by the one that is further along, so that both are slowed down alike.

use sketchpde::evolve::initial_fit::fit_key;
use sketchpde::problem::{Overrides, Problem, ProblemFile};
use sketchpde::session::{Command, Phase, Recording, Session, Solver, Start};

use super::present::Present;
use super::server::LoadError;
use super::{Challenge, Server, Update};

impl Server {
    pub(super) async fn begin_race(&mut self, challenge: Challenge) -> Vec<Update> {
        match self.set_up_rival(challenge).await {
            Ok(()) => self.snapshot(true),
            Err(error) => vec![Update::NoRace(error.to_string())],
        }
    }

    async fn set_up_rival(&mut self, challenge: Challenge) -> Result<(), LoadError> {
        let problem = Problem::from_toml(&challenge.toml, &Overrides::new())?.of_one_unknown()?;
        let Some(present) = &mut self.present else { return Err(LoadError::RaceTooEarly) };
        let Some(record) = present.session.recording() else {
            return Err(LoadError::RaceTooEarly);
        };
        let fitted = record.fitted().to_vec();
        if fitted.is_empty() {
            return Err(LoadError::RaceTooEarly);
        }
        let known = record.problem();
        if fit_key(known) != fit_key(&problem) || known.equation != problem.equation {
            return Err(LoadError::RaceOfTwoProblems);
        }
        let options = self.options(Start::Fitted(fitted));
        let solver = Solver::open(ProblemFile::Evolution(problem), &challenge.backend).await?;
        let session = Session::new(solver, options).await?;
        let Some(present) = &mut self.present else { return Err(LoadError::RaceTooEarly) };
        let mut rival = Present::new(present.run, session, None, present.comparable());
        let truth = present.session.recording().and_then(Recording::reference);
        if let Some(reference) = truth {
            rival.set_reference(reference.clone());
        }
        present.obey(Command::Reset).await?;
        present.obey(Command::Play).await?;
        self.rival = Some(rival);
        self.pacing.restart();
        Ok(())
    }

    /// Whoever has had less time, of those that have something to do.
    pub(super) fn whose_turn(&mut self) -> Option<&mut Present> {
        let Some(rival) = &mut self.rival else { return self.present.as_mut() };
        let Some(present) = &mut self.present else { return Some(rival) };
        let used = |runner: &Present| runner.session.status().seconds.steps;
        let rival_next = match (is_running(present), is_running(rival)) {
            (true, true) => used(rival) < used(present),
            (first, _) => !first,
        };
        Some(if rival_next { rival } else { present })
    }

    /// The time of the run that is further along; `time` is that of the present one.
    pub(super) fn furthest(&self, time: f64) -> f64 {
        let rival = self.rival.as_ref().map(|rival| rival.session.status().time);
        rival.map_or(time, |rival| rival.max(time))
    }

    /// Whether either of two runners has something to do.
    pub(super) fn race_goes_on(&self) -> bool {
        self.rival.is_some() && self.present.iter().chain(&self.rival).any(is_running)
    }
}

fn is_running(runner: &Present) -> bool {
    let status = runner.session.status();
    match status.phase {
        Phase::Fit => true,
        Phase::Steps | Phase::Training => status.playing,
        Phase::Done | Phase::Failed => false,
    }
}

/// Whether a command is for both runners: what belongs to the method is for the present run only.
pub(super) fn concerns_both(command: &Command) -> bool {
    match command {
        Command::Set(_) => command.changes_the_equation(),
        _ => true,
    }
}
