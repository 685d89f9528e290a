//! Many runs as an array of Slurm's.

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, Stdio};

use super::distribution::{Distribution, Work};
use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::cli::program;
use crate::cli::solve::command_line::quoted;
use crate::output::atomic;

/// Writes `NAME.sbatch`, of the command's name, into its folder and submits it; a dry run only
/// shows it.
pub fn submit(
    distribution: &Distribution,
    work: &Work<'_>,
    tasks: NonZeroUsize,
    dry_run: bool,
) -> Result<(), Failure> {
    let out = std::path::absolute(work.out).unwrap_or_else(|_| work.out.to_owned());
    let text = script(distribution, work, &again()?, tasks, &out);
    if dry_run {
        return print(&text);
    }
    let path = out.join(format!("{}.sbatch", work.words[0]));
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

/// The array: each of its tasks is a share of the runs. Paths are absolute, a task starts anywhere.
fn script(
    distribution: &Distribution,
    work: &Work<'_>,
    program: &[String],
    tasks: NonZeroUsize,
    out: &Path,
) -> String {
    let (name, out) = (&work.words[0], out.display().to_string());
    let own = ["--backend".to_owned(), distribution.backend.clone(), "--out".into(), out.clone()];
    let words = program.iter().chain(&work.words).chain(&own);
    let command: Vec<String> = words.map(|word| quoted(word)).collect();
    let mut text = format!(
        "#!/bin/sh\n#SBATCH --job-name=sketchpde-{name}\n#SBATCH --array=1-{tasks}\n\
         #SBATCH --output={out}/{name}-%A-%a.log\n"
    );
    for option in &distribution.sbatch {
        text += &format!("#SBATCH {option}\n");
    }
    text + &format!(
        "exec {} --quiet --jobs \"${{SLURM_CPUS_PER_TASK:-1}}\" --shard \"$SLURM_ARRAY_TASK_ID/{tasks}\"\n",
        command.join(" ")
    )
}
