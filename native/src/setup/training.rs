//! What is to be trained: a problem file and the changes made to it.

use sketchpde::problem::{Overrides, Preset, ProblemErrors, ResidualProblem, residual_presets};

use super::{Base, Setup};

/// A problem that is solved over its whole domain at once, and the changes to its file.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingSetup(Setup);

impl TrainingSetup {
    #[must_use]
    pub fn new(base: Base, changes: Overrides) -> Self {
        Self(Setup { base, changes })
    }

    #[must_use]
    pub fn preset(preset: Preset) -> Self {
        Self(Setup::preset(preset))
    }

    #[must_use]
    pub fn file(text: impl Into<String>) -> Self {
        Self(Setup::file(text))
    }

    #[must_use]
    pub fn base(&self) -> &Base {
        self.0.base()
    }

    #[must_use]
    pub fn changes(&self) -> &Overrides {
        self.0.changes()
    }

    /// The same setup with one more change.
    #[must_use]
    pub fn with(&self, key: &str, value: &str) -> Self {
        Self(self.0.with(key, value))
    }

    /// Whether the file is one of a training at all: it lists residuals.
    #[must_use]
    pub fn is_one(&self) -> bool {
        match self.base() {
            Base::Preset(preset) => residual_presets().contains(preset),
            Base::File(text) => {
                let file: Option<toml::Table> = text.parse().ok();
                file.is_some_and(|file| file.contains_key("residual"))
            }
        }
    }

    /// The problem with every change applied.
    ///
    /// # Errors
    /// Every mistake in the file and in the changes.
    pub fn problem(&self) -> Result<ResidualProblem, ProblemErrors> {
        let text = match self.base() {
            Base::Preset(preset) => preset.text,
            Base::File(text) => text,
        };
        ResidualProblem::from_toml(text, self.changes())?.of_one_unknown()
    }

    /// As what it is where it [is no training](Self::is_one).
    pub(super) fn into_run(self) -> Setup {
        self.0
    }
}
