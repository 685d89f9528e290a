//! The library that Python loads, looked at as a file: its entry is there, and no Python is linked.
//!
//! What it does is tested in Python, on this very library.

use std::path::PathBuf;

#[test]
#[cfg(target_os = "linux")]
fn the_library_has_its_entry_and_links_no_python() {
    // The test's program lies in deps, beside where the library is left.
    let program = std::env::current_exe().expect("a program");
    let release: PathBuf = program.ancestors().nth(2).expect("target/release").into();
    let bytes = std::fs::read(release.join("libsketchpde_native.so")).expect("the library");
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("PyInit__native"));
    assert!(!holds("libpython"), "one library for every CPython from 3.9 on links none");
}
