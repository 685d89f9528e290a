//! A compiler for `wasm32-unknown-unknown`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::debian;
use crate::steps::{Outcome, run};

pub const TARGET: &str = "wasm32-unknown-unknown";

/// Chooses between the two ways: `rustup` or `debian`.
pub const VARIABLE: &str = "SKETCHPDE_WEB_TOOLCHAIN";

/// What builds for the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The compiler that builds everything else: its library for the target is installed.
    Installed,
    /// Debian's compiler with the source of its library, unpacked into a private folder.
    Debian { prefix: PathBuf, linker: String },
}

impl Toolchain {
    /// Finds a compiler, or installs one: the target for the compiler at hand by rustup, else, on
    /// Debian, the packages of a whole second compiler.
    ///
    /// # Errors
    /// When neither can be had; the message says what was tried and what to do.
    pub fn find(cache: &Path) -> Result<Self, String> {
        let wanted = std::env::var(VARIABLE).unwrap_or_default();
        match wanted.as_str() {
            "" => {}
            "rustup" => return add_target().map(|()| Self::Installed),
            "debian" => return debian::unpack(cache),
            other => return Err(format!("{VARIABLE} is {other}: it can be rustup or debian")),
        }
        if has_target() {
            return Ok(Self::Installed);
        }
        let by_rustup = match add_target() {
            Ok(()) => return Ok(Self::Installed),
            Err(why) => why,
        };
        debian::unpack(cache).map_err(|by_debian| {
            format!(
                "no compiler for {TARGET}: {by_rustup}; {by_debian}. Install it with `rustup \
                 target add {TARGET}`, or the package of your distribution that holds it"
            )
        })
    }

    /// `cargo build` for the browser, with what this compiler needs around it.
    pub fn cargo_build(&self) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--target", TARGET]);
        if let Self::Debian { prefix, linker } = self {
            let usr = prefix.join("usr");
            let libraries = [usr.join("lib/x86_64-linux-gnu"), usr.join("lib")];
            command
                .arg("-Zbuild-std=std,panic_abort")
                .env("RUSTC", usr.join("bin/rustc"))
                .env("LD_LIBRARY_PATH", std::env::join_paths(libraries).unwrap_or_default())
                // Lets a stable compiler build its own library.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        command
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed => write!(f, "the compiler at hand, with the target {TARGET}"),
            Self::Debian { prefix, .. } => write!(f, "Debian's compiler in {}", prefix.display()),
        }
    }
}

/// Whether the compiler at hand has its library for the target.
fn has_target() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .and_then(|folder| std::fs::read_dir(folder.trim()).ok())
        .is_some_and(|files| {
            files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
        })
}

fn add_target() -> Result<(), String> {
    if has_target() {
        return Ok(());
    }
    println!("Installing the target {TARGET}");
    // Where no server answers, it had better say so soon.
    let mut rustup = Command::new("rustup");
    rustup.env("RUSTUP_MAX_RETRIES", "1").args(["target", "add", TARGET]);
    match run(&mut rustup) {
        Outcome::Failed(why) => Err(why),
        _ if has_target() => Ok(()),
        _ => Err("rustup added the target to another compiler than the one in use".to_owned()),
    }
}
