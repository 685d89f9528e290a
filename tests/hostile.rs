//! Damaged bytes for everything that decodes: problem files, checkpoints, results, caches.
//!
//! Real files are changed at random places, and every change must end in a value or in an error, never
//! in a panic, a hang or a great demand for memory. `SKETCHPDE_CASES` says how many changes each decoder
//! gets (default 200); with a million of them this runs for hours:
//!
//!     SKETCHPDE_CASES=1000000 cargo test --release --test hostile
//!
//! A failure prints the smallest change that makes it fail.

mod hostile {
    mod damage;
    mod files;
    mod states;
    mod texts;
}
