//! Steps with a name, a time and an outcome, and the table of them at the end.

use std::fmt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Failed(String),
    /// It was not run, and why: never silent, it stands in the summary.
    LeftOut(String),
}

impl Outcome {
    /// # Errors
    /// Why it did not pass, where it did not.
    pub fn passed(self) -> Result<(), String> {
        match self {
            Self::Passed => Ok(()),
            Self::Failed(why) | Self::LeftOut(why) => Err(why),
        }
    }
}

/// The steps so far.
#[derive(Default)]
pub struct Steps {
    done: Vec<(String, Outcome, Duration)>,
}

impl Steps {
    /// Announces the step, does it, and keeps its outcome and time.
    pub fn step(&mut self, name: &str, work: impl FnOnce() -> Outcome) {
        println!("\n=== {name}");
        let start = Instant::now();
        let outcome = work();
        let took = start.elapsed();
        match &outcome {
            Outcome::Passed => println!("--- {name}: passed in {:.1} s", took.as_secs_f64()),
            Outcome::Failed(why) => println!("--- {name}: FAILED: {why}"),
            Outcome::LeftOut(why) => println!("--- {name}: LEFT OUT: {why}"),
        }
        self.done.push((name.to_owned(), outcome, took));
    }

    /// # Errors
    /// When a step has failed; the message names those that have.
    pub fn result(&self) -> Result<(), String> {
        let failed: Vec<&str> = self
            .done
            .iter()
            .filter(|(_, outcome, _)| matches!(outcome, Outcome::Failed(_)))
            .map(|(name, ..)| name.as_str())
            .collect();
        if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
    }

    fn succeeded(&self) -> bool {
        !self.done.iter().any(|(_, outcome, _)| matches!(outcome, Outcome::Failed(_)))
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.done.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        writeln!(f, "\n=== Summary")?;
        for (name, outcome, took) in &self.done {
            let seconds = took.as_secs_f64();
            let outcome = match outcome {
                Outcome::Passed => "passed".to_owned(),
                Outcome::Failed(why) => format!("FAILED: {why}"),
                Outcome::LeftOut(why) => format!("LEFT OUT: {why}"),
            };
            writeln!(f, "  {name:width$}  {seconds:7.1} s  {outcome}")?;
        }
        let total: Duration = self.done.iter().map(|(_, _, took)| took).sum();
        write!(
            f,
            "{} in {:.1} s",
            if self.succeeded() { "All passed" } else { "FAILED" },
            total.as_secs_f64()
        )
    }
}

/// Runs a command to its end, its output going to ours, and says how it went.
pub fn run(command: &mut Command) -> Outcome {
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(format!("{} ended with {status}", shown(command))),
        Err(error) => Outcome::Failed(format!("{} did not start: {error}", shown(command))),
    }
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_fails_the_whole_and_is_named() {
        let mut steps = Steps::default();
        steps.step("first", || Outcome::Passed);
        steps.step("second", || Outcome::LeftOut("no driver".into()));
        assert!(steps.succeeded());
        steps.step("third", || run(Command::new("cargo").arg("no-such-command-at-all")));
        assert!(!steps.succeeded());
        let summary = steps.to_string();
        assert!(summary.contains("LEFT OUT: no driver"), "{summary}");
        assert!(summary.contains("FAILED: cargo no-such-command-at-all"), "{summary}");
    }

    #[test]
    fn a_program_that_is_missing_is_a_failure() {
        let outcome = run(&mut Command::new("a-program-that-nobody-has"));
        assert!(matches!(outcome, Outcome::Failed(why) if why.contains("did not start")));
    }
}
