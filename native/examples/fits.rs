//! Fits the networks of the app's presets to their initial states and writes the parameters where
//! `setup::live` embeds them: `cargo run --release -p sketchpde-native --example fits`. Presets named
//! behind `--` are the only ones then.

use std::error::Error;
use std::path::Path;

use sketchpde::evolve::initial_fit::InitialFit;
use sketchpde::problem::presets;
use sketchpde_native::setup::{Setup, live};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/fits");
    let named: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|n| n == name);
    for preset in presets().iter().filter(|p| live::is_shown(p) && wanted(p.name)) {
        let problem = Setup::preset(*preset).problem()?;
        let mut fit = InitialFit::new(&problem)?;
        let report = loop {
            let report = fit.iterate()?;
            if report.done {
                break report;
            }
        };
        let bytes: Vec<u8> = fit.parameters().iter().flat_map(|v| v.to_le_bytes()).collect();
        std::fs::write(folder.join(format!("{}.f64", preset.name)), &bytes)?;
        println!("{}: relative error {:.1e}, {} bytes", preset.name, report.between, bytes.len());
    }
    Ok(())
}
