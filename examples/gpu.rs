//! The same problem on a GPU and on the CPU: `cargo run --release --example gpu`. Any adapter will
//! do, also one in software.

use std::time::Instant;

use sketchpde::{Backend, GpuError, Preset, Problem, SolveError, solve_on};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let changes = [("time.end", "0.1"), ("points.count", "200")];
    let changes = changes.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    let problem = Problem::from_toml(Preset::find("allen-cahn")?.text, &changes)?;
    let x = [0.0, 0.3, 0.7];
    for backend in [Backend::Cpu, Backend::Gpu(None)] {
        let begun = Instant::now();
        match pollster::block_on(solve_on(&problem, &backend)) {
            Ok(solution) => {
                let u = solution.at(0.1, &x)?;
                println!("{backend:?}: u = {u:.6?} in {:.1} s", begun.elapsed().as_secs_f64());
            }
            Err(SolveError::Device(GpuError::NoAdapter)) => println!("There is no adapter here"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
