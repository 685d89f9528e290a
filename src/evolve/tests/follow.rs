//! Points that follow a density, against the Gaussian that solves the equation; and points that
//! follow a pulse, against the pulse.

use super::dirichlet::fitted;
use super::support::*;
use crate::Evolution;
use crate::problem::Normal;
use crate::reference::Gaussian;

/// A particle that is drawn to a place which moves.
const ONE: &str = "format = 1\n\
    [equation]\ntext = 'u_t = 1 + (x - 1 - sin(3*t))*u_x + D*(u_xx + u_x^2)'\n\
    [domain]\nx = { range = [0, 4], boundary = 'open' }\n\
    [parameters]\nD = 0.05\n[time]\nend = 0.5\n\
    [initial]\nu = '-log(2*pi*0.1)/2 - (x - 2)^2/0.2'\n\
    [network]\nwidth = 8\nhidden_layers = 1\nactivation = 'tanh'\n\
    [points]\nlayout = 'adaptive'\ndensity = 'logarithm'\ncount = 300\nresample = 2\n\
    [fit]\ntolerance = 1e-6\ncount = 300\n\
    [method]\nintegrator = 'dormand-prince'\nstep = 1e-2\ncolumns = 80\nrcond = 1e-7\n\
    corrections = 6\n";

/// Two of them, drawn to (1, 2) and turned around it; the density itself, of mass 2.
const TWO: &str = "format = 1\n\
    [equation]\ntext = 'u_t = 2*u + (x - 1 + y - 2)*u_x + (y - 2 - x + 1)*u_y + D*laplace(u)'\n\
    [domain]\nx = { range = [-1, 4], boundary = 'open' }\n\
    y = { range = [-1, 4], boundary = 'open' }\n\
    [parameters]\nD = 0.4\n[time]\nend = 0.2\n\
    [initial]\nu = '2/(2*pi*0.4)*exp(-((x - 2)^2 + (y - 1)^2)/0.8)'\n\
    [network]\nwidth = 10\nhidden_layers = 1\nactivation = 'tanh'\n\
    [points]\nlayout = 'adaptive'\ncount = 600\nresample = 3\n[fit]\ntolerance = 1e-3\ncount = 600\n\
    [method]\nintegrator = 'dormand-prince'\nstep = 1e-2\ntolerance = 1e-4\ncolumns = 120\n\
    rcond = 1e-6\n";

/// Distances of the density's moments from those of a Gaussian: of the mean, in standard deviations,
/// of the covariance and of the mass, relative to them.
fn errors(evolution: &Evolution, gaussian: &Gaussian, time: f64) -> [f64; 3] {
    let found = evolution.moments(4_000).expect("drawn points").moments;
    let exact = gaussian.moments(time).expect("a time of the run");
    let mean = Normal::of(&exact).expect("a Gaussian").standard(&found.mean);
    let mean = mean.iter().map(|z| z * z).sum::<f64>().sqrt();
    let covariance = (&found.covariance - &exact.covariance).norm() / exact.covariance.norm();
    [mean, covariance, (found.mass / exact.mass - 1.0).abs()]
}

#[test]
fn the_moments_converge_to_those_of_the_gaussian_with_the_order_of_the_steps() {
    let errors_at = |step: &str| {
        let steps =
            [("method.tolerance", "0"), ("method.integrator", "euler"), ("method.step", step)];
        let problem = problem(ONE, &steps);
        let mut evolution = fitted(&problem);
        run(&mut evolution);
        let gaussian = Gaussian::of(&problem).expect("a Gaussian");
        let [mean, covariance, _] = errors(&evolution, &gaussian, 0.5);
        println!("step {step}: {mean:e}, {covariance:e}");
        [mean, covariance]
    };
    let [coarse, middle, fine] = ["0.025", "0.0125", "0.00625"].map(errors_at);
    for (longer, shorter) in [(coarse, middle), (middle, fine)] {
        for (long, short) in longer.into_iter().zip(shorter) {
            let order = (long / short).log2();
            assert!((0.7..1.4).contains(&order), "order {order}");
        }
    }
}

#[test]
fn the_moments_follow_the_tolerance() {
    let error_at = |tolerance: &str| {
        let problem = problem(ONE, &[("method.tolerance", tolerance)]);
        let mut evolution = fitted(&problem);
        run(&mut evolution);
        let gaussian = Gaussian::of(&problem).expect("a Gaussian");
        errors(&evolution, &gaussian, 0.5).into_iter().fold(0.0, f64::max)
    };
    let [coarse, fine] = ["1e-2", "1e-5"].map(error_at);
    println!("{coarse:e}, {fine:e}");
    assert!(coarse > 20.0 * fine && fine < 1e-4, "{coarse:e}, {fine:e}");
}

#[test]
fn points_and_moments_follow_and_another_equation_would_be_noticed() {
    let problem = problem(ONE, &[("method.tolerance", "1e-5")]);
    let mut evolution = fitted(&problem);
    let gaussian = Gaussian::of(&problem).expect("a Gaussian");
    let start = errors(&evolution, &gaussian, 0.0);
    assert!(start.iter().all(|e| *e < 1e-4), "{start:?}");
    run(&mut evolution);
    let end = errors(&evolution, &gaussian, 0.5);
    assert!(end.iter().all(|e| *e < 1e-3), "{end:?}");
    let unmoved = errors(&evolution, &gaussian, 0.0);
    assert!(unmoved[0] > 0.3 && unmoved[1] > 0.1, "it has moved and narrowed: {unmoved:?}");
    // Planted: one part in a hundred more of noise.
    let other = super::support::problem(ONE, &[("parameters.D", "0.0505")]);
    let other = errors(&evolution, &Gaussian::of(&other).expect("a Gaussian"), 0.5);
    assert!(other[1] > 2e-3, "{other:?}");
    // The points have gone along: 300 of them know the mean to a seventeenth of a deviation.
    let points = evolution.engine().coordinates();
    let mean = points.iter().sum::<f64>() / points.len() as f64;
    let exact = gaussian.moments(0.5).expect("the end");
    let off = (mean - exact.mean[0]) / exact.covariance[(0, 0)].sqrt();
    assert!(off.abs() < 0.3, "{off} standard deviations, of {}", exact.mean[0]);
}

/// Relative L2 distance of u from a Gaussian's density, over points drawn from that.
fn density_error(evolution: &Evolution, gaussian: &Gaussian, time: f64) -> f64 {
    let (normal, _) = gaussian.normal(time).expect("a time of the run");
    let random = crate::random::Philox::new(9, crate::random::Stream::Vectors);
    let normals = crate::problem::antithetic(&random, 1_000, evolution.problem().dimensions());
    let places: Vec<f64> = normals.iter().flat_map(|z| normal.place(z)).collect();
    let exact = gaussian.values(time, &places).expect("a time of the run");
    relative_l2(&evolution.evaluate(&places), &exact)
}

#[test]
fn a_density_itself_is_followed_and_turns() {
    let problem = problem(TWO, &[]);
    let mut evolution = fitted(&problem);
    let gaussian = Gaussian::of(&problem).expect("a Gaussian");
    run(&mut evolution);
    let error = density_error(&evolution, &gaussian, 0.2);
    assert!(error < 1.5e-2, "{error}");
    assert!(density_error(&evolution, &gaussian, 0.0) > 0.1, "it has moved");
    let other = super::support::problem(TWO, &[("parameters.D", "0.5")]);
    let other = Gaussian::of(&other).expect("a Gaussian");
    assert!(density_error(&evolution, &other, 0.2) > 2e-2, "planted: more noise");
    let points = evolution.engine().coordinates();
    assert!(points.iter().all(|x| (-1.0..=4.0).contains(x)), "they stay in the box");
}

#[test]
fn a_resumed_run_draws_the_same_points() {
    let problem = problem(ONE, &[("method.tolerance", "0")]);
    let mut whole = fitted(&problem);
    let theta = whole.theta().to_vec();
    let step = |run: &mut Evolution| drop(pollster::block_on(run.step()).expect("a solution"));
    (0..3).for_each(|_| step(&mut whole));
    let mut resumed = evolution(&problem, theta);
    assert_ne!(resumed.engine().coordinates(), whole.engine().coordinates());
    resumed.restore(whole.save()).expect("its own state");
    (0..3).for_each(|_| step(&mut whole));
    (0..3).for_each(|_| step(&mut resumed));
    assert_eq!(whole.save(), resumed.save());
    let mut other = whole.save();
    other.points.pop();
    assert!(resumed.restore(other).is_err(), "points of another problem");
    let mut none = whole.save();
    none.points.clear();
    assert!(resumed.restore(none).is_err(), "a state without its points");
}

/// A pulse narrower than the distance of equispaced points, which goes a third around.
const PULSE: &str = "format = 1\n\
    [equation]\ntext = 'u_t = -u_x'\n\
    [domain]\nx = { range = [0, '2*pi'] }\n[time]\nend = 2\n\
    [initial]\nu = 'exp(-150*(1 - cos(x - 1)))'\n[exact]\nu = 'exp(-150*(1 - cos(x - t - 1)))'\n\
    [network]\nwidth = 10\nhidden_layers = 2\nactivation = 'tanh'\n\
    [points]\nlayout = 'following'\ncount = 48\n[fit]\ntolerance = 1e-5\n\
    [method]\nintegrator = 'dormand-prince'\ntolerance = 1e-5\nstep = 1e-2\ncolumns = 90\n\
    rcond = 1e-6\n";

#[test]
fn points_follow_a_pulse_and_make_it_more_accurate() {
    let end = |overrides: &[(&str, &str)]| {
        let problem = problem(PULSE, overrides);
        let mut evolution = fitted(&problem);
        run(&mut evolution);
        let near = |x: &&f64| (**x - 3.0).abs() < 0.25;
        let near = evolution.engine().coordinates().iter().filter(near).count();
        (super::dirichlet::error(&evolution), near)
    };
    let (followed, near) = end(&[]);
    let (uniform, on_grid) = end(&[("points.layout", "grid")]);
    println!("following {followed:e}, {near} near the pulse; grid {uniform:e}, {on_grid}");
    assert!(near > 2 * on_grid, "{near} of 48 near the pulse, {on_grid} of a grid");
    assert!(followed < 0.3 * uniform, "{followed:e}, {uniform:e}");
}

#[test]
fn a_resumed_run_has_the_same_points_and_weights() {
    for (scheme, layout) in
        [("stage-fit", "x"), ("parameter-ode", "x"), ("stage-fit", "xy"), ("parameter-ode", "xy")]
    {
        let plane = layout == "xy";
        let text = if plane {
            PULSE.replace("[time]", "y = { range = [0, 1] }\n[time]").replace("48", "150")
        } else {
            PULSE.to_owned()
        };
        let problem = problem(&text, &[("method.scheme", scheme), ("points.resample", "2")]);
        let theta = crate::network::Network::of(&problem).initialise(4);
        let mut whole = evolution(&problem, theta.clone());
        let step = |run: &mut Evolution| drop(pollster::block_on(run.step()).expect("a solution"));
        let begun = whole.engine().coordinates().to_vec();
        (0..3).for_each(|_| step(&mut whole));
        assert_ne!(whole.engine().coordinates(), begun, "they have moved");
        assert_eq!(whole.engine().weights().len(), whole.engine().points());
        let mut resumed = evolution(&problem, theta);
        resumed.restore(whole.save()).expect("its own state");
        (0..3).for_each(|_| step(&mut whole));
        (0..3).for_each(|_| step(&mut resumed));
        assert_eq!(whole.save(), resumed.save(), "{scheme}, {layout}");
        let mut other = whole.save();
        other.weights.pop();
        assert!(resumed.restore(other).is_err(), "a state without its weights");
    }
}
