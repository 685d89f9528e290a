//! The program as a user meets it: the real binary, its output, its files and its exit codes.

#[path = "cli/support.rs"]
mod support;

#[path = "cli/estimates.rs"]
mod estimates;
#[path = "cli/faults.rs"]
mod faults;
#[path = "cli/files.rs"]
mod files;
#[path = "cli/interruption.rs"]
mod interruption;
#[path = "cli/kills.rs"]
mod kills;
#[path = "cli/problems.rs"]
mod problems;
#[path = "cli/questions.rs"]
mod questions;
#[path = "cli/reproduce.rs"]
mod reproduce;
#[path = "cli/runs.rs"]
mod runs;
#[path = "cli/sweep.rs"]
mod sweep;
#[path = "cli/training.rs"]
mod training;
#[cfg(unix)]
#[path = "cli/tutorials.rs"]
mod tutorials;
