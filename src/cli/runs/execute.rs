//! Runs over the cores: each a process of its own, so that none disturbs another's memory or time.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Run;
use super::outcome::Outcome;
use crate::cli::failure::Failure;
use crate::cli::progress::{Progress, Verbosity, duration};
use crate::cli::{interrupt, program};
use crate::evolve::features::is_of;
use crate::output::ResultFolder;

/// How often the children are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long an interrupted run may take to write its checkpoint.
const PATIENCE: Duration = Duration::from_secs(15);

/// How runs are carried out.
pub struct Settings<'a> {
    /// Folder that holds a folder for each run.
    pub folder: &'a Path,
    /// Runs at a time.
    pub jobs: usize,
    /// Threads of each.
    pub threads: usize,
    /// Words for every run's command line.
    pub options: Vec<String>,
}

/// A run under way.
struct Worker {
    run: usize,
    child: Child,
    began: Instant,
    /// The last line that it said: its progress, in the end its error.
    said: Arc<Mutex<String>>,
    reader: std::thread::JoinHandle<()>,
}

/// Carries out the runs of these positions.
pub fn all(
    runs: &[Run],
    open: Vec<usize>,
    settings: &Settings<'_>,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let mut waiting = VecDeque::from(open);
    // Long runs first: no core then idles while the last one ends.
    waiting.make_contiguous().sort_by(|&a, &b| runs[b].cost.total_cmp(&runs[a].cost));
    let mut account = Account::new(runs, &waiting, settings.jobs);
    let mut working: Vec<Worker> = Vec::new();
    while !waiting.is_empty() || !working.is_empty() {
        if interrupt::requested() {
            progress.finish();
            return Err(stop(working));
        }
        while working.len() < settings.jobs
            && let Some(run) = waiting.pop_front()
        {
            working.push(Worker::start(run, &runs[run], settings)?);
        }
        std::thread::sleep(LOOK_EVERY);
        let mut k = 0;
        while k < working.len() {
            match working[k].child.try_wait().map_err(Failure::Program)? {
                None => k += 1,
                Some(status) => {
                    let worker = working.swap_remove(k);
                    account.finished(&runs[worker.run], worker.began.elapsed());
                    worker.ended(status, runs, settings.folder, progress)?;
                }
            }
        }
        account.show(&working, runs, progress);
    }
    progress.finish();
    Ok(())
}

impl Worker {
    fn start(number: usize, run: &Run, settings: &Settings<'_>) -> Result<Self, Failure> {
        let folder = settings.folder.join(&run.key);
        let ours =
            ResultFolder::open(&folder).read_problem().is_ok_and(|text| is_of(&text, &run.source));
        // What was interrupted goes on; what is of other settings is replaced.
        let resume = ours && crate::output::checkpoint::any(&folder);
        let mut command = program::again()?;
        command.args(["solve", &run.problem, "--no-plots", "--json", "--out"]).arg(&folder);
        command.arg(if resume { "--resume" } else { "--force" });
        command.args(run.variant.iter().flat_map(|variant| ["--variant", variant]));
        for (key, value) in &run.overrides {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        if let Some(seconds) = run.time_limit {
            command.arg("--time-limit").arg(format!("{seconds}s"));
        }
        command.args(&settings.options);
        command.env("RAYON_NUM_THREADS", settings.threads.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(Failure::Program)?;
        let said = Arc::new(Mutex::new(String::new()));
        let (stderr, last) = (child.stderr.take(), said.clone());
        let reader = std::thread::spawn(move || {
            for line in stderr.into_iter().flat_map(|e| BufReader::new(e).lines()) {
                let Ok(line) = line else { return };
                *last.lock().expect("no holder panics") = line;
            }
        });
        Ok(Self { run: number, child, began: Instant::now(), said, reader })
    }

    /// Notes how a run ended.
    fn ended(
        self,
        status: ExitStatus,
        runs: &[Run],
        folder: &Path,
        progress: &Progress,
    ) -> Result<(), Failure> {
        // The pipe closes with the process.
        let _ = self.reader.join();
        let said = self.said.lock().expect("no holder panics").clone();
        let run = &runs[self.run];
        if !status.success() && status.code() != Some(130) {
            Outcome::failed(folder, run, status.code(), &said)?;
        }
        let took = duration(self.began.elapsed().as_secs_f64());
        let result = match Outcome::of(folder, run) {
            Some(outcome) => outcome.describe(),
            None => said,
        };
        progress.say(Verbosity::Normal, &format!("{}: {result} ({took})", run.key));
        Ok(())
    }
}

/// Waits for the runs to write their checkpoints: Ctrl-C in a terminal reaches them as well. Those
/// that it did not reach are ended; they go on from the last checkpoint that they wrote.
fn stop(mut working: Vec<Worker>) -> Failure {
    let began = Instant::now();
    while began.elapsed() < PATIENCE
        && working.iter_mut().any(|worker| matches!(worker.child.try_wait(), Ok(None)))
    {
        std::thread::sleep(LOOK_EVERY);
    }
    for mut worker in working {
        // One that has ended meanwhile cannot be killed and need not be.
        let _ = worker.child.kill();
        let _ = worker.child.wait();
    }
    let words: Vec<String> =
        program::words().iter().map(|word| word.to_string_lossy().into_owned()).collect();
    Failure::Interrupted { resume: Some(words.join(" ")) }
}

/// What is done and how much is left.
struct Account {
    total: usize,
    done: usize,
    /// Expected seconds of what is finished, and those that it took.
    expected: f64,
    took: f64,
    /// Expected seconds of everything that was to be done.
    all: f64,
    jobs: usize,
}

impl Account {
    fn new(runs: &[Run], waiting: &VecDeque<usize>, jobs: usize) -> Self {
        let all = waiting.iter().map(|&k| runs[k].cost).sum();
        Self { total: waiting.len(), done: 0, expected: 0.0, took: 0.0, all, jobs }
    }

    fn finished(&mut self, run: &Run, took: Duration) {
        self.done += 1;
        self.expected += run.cost;
        self.took += took.as_secs_f64();
    }

    /// Seconds that a run takes here for every expected one.
    fn pace(&self) -> f64 {
        if self.expected > 0.0 { self.took / self.expected } else { 1.0 }
    }

    /// Expected seconds of what is under way that are behind us.
    fn under_way(&self, working: &[Worker], runs: &[Run]) -> f64 {
        let behind = |worker: &Worker| {
            (worker.began.elapsed().as_secs_f64() / self.pace()).min(0.95 * runs[worker.run].cost)
        };
        working.iter().map(behind).sum()
    }

    fn show(&self, working: &[Worker], runs: &[Run], progress: &mut Progress) {
        let behind = self.expected + self.under_way(working, runs);
        let left = (self.all - behind) * self.pace() / self.jobs as f64;
        let mut text = format!("{}/{} runs", self.done, self.total);
        if left > 0.0 {
            text += &format!("  {} left", duration(left));
        }
        if let Some(worker) = working.first() {
            let said = worker.said.lock().expect("no holder panics");
            text += &format!("  {}: {said}", runs[worker.run].key);
        }
        progress.show(behind / self.all.max(1e-9), &text);
    }
}
