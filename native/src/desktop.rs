//! Files and links on a desktop.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use eframe::egui::DroppedFileHandle;
use sketchpde::output::beside;
use sketchpde::problem::{Overrides, Preset, ProblemFile};
use sketchpde_native::Platform;
use sketchpde_native::setup::Base;
use sketchpde_native::setup::share::{self, Opening};

/// The desktop: files are written into the current folder, and opened by dropping them.
#[derive(Default)]
pub struct Desktop {
    opened: VecDeque<Result<Vec<u8>, String>>,
}

impl Platform for Desktop {
    fn save(&mut self, name: &str, bytes: &[u8]) -> Result<String, String> {
        let path = unused(Path::new(name));
        std::fs::write(&path, bytes)
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
        let shown = std::path::absolute(&path).unwrap_or(path);
        Ok(format!("Saved as {}.", shown.display()))
    }

    fn receive(&mut self, file: DroppedFileHandle) {
        self.opened.push_back(file.bytes());
    }

    fn opened(&mut self) -> Option<Result<Vec<u8>, String>> {
        self.opened.pop_front()
    }

    fn link(&self, fragment: &str) -> String {
        // There is no page here: it opens with this program, or behind the address of one.
        format!("#{fragment}")
    }
}

/// The path itself, or with a number where there is such a file already.
fn unused(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
    let numbered = (2..).map(|k| path.with_file_name(format!("{stem}-{k}.{extension}")));
    std::iter::once(path.to_owned())
        .chain(numbered)
        .find(|path| !path.exists())
        .unwrap_or_else(|| path.to_owned())
}

/// `sketchpde-native [PRESET | FILE.toml | LINK]`.
///
/// # Errors
/// What is wrong with the argument.
pub fn opening_from_arguments() -> Result<Option<Opening>, String> {
    let mut arguments = std::env::args().skip(1);
    let Some(argument) = arguments.next() else { return Ok(None) };
    if arguments.next().is_some() || argument.starts_with('-') {
        return Err("usage: sketchpde-native [PRESET | FILE.toml | LINK]".into());
    }
    if let Some((_, fragment)) = argument.split_once('#') {
        return share::from_fragment(fragment).map(Some).map_err(|error| error.to_string());
    }
    let base = if Path::new(&argument).extension().is_some_and(|extension| extension == "toml") {
        let text = std::fs::read(&argument)
            .map_err(|error| format!("{argument} cannot be read: {error}"))?;
        // With the numbers of the files that it names.
        let files = beside(Path::new(&argument));
        let problem = ProblemFile::read(&text, None, &Overrides::new(), &files);
        Base::File(problem.map_err(|errors| errors.to_string())?.source().to_owned())
    } else {
        Base::Preset(Preset::find(&argument).map_err(|errors| errors.to_string())?)
    };
    Opening::of(base).map(Some).map_err(|errors| errors.to_string())
}
