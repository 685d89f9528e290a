//! The command that goes on with an interrupted run, as one would type it.

use std::ffi::OsString;
use std::path::Path;

/// The command of this run with `--resume`, and with its folder where that was not named.
pub fn to_resume(arguments: impl IntoIterator<Item = OsString>, folder: &Path) -> String {
    let words: Vec<String> =
        arguments.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let names_folder = words.iter().any(|word| word == "--out" || word.starts_with("--out="));
    let mut command: Vec<String> = words
        .iter()
        // What was replaced by --force is gone already.
        .filter(|word| !["--resume", "--force"].contains(&word.as_str()))
        .map(|word| quoted(word))
        .collect();
    if !names_folder {
        command.extend(["--out".to_owned(), quoted(&folder.to_string_lossy())]);
    }
    command.push("--resume".to_owned());
    command.join(" ")
}

/// A word in single quotes, where a shell would otherwise read it differently.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resumed(words: &[&str]) -> String {
        to_resume(words.iter().map(OsString::from), Path::new("out/my run"))
    }

    #[test]
    fn the_folder_is_named_and_shells_read_it_rightly() {
        assert_eq!(
            resumed(&["sketchpde", "solve", "kdv", "--set", "initial.u=sin(x)", "--force"]),
            "sketchpde solve kdv --set 'initial.u=sin(x)' --out 'out/my run' --resume"
        );
        assert_eq!(
            resumed(&["sketchpde", "solve", "it's.toml", "--resume", "--out", "here"]),
            r"sketchpde solve 'it'\''s.toml' --out here --resume"
        );
    }
}
