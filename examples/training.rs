//! A network trained over a whole domain: Poisson's equation on a square, compared with the exact
//! solution. `cargo run --release --example training`.

use sketchpde::{ProblemBuilder, solve};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let problem = ProblemBuilder::new()
        .range("x", 0.0, 1.0)
        .range("y", 0.0, 1.0)
        .condition("interior", "interior", "-(u_xx + u_yy) = 2*pi^2*sin(pi*x)*sin(pi*y)")
        .condition("sides", "boundary", "u = 0")
        .set("residual.sides.weight", 100)
        .set("network.layers", "[20, 20]")
        .set("method.iterations", 60)
        .residual()?;
    let solution = solve(&problem)?;
    for point in [[0.5, 0.5], [0.25, 0.75], [0.1, 0.2]] {
        let u = solution.values(&point)?[0];
        let exact =
            (point[0] * std::f64::consts::PI).sin() * (point[1] * std::f64::consts::PI).sin();
        println!("u{point:?} = {u:.8}, exact {exact:.8}");
    }
    Ok(())
}
