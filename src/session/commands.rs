//! Obeying commands.

use super::evolving::{Evolving, Fitting};
use super::pace::Pace;
use super::run::{Play, Work};
use super::{Command, Recording, Session, SessionError};
use crate::evolve::Engine;
use crate::problem::expression::Expression;
use crate::problem::{Boundary, Overrides, Problem};

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
            Command::Set(changes) => return self.set(&changes),
            Command::Disturb { place, height, radius } => {
                return self.disturb(&place, height, radius).await;
            }
            Command::Redraw { values } => return self.redraw(&values).await,
        }
        Ok(())
    }

    /// Back to the start time and the fitted parameters, or to a training's starting ones.
    async fn reset(&mut self) -> Result<(), SessionError> {
        if let Work::Training(training) = &mut self.work {
            training.begin_anew().await?;
            (self.seconds.steps, self.failure) = (0.0, None);
            return Ok(());
        }
        let Some((mut record, engine)) = self.take_apart()? else { return Ok(()) };
        record.begin_anew();
        if record.fitted.is_empty() {
            return self.refit(record, engine);
        }
        let (fitted, redrawn) = (record.fitted.clone(), record.redrawn);
        self.begin_steps(record, engine, fitted).await?;
        if redrawn && let Work::Evolution(evolving) = &mut self.work {
            evolving.record.initial_error = None;
            evolving.evolution.forget_the_start();
        }
        Ok(())
    }

    /// Other settings, from the present state on. What was computed with the old ones stays, but
    /// where the equation is another one there is no truth to compare it with any more.
    fn set(&mut self, changes: &Overrides) -> Result<(), SessionError> {
        let (_, time) = self.position();
        let Some(record) = self.recording_mut() else { return Err(SessionError::StepsOnly) };
        let changed = Problem::from_toml(&record.problem.source, changes)?;
        if !is_live(&record.problem, &changed) {
            let keys = changes.iter().map(|(key, _)| key.clone()).collect();
            return Err(SessionError::BeginsAnew { keys });
        }
        let before = std::mem::replace(&mut record.problem, changed);
        let after = &record.problem;
        let same_method = before.method == after.method;
        let values = after.parameter_values();
        let pairs = before.parameter_values().into_iter().zip(&values).enumerate();
        let altered: Vec<usize> =
            pairs.filter(|(_, (old, new))| old != *new).map(|(index, _)| index).collect();
        let names: Vec<String> =
            altered.iter().map(|&index| after.parameters[index].name.clone()).collect();
        let begins_elsewhere = altered
            .iter()
            .any(|&index| after.initial.iter().any(|initial| mentions(initial, index)));
        if !altered.is_empty() && record.depart() {
            self.messages.push(format!(
                "{} changed at t = {time:.4}: the reference belongs to the old value, errors are \
                 no longer measured",
                names.join(", ")
            ));
        }
        match &mut self.work {
            Work::Evolution(evolving) => {
                evolving.evolution.set_parameters(&values)?;
                if !same_method {
                    evolving.take_method();
                }
                evolving.pace = Pace::default();
            }
            Work::InitialFit(fitting) => fitting.engine.set_parameters(&values)?,
            Work::Training(_) | Work::Lost(_) | Work::Nothing => {}
        }
        if begins_elsewhere {
            // The initial state itself has changed: there is nothing to go on from.
            let Some((mut record, engine)) = self.take_apart()? else { return Ok(()) };
            record.fitted.clear();
            record.redrawn = false;
            record.begin_anew();
            return self.refit(record, engine);
        }
        Ok(())
    }

    /// A bump from outside, from which the run goes on. There is no truth to compare with after it.
    async fn disturb(
        &mut self,
        place: &[f64],
        height: f64,
        radius: f64,
    ) -> Result<(), SessionError> {
        let record = self.changeable()?;
        let dimensions = record.problem.dimensions();
        let range = format!("{dimensions} coordinates");
        check("place", place.len() as f64, place.len() == dimensions, &range)?;
        let (largest, whole) = (1e3 * record.size(), radius > 0.0 && radius.is_finite());
        check("radius", radius, whole, "the positive numbers")?;
        let range = format!("-{largest:.3} to {largest:.3}");
        check("height", height, height.abs() <= largest, &range)?;
        let coordinates = record.problem.coordinates.clone();
        let bump = |x: &[f64]| {
            let gaps = coordinates.iter().zip(x.iter().zip(place)).map(|(c, (x, at))| {
                let (gap, length) = (x - at, c.upper - c.lower);
                match c.boundary {
                    Boundary::Periodic => gap - length * (gap / length).round(),
                    Boundary::Sides { .. } | Boundary::Open => gap,
                }
            });
            height * (-gaps.map(|gap| gap * gap).sum::<f64>() / (radius * radius)).exp()
        };
        self.change_solution(&bump).await
    }

    /// Another solution in place of the present one.
    async fn redraw(&mut self, values: &[f64]) -> Result<(), SessionError> {
        let record = self.changeable()?;
        let points = record.grid.points();
        let range = format!("{points} values, one per point of the grid");
        check("values", values.len() as f64, values.len() == points, &range)?;
        let largest = 1e3 * record.size();
        let range = format!("-{largest:.3} to {largest:.3}");
        let bad = values.iter().find(|v| !v.is_finite() || v.abs() > largest);
        check("value", bad.copied().unwrap_or(0.0), bad.is_none(), &range)?;
        let (grid, first) = (record.grid.clone(), record.history.records.is_empty());
        let now = self.evaluate();
        if now.is_empty() {
            return Ok(());
        }
        let difference: Vec<f64> = values.iter().zip(&now).map(|(v, u)| v - u).collect();
        self.change_solution(&|x| grid.interpolate(&difference, x)).await?;
        if first {
            // The run has another beginning.
            let theta = self.parameters().to_vec();
            if let Some(record) = self.recording_mut() {
                record.redrawn = true;
                record.fitted = theta;
            }
            return self.reset().await;
        }
        Ok(())
    }

    /// What is recorded of a solution that can be changed from outside.
    fn changeable(&self) -> Result<&Recording, SessionError> {
        match self.recording() {
            Some(record) if record.grid.looks_at_a_density() => Err(SessionError::Density),
            Some(record) => Ok(record),
            None => Err(SessionError::StepsOnly),
        }
    }

    /// Adds a function of the coordinates to the solution.
    async fn change_solution(
        &mut self,
        change: &dyn Fn(&[f64]) -> f64,
    ) -> Result<(), SessionError> {
        let Work::Evolution(evolving) = &mut self.work else { return Ok(()) };
        let left = evolving.evolution.disturb(change).await?;
        let time = evolving.evolution.time();
        let compared = evolving.record.depart();
        let end = if compared { "; errors are no longer measured" } else { "" };
        self.messages.push(format!(
            "The solution was changed at t = {time:.3}; the network follows to {left:.1e}{end}."
        ));
        Ok(())
    }

    /// The engine of an evolution at its start, and what was recorded.
    fn take_apart(&mut self) -> Result<Option<(Recording, Engine)>, SessionError> {
        let (record, engine) = match std::mem::take(&mut self.work) {
            Work::InitialFit(fitting) => {
                let Fitting { record, engine, .. } = *fitting;
                (record, engine)
            }
            Work::Evolution(evolving) => {
                let Evolving { record, evolution, .. } = *evolving;
                let mut engine = evolution.into_engine();
                if let Err(error) = engine.begin_anew(&record.problem) {
                    self.work = Work::Lost(Box::new(record));
                    return Err(error.into());
                }
                (record, engine)
            }
            other => {
                self.work = other;
                return Ok(None);
            }
        };
        (self.seconds.steps, self.failure) = (0.0, None);
        Ok(Some((record, engine)))
    }

    fn refit(&mut self, record: Recording, engine: Engine) -> Result<(), SessionError> {
        self.work = Work::InitialFit(Box::new(Fitting::new(record, engine)?));
        Ok(())
    }
}

/// Whether a run of one problem can go on as a run of another one: only the method, but for a
/// change to columns that the run chooses, and values of parameters differ.
#[must_use]
pub fn is_live(before: &Problem, after: &Problem) -> bool {
    let mut same = after.clone();
    same.source.clone_from(&before.source);
    same.method.clone_from(&before.method);
    for (parameter, known) in same.parameters.iter_mut().zip(&before.parameters) {
        parameter.value = known.value;
    }
    let begins_to_choose = after.method.adaptive_columns && !before.method.adaptive_columns;
    same == *before && !begins_to_choose
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
