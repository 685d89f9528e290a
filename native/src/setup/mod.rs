//! What is to be solved: a problem file and the changes that a person made to it.
//!
//! - [`Setup`]: the file, by preset or by its text, and the changes as overrides;
//! - [`live`]: the settings that make the presets move on a small machine, and their fits;
//! - [`explain`]: mistakes, field by field, with the place inside the field;
//! - [`TrainingSetup`]: the same for problems that are trained over their whole domain;
//! - [`deeds`]: what is done to a run along the way, in words;
//! - [`share`]: all of it as the fragment of a link.

pub mod deeds;
mod explain;
pub mod live;
pub mod share;
mod training;
#[cfg(test)]
mod tests;

use sketchpde::evolve::initial_fit::fit_key;
use sketchpde::network::Network;
use sketchpde::problem::{
    Boundary, Choice, Overrides, Preset, Problem, ProblemErrors, ReferenceKind,
};

pub use explain::{FieldError, explain, in_words};
pub use training::TrainingSetup;

const COLUMNS: &str = "method.columns";
const EQUATION: &str = "equation.text";
const REFERENCE: &str = "reference.kind";

/// Where a setup begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Base {
    /// A built-in problem with its [`live`] settings.
    Preset(Preset),
    /// The text of a problem file.
    File(String),
}

/// A problem file and the changes made to it, as overrides by dotted key.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    base: Base,
    changes: Overrides,
}

/// Adds a change in place of an earlier one of the same setting.
fn replace(changes: &mut Overrides, key: &str, value: impl Into<String>) {
    let value = value.into();
    match changes.iter_mut().find(|(known, _)| known == key) {
        Some((_, present)) => *present = value,
        None => changes.push((key.to_owned(), value)),
    }
}

/// The initial state as it stands in the problem's file; in the solver's own words where the file
/// leaves it to the exact solution.
#[must_use]
pub fn initial_text(problem: &Problem) -> String {
    let file: Option<toml::Table> = problem.source.parse().ok();
    let section = file.as_ref().and_then(|file| file.get("initial"));
    let written =
        section.and_then(|section| section.get(&problem.unknowns[0])).and_then(|u| u.as_str());
    match written {
        Some(text) => text.split_whitespace().collect::<Vec<&str>>().join(" "),
        None => problem.initial[0].to_text(&problem.names()),
    }
}

impl Setup {
    #[must_use]
    pub fn preset(preset: Preset) -> Self {
        Self { base: Base::Preset(preset), changes: Overrides::new() }
    }

    #[must_use]
    pub fn file(text: impl Into<String>) -> Self {
        Self { base: Base::File(text.into()), changes: Overrides::new() }
    }

    #[must_use]
    pub fn base(&self) -> &Base {
        &self.base
    }

    #[must_use]
    pub fn changes(&self) -> &Overrides {
        &self.changes
    }

    /// Changes a setting; a later change of the same one replaces the earlier.
    pub fn change(&mut self, key: &str, value: impl Into<String>) {
        replace(&mut self.changes, key, value);
    }

    /// The same setup with one more change.
    #[must_use]
    pub fn with(&self, key: &str, value: impl Into<String>) -> Self {
        let mut changed = self.clone();
        changed.change(key, value);
        changed
    }

    /// As [`Setup::with`]; a smaller network takes the number of columns down with it.
    #[must_use]
    pub fn with_fitting(&self, key: &str, value: impl Into<String>) -> Self {
        let changed = self.with(key, value);
        let one = changed.with(COLUMNS, "1");
        match (changed.problem(), one.problem()) {
            (Err(_), Ok(problem)) => {
                let most = Network::of(&problem).parameters();
                changed.with(COLUMNS, most.to_string())
            }
            _ => changed,
        }
    }

    /// The same setup with another equation.
    ///
    /// The file's exact solution is not one of the new equation: it is compared with a spectral
    /// reference then, where there can be one. With the file's own equation that is undone.
    #[must_use]
    pub fn with_equation(&self, text: &str) -> Self {
        let mut changed = self.clone();
        changed.changes.retain(|(key, _)| key != EQUATION);
        let original = changed.problem().ok();
        if original.as_ref().is_some_and(|problem| problem.equation.trim() == text) {
            changed.changes.retain(|(key, _)| key != REFERENCE);
            return changed;
        }
        changed.change(EQUATION, text);
        changed.give_up_the_exact_solution(original.as_ref());
        changed
    }

    /// The same setup with another initial state.
    #[must_use]
    pub fn with_initial(&self, text: &str) -> Self {
        let mut changed = self.clone();
        let Ok(problem) = self.problem() else { return changed };
        changed.change(&format!("initial.{}", problem.unknowns[0]), text);
        if problem.exact.is_some() {
            // An exact solution must begin as the run does; it is not compared with any more.
            changed.change(&format!("exact.{}", problem.unknowns[0]), text);
        }
        changed.give_up_the_exact_solution(Some(&problem));
        changed
    }

    fn give_up_the_exact_solution(&mut self, problem: Option<&Problem>) {
        let Some(problem) = problem.filter(|problem| problem.exact.is_some()) else { return };
        let periodic = [Boundary::Periodic];
        let boundaries = problem.coordinates.iter().map(|c| &c.boundary);
        let kind =
            if boundaries.eq(&periodic) { ReferenceKind::Spectral } else { ReferenceKind::None };
        self.change(REFERENCE, kind.word());
    }

    /// The problem with every change applied.
    ///
    /// # Errors
    /// Every mistake in the file and in the changes; [`explain`] puts them at their fields. Also where
    /// there are several unknowns.
    pub fn problem(&self) -> Result<Problem, ProblemErrors> {
        let problem = match &self.base {
            Base::Preset(preset) => {
                let mut overrides = live::settings(preset.name);
                overrides.extend(self.changes.iter().cloned());
                Problem::from_toml(preset.text, &overrides)
            }
            Base::File(text) => Problem::from_toml(text, &self.changes),
        };
        problem?.of_one_unknown()
    }

    /// How many overrides stand before [`Setup::changes`] when the problem is read.
    fn before(&self) -> usize {
        match &self.base {
            Base::Preset(preset) => live::settings(preset.name).len(),
            Base::File(_) => 0,
        }
    }

    /// Fitted parameters that came with the program, where `problem` (made from this setup) still
    /// begins as its preset does.
    #[must_use]
    pub fn stored_fit(&self, problem: &Problem) -> Option<Vec<f64>> {
        let Base::Preset(preset) = self.base else { return None };
        let original = Self::preset(preset).problem().ok()?;
        (fit_key(problem) == fit_key(&original)).then(|| live::fit(preset.name)).flatten()
    }
}
