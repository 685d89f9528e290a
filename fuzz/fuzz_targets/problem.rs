//! Any bytes as a problem file: read or refused, without a panic and without a hang; what was read
//! reads back from its own source, and what was refused can be shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sketchpde::problem::{Overrides, ProblemFile};

fuzz_target!(|bytes: &[u8]| {
    let read = |text: &[u8], changes: &Overrides| ProblemFile::from_bytes(text, None, changes);
    match read(bytes, &Overrides::new()) {
        Ok(problem) => {
            let again = read(problem.source().as_bytes(), &Overrides::new());
            assert_eq!(again.as_ref(), Ok(&problem));
            let one = vec![("run.seed".to_owned(), "1".to_owned())];
            if let Ok(changed) = read(problem.source().as_bytes(), &one) {
                let again = read(changed.source().as_bytes(), &Overrides::new());
                assert_eq!(again, Ok(changed));
            }
        }
        Err(errors) => {
            assert!(!errors.errors.is_empty());
            assert!(!errors.to_string().is_empty());
        }
    }
});
