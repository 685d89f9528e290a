//! Where downloads and the browser app's build are kept between runs and between clones.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Names the folder outright.
pub const VARIABLE: &str = "SKETCHPDE_BUILD_CACHE";

/// The folder for what is expensive to make again: the toolchain, the browser driver and the
/// browser app's target folder. It lies outside of the clone, so that a fresh clone finds it.
///
/// The first of these that can be written to: [`VARIABLE`], the user's cache folder,
/// `target/build-cache`.
///
/// # Errors
/// When none can be made; the message says which were tried.
pub fn folder() -> Result<PathBuf, String> {
    let candidates = candidates(|name| std::env::var_os(name).filter(|value| !value.is_empty()));
    let mut complaints = Vec::new();
    for folder in candidates {
        match writable(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) => complaints.push(format!("{}: {error}", folder.display())),
        }
    }
    Err(format!("no folder to keep the build in; set {VARIABLE}: {}", complaints.join("; ")))
}

fn candidates(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let under = |base: Option<OsString>, rest: &str| base.map(|base| Path::new(&base).join(rest));
    let user = if cfg!(windows) {
        under(variable("LOCALAPPDATA"), "sketchpde/build")
    } else if cfg!(target_os = "macos") {
        under(variable("HOME"), "Library/Caches/sketchpde/build")
    } else {
        under(variable("XDG_CACHE_HOME"), "sketchpde/build")
            .or_else(|| under(variable("HOME"), ".cache/sketchpde/build"))
    };
    let named = variable(VARIABLE).map(PathBuf::from);
    let last = std::path::absolute("target/build-cache").unwrap_or("target/build-cache".into());
    named.into_iter().chain(user).chain([last]).collect()
}

fn writable(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    std::fs::write(&probe, b"")?;
    std::fs::remove_file(&probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_folder_comes_first_and_the_clone_last() {
        let all = |name: &str| match name {
            VARIABLE => Some("/named".into()),
            "HOME" | "XDG_CACHE_HOME" | "LOCALAPPDATA" => Some("/user".into()),
            _ => None,
        };
        let folders = candidates(all);
        assert_eq!(folders.first(), Some(&PathBuf::from("/named")));
        assert!(folders[1].starts_with("/user"), "{folders:?}");
        assert_eq!(candidates(|_| None).len(), 1);
        assert!(candidates(|_| None)[0].ends_with("target/build-cache"));
    }

    #[test]
    fn a_folder_under_a_file_is_not_writable() {
        assert!(writable(&Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml/x")).is_err());
    }
}
