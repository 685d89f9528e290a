//! A sweep as an array of Slurm's.

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Arguments;
use super::axis::absolute;
use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::cli::program;
use crate::cli::solve::command_line::quoted;
use crate::output::atomic;

/// Writes `sweep.sbatch` into the sweep's folder and submits it; with `--dry-run` it is only shown.
pub fn submit(arguments: &Arguments, tasks: NonZeroUsize, out: &Path) -> Result<(), Failure> {
    let out = std::path::absolute(out).unwrap_or_else(|_| out.to_owned());
    let text = script(arguments, &again()?, tasks, &out);
    if arguments.dry_run {
        return print(&text);
    }
    let path = out.join("sweep.sbatch");
    std::fs::create_dir_all(&out)
        .map_err(|source| crate::OutputError::Write { path: out.clone(), source })?;
    atomic::write(&path, text.as_bytes())?;
    let answer = Command::new("sbatch").arg(&path).stdin(Stdio::null()).output();
    let answer = match answer {
        Ok(answer) => answer,
        Err(source) => return Err(Failure::Sbatch { script: path, source }),
    };
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
        return Err(Failure::SbatchRefused { script: path, said });
    }
    print(&String::from_utf8_lossy(&answer.stdout))?;
    print(
        "When it is done, the same command with --collect in place of --slurm gathers the results\n",
    )
}

/// What starts this program again.
fn again() -> Result<Vec<String>, Failure> {
    let command = program::again()?;
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    Ok(words.map(|word| word.to_string_lossy().into_owned()).collect())
}

/// The array: each of its tasks is a share of the sweep. Paths are absolute, a task starts anywhere.
fn script(arguments: &Arguments, program: &[String], tasks: NonZeroUsize, out: &Path) -> String {
    let problem = &arguments.problem;
    let mut words = program.to_vec();
    words.extend(["sweep".to_owned(), absolute(&problem.problem)]);
    let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
    for (key, value) in &problem.set {
        option("--set", format!("{key}={value}"));
    }
    problem.variant.iter().for_each(|name| option("--variant", name.clone()));
    problem.method.iter().for_each(|name| option("--method", name.clone()));
    problem.seed.iter().for_each(|seed| option("--seed", seed.to_string()));
    arguments.over.iter().for_each(|axis| option("--over", axis.text.clone()));
    option("--seeds", arguments.seeds.to_string());
    option("--backend", arguments.backend.clone());
    option("--out", out.display().to_string());
    let command: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let mut text = format!(
        "#!/bin/sh\n#SBATCH --job-name=sketchpde-sweep\n#SBATCH --array=1-{tasks}\n\
         #SBATCH --output={}/sweep-%A-%a.log\n",
        out.display()
    );
    for option in &arguments.sbatch {
        text += &format!("#SBATCH {option}\n");
    }
    text + &format!(
        "exec {} --quiet --jobs \"${{SLURM_CPUS_PER_TASK:-1}}\" --shard \"$SLURM_ARRAY_TASK_ID/{tasks}\"\n",
        command.join(" ")
    )
}
