//! Obeying commands.

use super::density::gaussian;
use super::run::Play;
use super::{Command, EvaluationGrid, Phase, Session, SessionError};
use crate::evolve::initial_fit::InitialFit;
use crate::network::Network;
use crate::output::History;
use crate::problem::Boundary;
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
            Command::SetParameter { name, value } => return self.set_parameter(&name, value),
            Command::SetColumns(columns) => {
                let most = Network::of(&self.problem).parameters();
                let range = format!("1 to {most}, the number of parameters");
                check("columns", columns as f64, (1..=most).contains(&columns), &range)?;
                self.problem.method.columns = columns;
                self.problem.method.adaptive_columns = false;
                self.take_method();
            }
            Command::SetRcond(rcond) => {
                check("rcond", rcond, rcond > 0.0 && rcond < 1.0, "0 to 1, without the ends")?;
                self.problem.method.rcond = rcond;
                self.take_method();
            }
            Command::SetStep(step) => {
                let span = self.problem.time.end - self.problem.time.start;
                let range = format!("0 to {span}, without 0");
                check("step", step, step > 0.0 && step <= span, &range)?;
                self.problem.method.step = step;
                self.take_method();
            }
            Command::SetTolerance(tolerance) => {
                let value = tolerance.unwrap_or(0.0);
                check("tolerance", value, (0.0..1.0).contains(&value), "0 to 1, without 1")?;
                self.problem.method.tolerance = tolerance.filter(|&tolerance| tolerance > 0.0);
                self.take_method();
            }
            Command::SetIntegrator(integrator) => {
                self.problem.method.integrator = integrator;
                self.take_method();
            }
            Command::SetScheme(scheme) => {
                self.problem.method.scheme = scheme;
                self.take_method();
            }
            Command::Disturb { .. } | Command::Redraw { .. } if self.grid.looks_at_a_density() => {
                return Err(SessionError::Density);
            }
            Command::Disturb { place, height, radius } => {
                return self.disturb(&place, height, radius).await;
            }
            Command::Redraw { values } => return self.redraw(&values).await,
            Command::SetUpdate(update) => {
                self.problem.method.update = update;
                self.take_method();
            }
        }
        Ok(())
    }

    /// Back to the start time and the fitted parameters.
    async fn reset(&mut self) -> Result<(), SessionError> {
        self.forget_run()?;
        self.gaussian = self.gaussian.take().filter(|_| !self.redrawn);
        if self.fitted.is_empty() {
            return self.refit();
        }
        let fitted = self.fitted.clone();
        self.begin_steps(fitted).await?;
        if self.redrawn {
            self.initial_error = None;
        }
        Ok(())
    }

    /// A new value of an equation's parameter, from the present state on. What was computed with
    /// the old one stays, but there is no truth to compare it with any more.
    fn set_parameter(&mut self, name: &str, value: f64) -> Result<(), SessionError> {
        let Some(index) = self.problem.parameters.iter().position(|p| p.name == name) else {
            let known = self.problem.parameters.iter().map(|p| p.name.clone()).collect();
            return Err(SessionError::UnknownParameter { name: name.to_owned(), known });
        };
        let range = self.problem.parameters[index].range.unwrap_or([f64::MIN, f64::MAX]);
        let shown = format!("{} to {}", range[0], range[1]);
        check(name, value, (range[0]..=range[1]).contains(&value), &shown)?;
        self.problem.parameters[index].value = value;
        let values = self.problem.parameter_values();
        match (&mut self.evolution, &mut self.engine) {
            (Some(evolution), _) => evolution.set_parameters(&values)?,
            (None, Some(engine)) => engine.set_parameters(&values)?,
            (None, None) => {}
        }
        self.gaussian = None;
        if self.reference.take().is_some() {
            self.error = None;
            self.messages.push(format!(
                "{name} changed at t = {:.4}: the reference belongs to the old value, errors are \
                 no longer measured",
                self.position().1
            ));
        }
        if self.problem.initial.iter().any(|initial| mentions(initial, index)) {
            // The initial state itself has changed: there is nothing to go on from.
            self.forget_run()?;
            self.fitted.clear();
            self.redrawn = false;
            return self.refit();
        }
        self.pace = super::pace::Pace::default();
        Ok(())
    }

    /// A bump from outside, from which the run goes on. There is no truth to compare with after it.
    async fn disturb(
        &mut self,
        place: &[f64],
        height: f64,
        radius: f64,
    ) -> Result<(), SessionError> {
        let dimensions = self.problem.dimensions();
        let range = format!("{dimensions} coordinates");
        check("place", place.len() as f64, place.len() == dimensions, &range)?;
        let (largest, whole) = (1e3 * self.size(), radius > 0.0 && radius.is_finite());
        check("radius", radius, whole, "the positive numbers")?;
        let range = format!("-{largest:.3} to {largest:.3}");
        check("height", height, height.abs() <= largest, &range)?;
        let coordinates = self.problem.coordinates.clone();
        let bump = |x: &[f64]| {
            let gaps = coordinates.iter().zip(x.iter().zip(place)).map(|(c, (x, at))| {
                let (gap, length) = (x - at, c.upper - c.lower);
                match c.boundary {
                    Boundary::Periodic => gap - length * (gap / length).round(),
                    Boundary::Dirichlet { .. } | Boundary::Open => gap,
                }
            });
            height * (-gaps.map(|gap| gap * gap).sum::<f64>() / (radius * radius)).exp()
        };
        self.change_solution(&bump).await
    }

    /// Another solution in place of the present one.
    async fn redraw(&mut self, values: &[f64]) -> Result<(), SessionError> {
        let points = self.grid.points();
        let range = format!("{points} values, one per point of the grid");
        check("values", values.len() as f64, values.len() == points, &range)?;
        let largest = 1e3 * self.size();
        let range = format!("-{largest:.3} to {largest:.3}");
        let bad = values.iter().find(|v| !v.is_finite() || v.abs() > largest);
        check("value", bad.copied().unwrap_or(0.0), bad.is_none(), &range)?;
        let now = self.evaluate();
        if now.is_empty() {
            return Ok(());
        }
        let grid = self.grid.clone();
        let difference: Vec<f64> = values.iter().zip(&now).map(|(v, u)| v - u).collect();
        self.change_solution(&|x| grid.interpolate(&difference, x)).await?;
        if self.history.records.is_empty() {
            // The run has another beginning.
            let theta = self.parameters().to_vec();
            self.redrawn = true;
            self.fitted = theta;
            return self.reset().await;
        }
        Ok(())
    }

    /// Adds a function of the coordinates to the solution.
    async fn change_solution(
        &mut self,
        change: &dyn Fn(&[f64]) -> f64,
    ) -> Result<(), SessionError> {
        let Some(evolution) = &mut self.evolution else { return Ok(()) };
        let left = evolution.disturb(change).await?;
        let time = evolution.time();
        let compared = self.reference.take().is_some();
        self.gaussian = None;
        self.error = None;
        let end = if compared { "; errors are no longer measured" } else { "" };
        self.messages.push(format!(
            "The solution was changed at t = {time:.3}; the network follows to {left:.1e}{end}."
        ));
        Ok(())
    }

    /// The largest value of the latest frame, or 1 where that is less.
    fn size(&self) -> f64 {
        match self.frames.len() {
            0 => 1.0,
            len => self.frames.frame(len - 1).iter().fold(1.0, |most, v| most.max(v.abs())),
        }
    }

    /// The method's settings as they are now, from the next step on.
    fn take_method(&mut self) {
        if let Some(evolution) = &mut self.evolution {
            evolution.set_method(self.problem.method.clone());
        }
        self.pace = super::pace::Pace::default();
    }

    fn refit(&mut self) -> Result<(), SessionError> {
        self.fit = Some(InitialFit::new(&self.problem)?);
        self.phase = Phase::Fit;
        Ok(())
    }

    fn forget_run(&mut self) -> Result<(), SessionError> {
        self.grid = EvaluationGrid::of(&self.problem);
        self.frames = self.grid.empty_frames(&self.problem, self.most_frames);
        self.trajectory = super::run::empty_trajectory(&self.problem, self.most_frames);
        self.history = History::default();
        self.densities.clear();
        self.gaussian = gaussian(&self.problem);
        self.shown = 0;
        if let Some(evolution) = self.evolution.take() {
            let mut engine = evolution.into_engine();
            engine.begin_anew(&self.problem)?;
            self.engine = Some(engine);
        }
        self.spectrum = None;
        self.columns.clear();
        self.error = None;
        self.failure = None;
        self.pace = super::pace::Pace::default();
        self.seconds.steps = 0.0;
        Ok(())
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
