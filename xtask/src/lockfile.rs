//! What the lock file must hold: one version of each crate that types cross.

use std::collections::BTreeMap;

/// Crates whose types pass between the solver and the front ends: two versions of one of them
/// compile, and then a texture of the one is no texture of the other.
const SINGLE: [&str; 6] = ["wgpu", "wgpu-core", "wgpu-hal", "wgpu-types", "naga", "nalgebra"];

/// Says which of the crates are in the lock file in more than one version, or not at all.
pub fn check(lock: &str) -> Result<(), String> {
    let versions = versions(lock);
    let mut complaints = Vec::new();
    for name in SINGLE {
        match versions.get(name).map(Vec::as_slice) {
            Some([_]) => {}
            Some(several) => complaints.push(format!(
                "{name} is in the tree in versions {}: see `cargo tree --workspace --invert \
                 {name}@{}`",
                several.join(", "),
                several[0]
            )),
            None => complaints.push(format!("{name} is not in Cargo.lock")),
        }
    }
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("; ")) }
}

/// Every package of the lock file with its versions.
fn versions(lock: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let field = |key: &str| {
            package
                .lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'))
        };
        if let (Some(name), Some(version)) = (field("name"), field("version")) {
            found.entry(name).or_default().push(version);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(second_wgpu: bool) -> String {
        let mut text = String::from("version = 4\n");
        for name in SINGLE {
            text += &format!("\n[[package]]\nname = \"{name}\"\nversion = \"30.0.1\"\n");
        }
        if second_wgpu {
            text += "\n[[package]]\nname = \"wgpu\"\nversion = \"29.0.0\"\n";
        }
        text
    }

    #[test]
    fn a_second_version_is_found() {
        assert_eq!(check(&lock(false)), Ok(()));
        let complaint = check(&lock(true)).unwrap_err();
        assert!(
            complaint.contains("wgpu is in the tree in versions 30.0.1, 29.0.0"),
            "{complaint}"
        );
    }

    #[test]
    fn a_missing_crate_is_found() {
        assert!(check("version = 4\n").unwrap_err().contains("naga is not in Cargo.lock"));
    }
}
