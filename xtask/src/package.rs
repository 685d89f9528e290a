//! The crates as a registry gets them, each built from its own files alone.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::{Outcome, run};

/// Packs every crate that is to be published, unpacks the archives beside each other and has the
/// compiler check them there: a file that a crate takes from outside of its folder is not among
/// them. Needs no registry. `cargo publish --workspace --dry-run` does the same with a registry and
/// a whole build.
pub fn check(cargo: impl Fn(&str) -> Command) -> Outcome {
    match lay_out(&cargo) {
        Ok(folder) => run(cargo("check")
            .args(["--release", "--offline", "--workspace", "--manifest-path"])
            .arg(folder.join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", target())),
        Err(why) => Outcome::Failed(why),
    }
}

/// The folder of a workspace of the unpacked crates.
fn lay_out(cargo: &impl Fn(&str) -> Command) -> Result<PathBuf, String> {
    let crates = published(&read(Path::new("Cargo.toml"))?)?;
    let packages = target().join("package");
    let mut pack = cargo("package");
    pack.args(["--no-verify", "--offline", "--exclude-lockfile", "--allow-dirty", "--quiet"]);
    pack.env("CARGO_TARGET_DIR", target());
    pack.args(crates.iter().flat_map(|(name, _)| ["--package", name]));
    run(&mut pack).passed()?;
    let folder = packages.join("alone");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|error| said(&folder, &error))?;
    }
    std::fs::create_dir_all(&folder).map_err(|error| said(&folder, &error))?;
    for (name, version) in &crates {
        let archive = packages.join(format!("{name}-{version}.crate"));
        // With the time of now: the archives have one that no build takes for new.
        let mut unpack = Command::new("tar");
        run(unpack.arg("-xzmf").arg(archive).arg("-C").arg(&folder)).passed()?;
    }
    let manifest = folder.join("Cargo.toml");
    std::fs::write(&manifest, workspace(&crates)).map_err(|error| said(&manifest, &error))?;
    // The same versions of everything else, which are at hand.
    let lock = folder.join("Cargo.lock");
    std::fs::copy("Cargo.lock", &lock).map_err(|error| said(&lock, &error))?;
    Ok(folder)
}

/// A workspace of the unpacked crates, in which they find each other.
fn workspace(crates: &[(String, String)]) -> String {
    let mut text =
        "[workspace]\nresolver = \"3\"\nmembers = [\"*-*\"]\n\n[patch.crates-io]\n".to_owned();
    for (name, version) in crates {
        let _ = writeln!(text, "{name} = {{ path = \"{name}-{version}\" }}");
    }
    text
}

/// Name and version of the crates of this workspace that are to be published: all whose manifests
/// do not say otherwise.
fn published(root: &str) -> Result<Vec<(String, String)>, String> {
    let version = value(root, "version").ok_or("Cargo.toml names no version")?;
    let members = root.split_once("members = [").and_then(|(_, rest)| rest.split_once(']'));
    let (members, _) = members.ok_or("Cargo.toml has no members")?;
    let folders = members.split(',').map(|member| member.trim().trim_matches('"'));
    let mut crates = Vec::new();
    for folder in folders.filter(|folder| !folder.is_empty()).chain(["."]) {
        let manifest = read(&Path::new(folder).join("Cargo.toml"))?;
        if manifest.lines().all(|line| line != "publish = false") {
            let name = value(&manifest, "name").ok_or(format!("{folder} has no name"))?;
            crates.push((name.to_owned(), version.to_owned()));
        }
    }
    Ok(crates)
}

/// The first value of that key in a manifest.
fn value<'a>(manifest: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = manifest.lines();
    lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'))
}

fn target() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    std::path::absolute(&named).unwrap_or(named)
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| said(path, &error))
}

fn said(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_the_workspace_but_for_what_says_otherwise() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        std::env::set_current_dir(root).unwrap();
        let crates = published(&read(Path::new("Cargo.toml")).unwrap()).unwrap();
        let has = |name: &str| crates.iter().any(|(found, _)| found == name);
        for name in ["sketchpde", "sketchpde-native", "sketchpde-shaders", "sketchpde-field"] {
            assert!(has(name), "{name} is missing in {crates:?}");
        }
        assert!(!has("xtask") && !has("sketchpde-web") && !has("sketchpde-python"), "{crates:?}");
    }
}
