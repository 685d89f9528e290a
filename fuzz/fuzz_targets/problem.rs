//! Any bytes as a problem file: read or refused, without a panic and without a hang; what was read
//! reads back from its own source, and what was refused can be shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sketchpde::problem::{Overrides, Problem};

fuzz_target!(|bytes: &[u8]| {
    match Problem::from_bytes(bytes, &Overrides::new()) {
        Ok(problem) => {
            let again = Problem::from_toml(&problem.source, &Overrides::new());
            assert_eq!(again.as_ref(), Ok(&problem));
            let one = vec![("run.seed".to_owned(), "1".to_owned())];
            if let Ok(changed) = Problem::from_toml(&problem.source, &one) {
                let again = Problem::from_toml(&changed.source, &Overrides::new());
                assert_eq!(again, Ok(changed));
            }
        }
        Err(errors) => {
            assert!(!errors.errors.is_empty());
            assert!(!errors.to_string().is_empty());
        }
    }
});
