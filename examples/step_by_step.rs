//! A run looked at after every step, and ended early: `cargo run --release --example step_by_step`.

use sketchpde::{Backend, Preset, Problem, Run};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let changes = [("time.end", "0.5"), ("points.count", "200")];
    let changes = changes.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    let problem = Problem::from_toml(Preset::find("allen-cahn")?.text, &changes)?;
    let mut run = pollster::block_on(Run::new(&problem, &Backend::Cpu))?;
    for step in run.steps() {
        let step = step?;
        let time = step.time.unwrap_or_default();
        println!("step {:3}: t = {time:.4}, residual {:.1e}", step.number, step.residual);
        if time > 0.25 {
            break;
        }
    }
    let solution = run.solution()?;
    let [_, until] = solution.time_span().unwrap_or_default();
    println!("u({until:.4}, 0.3) = {:.6}", solution.values(&[0.3])?[0]);
    Ok(())
}
