//! The library that Python loads, looked at as a file: its entry is there, and no Python is linked.
//!
//! What it does is tested in Python, on this very library.

#[test]
#[cfg(target_os = "linux")]
fn the_library_has_its_entry_and_links_no_python() {
    // Cargo leaves what a test needs beside its program, in deps.
    let program = std::env::current_exe().expect("a program");
    let library = program.with_file_name("libsketchpde_native.so");
    let bytes = std::fs::read(library).expect("the library");
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("PyInit__native"));
    assert!(!holds("libpython"), "one library for every CPython from 3.9 on links none");
}
