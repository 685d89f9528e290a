//! Problem files.

use sketchpde::problem::{Overrides, ProblemFile};
use sketchpde::{presets, residual_presets};

use super::damage::{cases, try_all};

fn read(text: &[u8], changes: &Overrides) -> Result<ProblemFile, sketchpde::ProblemErrors> {
    ProblemFile::from_bytes(text, None, changes)
}

/// Read or refused; what was read reads back from its own source, and what was refused can be shown.
fn decode(bytes: &[u8]) {
    match read(bytes, &Overrides::new()) {
        Ok(problem) => {
            let again = read(problem.source().as_bytes(), &Overrides::new());
            assert_eq!(again.as_ref(), Ok(&problem));
            let one = vec![("run.seed".to_owned(), "1".to_owned())];
            if let Ok(changed) = read(problem.source().as_bytes(), &one) {
                assert_eq!(read(changed.source().as_bytes(), &Overrides::new()), Ok(changed));
            }
        }
        Err(errors) => {
            assert!(!errors.errors.is_empty());
            assert!(!errors.to_string().is_empty());
        }
    }
}

#[test]
fn problem_files() {
    let sources = presets().iter().map(|preset| preset.text);
    let trainings = residual_presets().iter().map(|preset| preset.text);
    let seeds: Vec<Vec<u8>> = sources.chain(trainings).map(|text| text.as_bytes().into()).collect();
    try_all(5 * cases(), &seeds, decode);
}
