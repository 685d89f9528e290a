//! Progress and messages on standard error: a bar on a terminal, else a line every few seconds.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::output::harmless;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::evolve::initial_fit::FitReason;
use crate::session::{Phase, Status};

/// Between two lines where standard error is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Ticks of the bar.
const BAR: u64 = 1000;

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    Normal,
    /// What is done besides the steps as well: files, caches, devices.
    Verbose,
}

/// What the person sees of a run under way.
pub struct Progress {
    verbosity: Verbosity,
    bar: Option<ProgressBar>,
    last_line: Instant,
}

impl Progress {
    pub fn new(verbosity: Verbosity) -> Self {
        let shown = verbosity > Verbosity::Quiet && std::io::stderr().is_terminal();
        Self { verbosity, bar: shown.then(bar), last_line: Instant::now() }
    }

    /// Shows where the run stands; `aside` is what else goes on.
    pub fn update(&mut self, status: &Status, aside: &str) {
        self.show(fraction(status), &format!("{}{aside}", describe(status)));
    }

    /// Shows which part of the run is behind us, and a text.
    pub fn show(&mut self, fraction: f64, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_position((fraction * BAR as f64) as u64);
            bar.set_message(harmless(text).into_owned());
            bar.tick();
        } else if self.last_line.elapsed() >= LINE_EVERY {
            self.say(Verbosity::Normal, text);
            self.last_line = Instant::now();
        }
    }

    /// Says something, above the bar.
    pub fn say(&self, from: Verbosity, message: &str) {
        if self.verbosity < from {
            return;
        }
        let message = harmless(message);
        match &self.bar {
            Some(bar) => bar.println(message),
            // A standard error that is closed has nobody reading it.
            None => drop(writeln!(std::io::stderr(), "{message}")),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(BAR), ProgressDrawTarget::stderr_with_hz(10));
    if let Ok(style) = ProgressStyle::with_template("{bar:16} {wide_msg}") {
        bar.set_style(style);
    }
    bar
}

/// The part of the run that is behind us.
fn fraction(status: &Status) -> f64 {
    match status.phase {
        Phase::Fit => 0.0,
        Phase::Done => 1.0,
        Phase::Steps | Phase::Training | Phase::Failed => {
            ((status.time - status.start) / (status.end - status.start)).clamp(0.0, 1.0)
        }
    }
}

fn describe(status: &Status) -> String {
    if status.phase == Phase::Fit {
        let error = status.fit_error.map(|e| format!("  error {e:.1e}")).unwrap_or_default();
        return format!("fit {}{error}", status.fit_iteration);
    }
    let steps = status.steps.map(|n| format!("/{n}")).unwrap_or_default();
    let training = status.iteration.as_ref();
    let mut text = match training {
        Some(_) => format!("iteration {}{steps}", status.step),
        None => format!("step {}{steps}  t {:.3}", status.step, status.time),
    };
    // What matters most comes first: narrow terminals cut the rest.
    if let (Phase::Steps | Phase::Training, Some(seconds)) = (status.phase, status.seconds_left) {
        text += &format!("  {} left", duration(seconds));
    }
    if let Some(error) = status.error {
        text += &format!("  error {error:.1e}");
    }
    if let Some(last) = &status.last {
        let stages = if last.implicit { "implicit" } else { "explicit" };
        text += &format!("  {stages}  residual {:.1e}  rank {}", last.residual, last.rank);
    }
    if let Some(point) = training {
        text += &format!("  loss {:.1e}  step {:.1e}", point.loss, point.step_length);
        if point.rank > 0 {
            text += &format!("  rank {}", point.rank);
        }
    }
    text
}

/// What is said once the initial fit is done.
pub fn fitted(status: &Status) -> String {
    let short = match status.fit_ended {
        Some(FitReason::MaxIterations) => "; its iterations ran out above its tolerance",
        Some(FitReason::Stalled) => "; it stalled above its tolerance",
        Some(FitReason::Tolerance) | None => "",
    };
    format!(
        "Initial state fitted in {} ({} iterations), relative error {}{short}",
        duration(status.seconds.fit),
        status.fit_iteration,
        status.initial_error.map_or_else(|| "unknown".into(), |e| format!("{e:.1e}")),
    )
}

/// Seconds as a person reads them.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..120 => format!("{whole} s"),
        120..7200 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_readable() {
        assert_eq!(duration(0.26), "0.3 s");
        assert_eq!(duration(11.4), "11 s");
        assert_eq!(duration(184.0), "3 min 04 s");
        assert_eq!(duration(3.0 * 3600.0 + 61.0), "3 h 01 min");
    }
}
