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

    /// Finds a compiler with the source of its library, or installs one as [`find`](Self::find)
    /// does: threads need a library that was compiled for them, and none comes so.
    ///
    /// # Errors
    /// When none can be had; the message says what was tried and what to do.
    pub fn find_with_source(cache: &Path) -> Result<Self, String> {
        let wanted = std::env::var(VARIABLE).unwrap_or_default();
        if wanted == "debian" {
            return debian::unpack(cache);
        }
        let by_rustup = match add_source() {
            Ok(()) => return Ok(Self::Installed),
            Err(why) => why,
        };
        let by_debian = match wanted.as_str() {
            "rustup" => format!("{VARIABLE} is rustup"),
            _ => match debian::unpack(cache) {
                Ok(toolchain) => return Ok(toolchain),
                Err(why) => why,
            },
        };
        Err(format!(
            "no source of Rust's library to build it with threads: {by_rustup}; {by_debian}. \
             Install it with `rustup component add rust-src`"
        ))
    }

    /// `cargo build` for the browser, with what this compiler needs around it; `build_library` for
    /// a standard library with the features that the build asks for.
    pub fn cargo_build(&self, build_library: bool) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--target", TARGET]);
        if build_library || matches!(self, Self::Debian { .. }) {
            command
                .arg("-Zbuild-std=std,panic_abort")
                // Lets a stable compiler build its own library.
                .env("RUSTC_BOOTSTRAP", "1");
        }
        if let Self::Debian { prefix, linker } = self {
            let usr = prefix.join("usr");
            let libraries = [usr.join("lib/x86_64-linux-gnu"), usr.join("lib")];
            command
                .env("RUSTC", usr.join("bin/rustc"))
                .env("LD_LIBRARY_PATH", std::env::join_paths(libraries).unwrap_or_default())
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

/// What the compiler at hand prints.
fn printed(arguments: &[&str]) -> Option<PathBuf> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--print").args(arguments).output().ok()?;
    let text = output.status.success().then(|| String::from_utf8(output.stdout).ok())??;
    Some(text.trim().into())
}

/// Whether the compiler at hand has its library for the target.
fn has_target() -> bool {
    printed(&["target-libdir", "--target", TARGET])
        .and_then(|folder| std::fs::read_dir(folder).ok())
        .is_some_and(|files| {
            files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
        })
}

/// Whether the compiler at hand has the source of its library.
fn has_source() -> bool {
    printed(&["sysroot"]).is_some_and(|root| root.join("lib/rustlib/src/rust/library").is_dir())
}

fn add_target() -> Result<(), String> {
    add(has_target, ["target", "add", TARGET])
}

fn add_source() -> Result<(), String> {
    add(has_source, ["component", "add", "rust-src"])
}

/// Has rustup add to the compiler at hand what is not there.
fn add(is_there: impl Fn() -> bool, arguments: [&str; 3]) -> Result<(), String> {
    if is_there() {
        return Ok(());
    }
    println!("rustup {}", arguments.join(" "));
    // Where no server answers, it had better say so soon.
    let mut rustup = Command::new("rustup");
    rustup.env("RUSTUP_MAX_RETRIES", "1").args(arguments);
    match run(&mut rustup) {
        Outcome::Failed(why) => Err(why),
        _ if is_there() => Ok(()),
        _ => Err("rustup added it to another compiler than the one in use".to_owned()),
    }
}
