//! Everything that can end the program otherwise than in success, with its exit code.

use std::io::Write;
use std::path::PathBuf;

use super::output::harmless;

use crate::evolve::EvolveError;
use crate::field::gpu::GpuError;
use crate::optimize::OptimizeError;
use crate::output::OutputError;
use crate::problem::ProblemErrors;
use crate::session::SessionError;
use crate::solution::SolutionError;

/// Why the program ends without success.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    #[error("{0}\n   (and there is no file of that name)")]
    UnknownProblem(ProblemErrors),
    #[error("cannot read the problem file {}: {source}", path.display())]
    ReadProblem { path: PathBuf, source: std::io::Error },
    #[error("{errors}\n\n{}", counted(file, errors))]
    Problem { file: String, errors: ProblemErrors },
    #[error("cannot write to standard output: {0}")]
    Output(std::io::Error),
    #[error("cannot listen for Ctrl-C: {0}")]
    Signals(ctrlc::Error),
    #[error("the system gives no thread: {0}")]
    Thread(std::io::Error),
    #[error(
        "the system does not give {count} threads ({reason}): set RAYON_NUM_THREADS=1, or raise the \
         limit of processes (ulimit -u)"
    )]
    Threads { count: usize, reason: String },
    #[error(
        "{} holds a run already (or a file of its name, {file}), which would be written over: \
         continue that run with --resume, replace it with --force, or choose another --out",
        path.display()
    )]
    FolderTaken { path: PathBuf, file: String },
    #[error(
        "another run is at work in {}: wait for it, or choose another --out",
        path.display()
    )]
    FolderInUse { path: PathBuf },
    #[error(
        "there is no interrupted run of this problem in {}: start it without --resume, or name its \
         folder with --out",
        path.display()
    )]
    NothingToResume { path: PathBuf },
    #[error(
        "the run in {} was begun with other settings: it has `{before}` where there is now `{now}`; \
         use its settings, or start anew without --resume",
        path.display()
    )]
    OtherProblem { path: PathBuf, before: String, now: String },
    #[error(transparent)]
    Files(#[from] OutputError),
    #[error("{source}{}", state_kept(*kept))]
    NotWritten { source: OutputError, kept: bool },
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Training(#[from] OptimizeError),
    #[error(transparent)]
    Device(#[from] GpuError),
    #[error(
        "the training diverged: its loss grew to {loss:.1e}; take a smaller method.rate, or a method \
         that chooses its steps (method.name = \"lm\")"
    )]
    TrainingDiverged { loss: f64 },
    #[error("{problem} steps in time, one seed a run: leave out --seeds and choose one by --seed")]
    SeedsOfEvolution { problem: String },
    #[error("the relative L2 error {} --max-error {bound:e}", compared(*error))]
    ErrorAbove { error: Option<f64>, bound: f64 },
    #[error(
        "the time limit ended the run before its end{}",
        resume.as_deref().map(|command| format!("; to go on:\n  {command}")).unwrap_or_default()
    )]
    OutOfTime { resume: Option<String> },
    #[error("interrupted{}", resumed(resume.as_deref()))]
    Interrupted { resume: Option<String> },
    #[error("there is no study `{given}`: take one of {known}")]
    UnknownStudy { given: String, known: String },
    #[error("the study has no part `{given}`: take one of {known}, or all")]
    UnknownPart { given: String, known: String },
    #[error(
        "{problem} steps in time: tangent kernels are drawn of problems that are trained over the \
         whole domain"
    )]
    NoKernels { problem: String },
    #[error(
        "there is no trained network in this folder: the answer was found without one\n   (solve with \
         --set method.correction=false to train)"
    )]
    Untrained,
    #[error("--at needs a point of the domain: {wanted}")]
    PointOutside { wanted: String },
    #[error(transparent)]
    Solution(#[from] SolutionError),
    #[error("cannot read the points in {}: {source}", path.display())]
    ReadPoints { path: PathBuf, source: std::io::Error },
    #[error("the points in {}: {reason}", path.display())]
    Points { path: PathBuf, reason: String },
    #[error("{} has a column t and --times gives others: leave out one of them", path.display())]
    TwoTimes { path: PathBuf },
    #[error("{} must end in {known}: the ending says the format", path.display())]
    OutputEnding { path: PathBuf, known: &'static str },
    #[error(
        "VTK files have at most three dimensions, this problem has {dimensions}: take --format npz \
         or csv, or evaluate a slice of it with `sketchpde eval`"
    )]
    TooManyDimensions { dimensions: usize },
    #[error(
        "--grid gives {given} numbers, the problem has {dimensions} coordinates: give one or as many"
    )]
    GridCounts { given: usize, dimensions: usize },
    #[error("--grid must be at least 2 along every coordinate, and at most {most} points in all")]
    GridSize { most: usize },
    #[error("cannot start a run as a process of its own: {0}")]
    Program(std::io::Error),
    #[error("{run} failed: {message}; the same command tries it again")]
    RunFailed { run: String, message: String },
    #[error(
        "the problem has no parameter {name} to sweep over: its parameters are {known}; other settings \
         go by their dotted keys, such as method.columns"
    )]
    NoParameter { name: String, known: String },
    #[error(
        "sbatch cannot be started: {source}; where Slurm is, submit {} by hand, or start the shares by \
         --shard", script.display()
    )]
    Sbatch { script: PathBuf, source: std::io::Error },
    #[error("sbatch did not take {}: {said}", script.display())]
    SbatchRefused { script: PathBuf, said: String },
    #[error("cannot clear away {}: {source}", path.display())]
    Clear { path: PathBuf, source: std::io::Error },
}

impl Failure {
    /// The exit code: 1 failure, 2 usage, 3 diverged, 4 error above the bound, 5 no usable device,
    /// 6 out of time, 130 interrupted.
    pub fn code(&self) -> u8 {
        match self {
            Self::UnknownProblem(_)
            | Self::UnknownStudy { .. }
            | Self::UnknownPart { .. }
            | Self::NoKernels { .. }
            | Self::Untrained
            | Self::PointOutside { .. }
            | Self::TwoTimes { .. }
            | Self::NoParameter { .. }
            | Self::OutputEnding { .. }
            | Self::TooManyDimensions { .. }
            | Self::GridCounts { .. }
            | Self::GridSize { .. }
            | Self::Solution(
                SolutionError::Outside { .. }
                | SolutionError::Time { .. }
                | SolutionError::NoTime { .. }
                | SolutionError::Quantity { .. },
            )
            | Self::SeedsOfEvolution { .. }
            | Self::Session(
                SessionError::Device(GpuError::NoDouble { .. } | GpuError::NoLongNumbers { .. })
                | SessionError::Evolve(EvolveError::Precision { .. }),
            ) => 2,
            Self::TrainingDiverged { .. }
            | Self::Session(
                SessionError::Diverged { .. }
                | SessionError::Training(OptimizeError::LossNotFinite { .. })
                | SessionError::Evolve(
                    EvolveError::Grown { .. }
                    | EvolveError::Lost { .. }
                    | EvolveError::NotFinite { .. }
                    | EvolveError::StepTooSmall { .. },
                ),
            ) => 3,
            Self::ErrorAbove { .. } => 4,
            Self::OutOfTime { .. } => 6,
            Self::Device(error)
            | Self::Session(
                SessionError::Device(error) | SessionError::Evolve(EvolveError::Gpu(error)),
            ) if is_unusable(error) => 5,
            Self::Interrupted { .. } => 130,
            _ => 1,
        }
    }

    /// Writes the message to standard error; where even that fails there is nobody to tell.
    pub fn report(&self) {
        let mut stderr = std::io::stderr().lock();
        // Mistakes in a problem file are each labelled already.
        let text = match self {
            Self::Problem { .. } | Self::UnknownProblem(_) => self.to_string(),
            _ => format!("error: {self}"),
        };
        let _ = writeln!(stderr, "{}", harmless(&text));
    }
}

/// Whether there is no device to compute on, or none any more.
fn is_unusable(error: &GpuError) -> bool {
    matches!(
        error,
        GpuError::NoAdapter
            | GpuError::NoHardwareAdapter { .. }
            | GpuError::NoSuchAdapter { .. }
            | GpuError::Request { .. }
            | GpuError::Lost { .. }
    )
}

fn counted(file: &str, errors: &ProblemErrors) -> String {
    match errors.errors.len() {
        1 => format!("{file}: 1 mistake"),
        count => format!("{file}: {count} mistakes"),
    }
}

fn compared(error: Option<f64>) -> String {
    match error {
        Some(error) => format!("is {error:.3e}, above"),
        None => "is not known, for want of a reference, and cannot be held against".to_owned(),
    }
}

fn resumed(command: Option<&str>) -> String {
    match command {
        Some(command) => format!("; to go on:\n  {command}"),
        None => " before the initial fit was done: there is nothing to go on from".to_owned(),
    }
}

fn state_kept(kept: bool) -> &'static str {
    if kept { "; the state of the run is kept, --resume writes its results again" } else { "" }
}
