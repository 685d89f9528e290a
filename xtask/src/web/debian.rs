//! Debian's Rust compiler for the browser, in a folder of its own.
//!
//! Debian's security archive carries a recent compiler as `rustc-web`, for building browsers. It
//! conflicts with nothing when it is unpacked and not installed.

use std::path::Path;
use std::process::Command;

use super::toolchain::Toolchain;
use crate::setup;
use crate::steps::{Outcome, run};

/// Written last into the unpacked folder: without it, the unpacking was interrupted.
const COMPLETE: &str = "complete";

/// Downloads and unpacks the compiler, unless the cache has this version already, and installs the
/// linker and the code generator that it needs.
///
/// # Errors
/// When this is no Debian, or a package cannot be had; the message names it.
pub fn unpack(cache: &Path) -> Result<Toolchain, String> {
    if !setup::is_debian_like() || !cfg!(target_arch = "x86_64") {
        return Err("this is no Debian on x86_64 that would have a compiler as a package".into());
    }
    let version = match candidate("rustc-web") {
        Some(version) => version,
        None => {
            run(setup::apt_get().arg("update"));
            candidate("rustc-web").ok_or("the package rustc-web is in none of apt's sources")?
        }
    };
    let packages = packages(&version)?;
    let llvm = llvm(&packages[1]).ok_or_else(|| format!("{} names no libllvm", packages[1]))?;
    let linker = format!("wasm-ld-{llvm}");
    if !setup::runs(&linker, &["--version"]) {
        let wanted = [format!("libllvm{llvm}"), format!("lld-{llvm}")];
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        if let Outcome::Failed(why) = setup::install(&wanted) {
            return Err(why);
        }
    }
    let prefix = cache.join(format!("rust-web-{version}"));
    if !prefix.join(COMPLETE).is_file() {
        download(&packages, &prefix)?;
    }
    Ok(Toolchain::Debian { prefix, linker })
}

/// The version that apt would install.
fn candidate(package: &str) -> Option<String> {
    let output = Command::new("apt-cache").args(["policy", package]).output().ok()?;
    candidate_in(&String::from_utf8_lossy(&output.stdout))
}

fn candidate_in(policy: &str) -> Option<String> {
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate:"))?.trim();
    (version != "(none)").then(|| version.to_owned())
}

/// The four packages of one version: compiler, its libraries (second), its development files, and
/// the source of the standard library.
fn packages(version: &str) -> Result<[String; 4], String> {
    let mut parts = version.split('.');
    let (Some(major), Some(minor)) = (parts.next(), parts.next()) else {
        return Err(format!("rustc-web has version {version}, which is not like 1.96.0"));
    };
    let libraries = format!("libstd-rust-web-{major}.{minor}");
    Ok(["rustc-web", &libraries, "libstd-rust-web-dev", "rust-web-src"]
        .map(|name| format!("{name}={version}")))
}

/// The LLVM that a package of the compiler needs, from its dependencies.
fn llvm(package: &str) -> Option<u32> {
    let output = Command::new("apt-cache").args(["show", package]).output().ok()?;
    llvm_in(&String::from_utf8_lossy(&output.stdout))
}

fn llvm_in(description: &str) -> Option<u32> {
    let depends = description.lines().find(|line| line.starts_with("Depends:"))?;
    let (_, rest) = depends.split_once("libllvm")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn download(packages: &[String], prefix: &Path) -> Result<(), String> {
    println!("Unpacking Debian's compiler for the browser into {}", prefix.display());
    let archives = prefix.join("archives");
    for folder in [prefix, archives.as_path()] {
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let mut apt_get = Command::new("apt-get");
    apt_get.args(["-q", "download"]).args(packages).current_dir(&archives);
    done(&mut apt_get)?;
    let entries =
        std::fs::read_dir(&archives).map_err(|e| format!("{}: {e}", archives.display()))?;
    let archives_of = entries.flatten().map(|entry| entry.path());
    for archive in archives_of.filter(|path| path.extension().is_some_and(|e| e == "deb")) {
        done(Command::new("dpkg").arg("-x").args([archive.as_path(), prefix]))?;
    }
    let _ = std::fs::remove_dir_all(&archives);
    std::fs::write(prefix.join(COMPLETE), "").map_err(|e| format!("{}: {e}", prefix.display()))
}

fn done(command: &mut Command) -> Result<(), String> {
    match run(command) {
        Outcome::Failed(why) => Err(why),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_apt() {
        let policy = "rustc-web:\n  Installed: (none)\n  Candidate: 1.96.0+dfsg1-1~deb12u2\n";
        assert_eq!(candidate_in(policy).as_deref(), Some("1.96.0+dfsg1-1~deb12u2"));
        assert_eq!(candidate_in("rustc-web:\n  Candidate: (none)\n"), None);
        assert_eq!(candidate_in(""), None);
        let packages = packages("1.96.0+dfsg1-1").unwrap();
        assert_eq!(packages[1], "libstd-rust-web-1.96=1.96.0+dfsg1-1");
        assert!(super::packages("2026").is_err());
    }

    #[test]
    fn the_linker_is_the_one_of_the_compilers_llvm() {
        let shown = "Package: libstd-rust-web-1.96\nDepends: libc6 (>= 2.34), libllvm22\n";
        assert_eq!(llvm_in(shown), Some(22));
        assert_eq!(llvm_in("Depends: libc6"), None);
    }
}
