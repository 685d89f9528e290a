//! What a step costs in 1 to 8 dimensions: interacting particles (arXiv 2203.01360, section 5.4.1),
//! with the same network but for its inputs, the same number of points and of columns.
//!
//!     cargo run --release --example fokker_planck [-- key=value ...]
//!
//! Changes are as with --set. Prints per dimension: parameters, steps to the end time, seconds a
//! step, how often the points were drawn, and the errors at the end: of the mean in standard
//! deviations, of the covariance relative to its norm.

use std::error::Error;
use std::time::Instant;

use sketchpde::evolve::initial_fit::InitialFit;
use sketchpde::evolve::{Engine, Evolution};
use sketchpde::field::device::Backend;
use sketchpde::problem::{Moments, Normal, Overrides, Problem};
use sketchpde::reference::Gaussian;

/// Draws of the moments.
const DRAWS: usize = 10_000;

/// The problem file of d particles.
fn particles(d: usize) -> String {
    let sum = |term: &dyn Fn(usize) -> String, between: &str| {
        (1..=d).map(term).collect::<Vec<_>>().join(between)
    };
    let all = sum(&|k| format!("x{k}"), " + ");
    let drift =
        sum(&|k| format!("(x{k} - 1.25*(sin(pi*t) + 1.5) + (x{k} - ({all})/{d})/4)*u_x{k}"), " + ");
    let start = |k: usize| 0.9 + 2.1 * (k - 1) as f64 / (d.max(2) - 1) as f64;
    let distance = sum(&|k| format!("(x{k} - {})^2", start(k)), " + ");
    let slopes = sum(&|k| format!("u_x{k}^2"), " + ");
    let domain = sum(&|k| format!("x{k} = {{ range = [0, 5], boundary = 'open' }}"), "\n");
    let (growth, half) = (d as f64 + (d - 1) as f64 / 4.0, d as f64 / 2.0);
    format!(
        "format = 1\nname = 'particles-{d}'\n[equation]\n\
         text = 'u_t = {growth} + {drift} + 0.01*(laplace(u) + {slopes})'\n[domain]\n{domain}\n\
         [time]\nend = 0.25\n[initial]\nu = '-{half}*log(2*pi*0.1) - ({distance})/0.2'\n\
         [network]\nwidth = 20\nhidden_layers = 2\nactivation = 'tanh'\n\
         [points]\nlayout = 'adaptive'\ndensity = 'logarithm'\ncount = 1500\nresample = 2\n\
         [fit]\ntolerance = 1e-5\ncount = 800\n\
         [method]\ncolumns = 400\nintegrator = 'dormand-prince'\nstep = 1e-3\ntolerance = 1e-5\n"
    )
}

fn main() -> Result<(), Box<dyn Error>> {
    let pair = |change: String| change.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()));
    let changes: Overrides = std::env::args().skip(1).filter_map(pair).collect();
    println!("d  parameters  fit  steps  s/step  draws     mean  covariance");
    for d in 1..=8 {
        let problem = Problem::from_toml(&particles(d), &changes)?;
        let mut fit = InitialFit::new(&problem)?;
        while !fit.iterate()?.done {}
        let engine = pollster::block_on(Engine::new(&problem, &Backend::Cpu))?;
        let mut evolution = Evolution::new(&problem, engine, fit.parameters().to_vec())?;
        let (begun, mut steps) = (Instant::now(), 0);
        while !evolution.finished() {
            pollster::block_on(evolution.step())?;
            steps += 1;
        }
        let each = begun.elapsed().as_secs_f64() / f64::from(steps);
        let exact = Gaussian::of(&problem)?.moments(evolution.time())?;
        let found = evolution.moments(DRAWS).ok_or("the points span no volume")?.moments;
        let [mean, covariance] = errors(&found, &exact).ok_or("the exact density is flat")?;
        println!(
            "{d}  {:10}  {:.0e}  {steps:5}  {each:6.3}  {:5}  {mean:7.1e}  {covariance:10.1e}",
            evolution.theta().len(),
            fit.between(),
            steps as usize / problem.points.resample,
        );
    }
    Ok(())
}

fn errors(found: &Moments, exact: &Moments) -> Option<[f64; 2]> {
    let off = Normal::of(exact)?.standard(&found.mean);
    let mean = off.iter().map(|z| z * z).sum::<f64>().sqrt();
    let covariance = (&found.covariance - &exact.covariance).norm();
    Some([mean, covariance / exact.covariance.norm()])
}
