//! Fresh networks for badly placed parameters.

use nalgebra::DMatrix;

use super::dirichlet::fitted;
use super::support::*;
use crate::fresh_start::condition;
use crate::network::Network;
use crate::problem::Problem;
use crate::{Evolution, StepReport};

/// A wave that travels round and round: at its tolerance the steps to the end are many.
const TRAVELLING: &str = "format = 1\n\
    [equation]\ntext = 'u_t = -u_x'\n[domain]\nx = { range = [0, '2*pi'] }\n[time]\nend = 2000\n\
    [initial]\nu = 'sin(x)'\n[network]\nwidth = 8\nhidden_layers = 1\nactivation = 'tanh'\n\
    [points]\ncount = 32\n[fit]\ntolerance = 1e-6\ncount = 40\n\
    [method]\nscheme = 'stage-fit'\nupdate = 'dense'\nintegrator = 'dormand-prince'\n\
    tolerance = 1e-5\nstep = 1e-2\nrcond = 1e-7\ncorrections = 6\n";

/// sin(x) by waves so weak that the columns of J are all but constants: the network is the sum of
/// large parts that cancel.
fn badly_placed(problem: &Problem, weak: f64) -> Vec<f64> {
    let network = Network::of(problem);
    let mut theta = network.initialise(problem.seed);
    let range = |name: &str| network.layout().segment(name).expect("a segment").range();
    theta[range("embedding.amplitude")].iter_mut().for_each(|a| *a *= weak);
    let x: Vec<f64> = (0..64).map(|i| std::f64::consts::TAU * f64::from(i) / 64.0).collect();
    let (bias, weights) = (range("output.bias").start, range("output.weight"));
    theta[bias] = 0.0;
    let values = engine(problem).evaluate(&theta, 0.0, &x);
    let mean = values.iter().sum::<f64>() / 64.0;
    let most = values.iter().fold(0.0f64, |most, u| most.max((u - mean).abs()));
    theta[weights].iter_mut().for_each(|w| *w /= most);
    theta[bias] = -mean / most;
    theta
}

fn steps(evolution: &mut Evolution, count: usize) -> Vec<StepReport> {
    (0..count).map(|_| pollster::block_on(evolution.step()).expect("a solution")).collect()
}

#[test]
fn a_fresh_network_takes_over_where_a_long_run_has_badly_placed_parameters() {
    let problem = problem(TRAVELLING, &[]);
    let theta = badly_placed(&problem, 0.02);
    let mut whole = evolution(&problem, theta.clone());
    let x: Vec<f64> = (0..50).map(|i| 0.01 + 0.125 * f64::from(i)).collect();
    assert!(steps(&mut whole, 31).iter().all(|report| report.fresh_start.is_none()));
    let mut resumed = evolution(&problem, theta.clone());
    resumed.restore(whole.save()).expect("its own state");
    let mut short = evolution(&super::support::problem(TRAVELLING, &[("time.end", "10")]), theta);
    steps(&mut short, 31);

    let report = steps(&mut whole, 1).remove(0);
    let found = report.fresh_start.expect("it is judged");
    let (after, error) = found.after.expect("a fresh network");
    assert_eq!(report.refit_error, Some(error));
    assert!(error <= 1e-6 && after <= 0.75 * found.before, "{found:?}");
    assert!(found.foretold > 1e3 && found.to_string().contains("a fresh network"), "{found}");
    // The field of a run that went on with the old parameters.
    let old = steps(&mut short, 1).remove(0);
    assert_eq!(old.fresh_start, None, "what is left does not pay for a fit");
    assert_eq!(short.time(), whole.time());
    let gap = relative_l2(&whole.evaluate(&x), &short.evaluate(&x));
    assert!(gap < 2e-6 && gap > 0.0, "{gap:e}");
    assert_ne!(whole.theta(), short.theta());

    assert_eq!(steps(&mut resumed, 1), [report], "to the bit, after a resume");
    assert_eq!(resumed.save(), whole.save());
    assert!(steps(&mut whole, 40).iter().all(|report| report.fresh_start.is_none()), "for long");
}

#[test]
fn well_placed_parameters_stay() {
    let problem = problem(TRAVELLING, &[]);
    let mut evolution = fitted(&problem);
    let reports = steps(&mut evolution, 32);
    assert!(reports.iter().all(|report| report.fresh_start.is_none()), "{:?}", reports[31]);
}

/// The definition by the singular value decomposition of nalgebra's.
#[test]
fn the_condition_is_that_of_the_definition() {
    let problem = problem(TRAVELLING, &[]);
    let network = Network::of(&problem);
    let mut conditions = Vec::new();
    for weak in [1.0, 0.1, 0.01] {
        let theta = badly_placed(&problem, weak);
        let engine = engine(&problem);
        let matrix = crate::sampling::rows(&problem, &engine, (&theta, 0.0), 32);
        let found = condition(&network, &theta, matrix.clone()).expect("finite");
        let state = DMatrix::from_vec(32, 1, engine.evaluate(&theta, 0.0, engine.coordinates()));
        let squares: Vec<f64> = matrix.column_iter().map(|c| c.norm_squared()).collect();
        let floor = 0.01 * squares.iter().sum::<f64>() / squares.len() as f64;
        let mut scaled = matrix;
        for (mut column, square) in scaled.column_iter_mut().zip(&squares) {
            column /= (square + floor).sqrt();
        }
        let svd = scaled.clone().svd(true, true);
        let (u, v) = (svd.u.expect("u"), svd.v_t.expect("v"));
        let largest = svd.singular_values.max();
        let filtered = |damping: f64| {
            let mut along = u.tr_mul(&state);
            for (a, s) in along.iter_mut().zip(svd.singular_values.iter()) {
                *a *= s / (s * s + (damping * largest).powi(2));
            }
            largest * v.tr_mul(&along).norm() / state.norm()
        };
        // The Gram matrix squares the damping: 1e-14 against an epsilon of 2e-16.
        let (wanted, planted) = (filtered(1e-7), filtered(1e-2));
        assert!((found / wanted - 1.0).abs() < 2e-2, "{weak}: {found} and {wanted}");
        assert!((planted / wanted - 1.0).abs() > 2e-2, "another damping is seen");
        conditions.push(found);
    }
    assert!(conditions[0] >= 1.0 && conditions[1] > conditions[0], "{conditions:?}");
    let nothing = vec![0.0; network.parameters()];
    let matrix = crate::sampling::rows(&problem, &engine(&problem), (&nothing, 0.0), 32);
    assert_eq!(condition(&network, &nothing, matrix), Ok(0.0));
}
