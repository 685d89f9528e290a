//! A folder for each test, and the binary run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Heat on a circle: one mode, which decays as exp(-kappa t). Small enough to be solved in a
/// fraction of a second.
pub const HEAT: &str = r#"
format = 1
name = "small-heat"

[equation]
text = "u_t = kappa*u_xx"

[domain]
x = { range = [0, "2*pi"], boundary = "periodic" }

[time]
end = 0.5

[parameters]
kappa = 1

[initial]
u = "sin(x)"

[exact]
u = "exp(-kappa*t)*sin(x)"

[network]
width = 6
hidden_layers = 2
activation = "tanh"

[points]
count = 64

[method]
columns = 50
step = 1e-2
rcond = 1e-4
"#;

/// A stand-in for Slurm: reads the array's size from the script and runs its tasks one after the
/// other, as Slurm would on one node.
#[cfg(unix)]
const SBATCH: &str = r#"#!/bin/sh
set -e
tasks=$(sed -n 's/^#SBATCH --array=1-//p' "$1")
grep -q '^#SBATCH --time=0:05:00$' "$1"
for task in $(seq "$tasks"); do (cd / && SLURM_ARRAY_TASK_ID=$task sh "$1" >/dev/null 2>&1); done
echo "Submitted batch job 7"
"#;

/// A number that a variable of the environment may say: how much of a campaign a test does.
pub fn count(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}

/// A folder of one test, with a problem file in it; it goes when the test is done.
pub struct Place {
    folder: PathBuf,
}

impl Place {
    pub fn new(test: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("sketchpde-cli-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let place = Self { folder };
        place.write("heat.toml", HEAT);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("writes into its own folder");
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Names of the files in a folder, in order.
    pub fn files(&self, name: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(name)).expect("a folder");
        let mut names: Vec<String> =
            entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into()).collect();
        names.sort();
        names
    }

    /// The program, to be run here with these arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.prepared(Command::new(program()), arguments)
    }

    /// The program behind some lines of shell.
    pub fn shell(&self, before: &str, arguments: &[&str], after: &str) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{before}\nexec \"$0\" \"$@\" {after}")).arg(program());
        self.prepared(command, arguments)
    }

    /// Lines of shell, the first that fails being the last.
    #[cfg(unix)]
    pub fn shell_script(&self, text: &str) -> Command {
        self.prepared(Command::new("sh"), &["-e", "-c", text])
    }

    fn prepared(&self, mut command: Command, arguments: &[&str]) -> Command {
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("SKETCHPDE_CACHE", self.path("cache"))
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    /// Runs the program where a stand-in for Slurm takes arrays, with `--time=0:05:00` among their
    /// options.
    #[cfg(unix)]
    pub fn run_with_sbatch(&self, arguments: &[&str]) -> Ran {
        use std::os::unix::fs::PermissionsExt;
        std::fs::create_dir(self.path("bin")).expect("creates");
        self.write("bin/sbatch", SBATCH);
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.path("bin/sbatch"), executable).expect("may");
        let path = std::env::var("PATH").expect("a path");
        let path = format!("{}:{path}", self.path("bin").display());
        Ran::of(self.command(arguments).env("PATH", path))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_sketchpde"))
}

/// What a run of the program left.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(command: &mut Command) -> Self {
        Self::from(command.output().expect("the program starts"))
    }

    /// Insists on an exit code, and gives the run on.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Insists that standard error holds every one of these texts.
    #[track_caller]
    pub fn complains(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "no \"{text}\" in\n{}", self.stderr);
        }
        self
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e} in\n{}", self.stdout))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}
