//! `sketchpde-bindgen MODULE.wasm FOLDER NAME`: writes `FOLDER/NAME.js` and `FOLDER/NAME_bg.wasm`,
//! the glue between JavaScript and a module that rustc made.
//!
//! This is what `wasm-bindgen --target web` does. As a library its version comes from `Cargo.lock`
//! beside the crate's own, and there is nothing to install. It is a program of its own, and not a
//! part of `xtask`, so that the chores that need no web build start in seconds.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [module, folder, name] = arguments.as_slice() else {
        eprintln!("Usage: sketchpde-bindgen MODULE.wasm FOLDER NAME");
        return ExitCode::from(2);
    };
    let mut bindgen = Bindgen::new();
    // Names of functions would be a tenth of what people download.
    bindgen.input_path(module).out_name(name).typescript(false);
    bindgen.remove_name_section(true).remove_producers_section(true);
    match bindgen.web(true).and_then(|bindgen| bindgen.generate(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {module}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
