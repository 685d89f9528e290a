//! An equation of one's own, stepped in time and asked at points:
//! `cargo run --release --example own_equation`.

use sketchpde::{ProblemBuilder, solve};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let problem = ProblemBuilder::new()
        .equation("u_t = nu*u_xx - u*u_x + a*sin(x)")
        .periodic("x", 0.0, std::f64::consts::TAU)
        .parameter("nu", 0.2)
        .parameter("a", 0.5)
        .initial("cos(x)")
        .until(0.5)
        .set("network.width", 10)
        .set("network.hidden_layers", 3)
        .set("points.count", 128)
        .set("method.columns", 120)
        .evolution()?;
    let solution = solve(&problem)?;
    let x: Vec<f64> = (0..8).map(|k| f64::from(k) * std::f64::consts::TAU / 8.0).collect();
    let (u, slope) = (solution.at(0.5, &x)?, solution.derivative("u_x", Some(0.5), &x)?);
    println!("     x        u      u_x");
    for ((x, u), slope) in x.iter().zip(u).zip(slope) {
        println!("{x:6.3} {u:8.4} {slope:8.4}");
    }
    Ok(())
}
