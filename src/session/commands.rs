//! Obeying commands.

use super::evolve::{Evolution, InitialFit};
use super::run::{Play, empty_frames};
use super::{Command, EvaluationGrid, Phase, Session, SessionError};
use crate::network::Network;
use crate::output::History;
use crate::problem::expression::Expression;

impl Session {
    /// Obeys one command, between two steps.
    ///
    /// # Errors
    /// When a value is out of range or a name unknown: nothing is changed then and the run goes on.
    pub async fn obey(&mut self, command: Command) -> Result<(), SessionError> {
        match command {
            Command::Play => self.play = Play::Freely,
            Command::Pause => self.play = Play::Steps(0),
            Command::Step(count) => self.play = Play::Steps(count),
            Command::Reset => return self.reset().await,
            Command::SetParameter { name, value } => return self.set_parameter(&name, value).await,
            Command::SetColumns(columns) => {
                let most = Network::of(&self.problem).parameters();
                let range = format!("1 to {most}, the number of parameters");
                check("columns", columns as f64, (1..=most).contains(&columns), &range)?;
                self.problem.method.columns = columns;
                return self.rebuild().await;
            }
            Command::SetRcond(rcond) => {
                check("rcond", rcond, rcond > 0.0 && rcond < 1.0, "0 to 1, without the ends")?;
                self.problem.method.rcond = rcond;
                return self.rebuild().await;
            }
            Command::SetStep(step) => {
                let span = self.problem.time.end - self.problem.time.start;
                let range = format!("0 to {span}, without 0");
                check("step", step, step > 0.0 && step <= span, &range)?;
                self.problem.method.step = step;
                return self.rebuild().await;
            }
        }
        Ok(())
    }

    /// Back to the start time and the fitted parameters.
    async fn reset(&mut self) -> Result<(), SessionError> {
        self.forget_run();
        if self.fitted.is_empty() {
            return self.refit();
        }
        let fitted = self.fitted.clone();
        self.begin_steps(fitted).await
    }

    /// A new value of an equation's parameter, from the present state on. What was computed with
    /// the old one stays, but there is no truth to compare it with any more.
    async fn set_parameter(&mut self, name: &str, value: f64) -> Result<(), SessionError> {
        let Some(index) = self.problem.parameters.iter().position(|p| p.name == name) else {
            let known = self.problem.parameters.iter().map(|p| p.name.clone()).collect();
            return Err(SessionError::UnknownParameter { name: name.to_owned(), known });
        };
        let range = self.problem.parameters[index].range.unwrap_or([f64::MIN, f64::MAX]);
        let shown = format!("{} to {}", range[0], range[1]);
        check(name, value, (range[0]..=range[1]).contains(&value), &shown)?;
        self.problem.parameters[index].value = value;
        if self.reference.take().is_some() {
            self.messages.push(format!(
                "{name} changed at t = {:.4}: the reference belongs to the old value, errors are \
                 no longer measured",
                self.position().1
            ));
        }
        if mentions(&self.problem.initial, index) {
            // The initial state itself has changed: there is nothing to go on from.
            self.forget_run();
            self.fitted.clear();
            return self.refit();
        }
        self.rebuild().await
    }

    /// The stepper anew, with the settings as they are now and the state as it is.
    async fn rebuild(&mut self) -> Result<(), SessionError> {
        if let Some(old) = &self.evolution {
            let mut new = Evolution::new(&self.problem, &self.engine, old.theta().to_vec())?;
            new.restore(old.save());
            self.evolution = Some(new);
        }
        self.pace = super::pace::Pace::default();
        Ok(())
    }

    fn refit(&mut self) -> Result<(), SessionError> {
        self.fit = Some(InitialFit::new(&self.problem)?);
        self.phase = Phase::Fit;
        Ok(())
    }

    fn forget_run(&mut self) {
        self.grid = EvaluationGrid::of(&self.problem);
        self.frames = empty_frames(&self.problem, &self.grid, self.most_frames);
        self.history = History::default();
        self.shown = 0;
        self.evolution = None;
        self.spectrum = None;
        self.columns.clear();
        self.error = None;
        self.failure = None;
        self.pace = super::pace::Pace::default();
        self.seconds.steps = 0.0;
    }
}

fn check(what: &str, value: f64, within: bool, range: &str) -> Result<(), SessionError> {
    if within {
        Ok(())
    } else {
        Err(SessionError::OutOfRange { what: what.to_owned(), value, range: range.to_owned() })
    }
}

fn mentions(expression: &Expression, parameter: usize) -> bool {
    let mut found = false;
    expression.visit(&mut |node| found |= *node == Expression::Parameter(parameter));
    found
}
