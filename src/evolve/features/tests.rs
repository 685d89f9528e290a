//! Runs in the space of random features against exact solutions, and their parts against independent
//! ones.

use super::radau::{self, Newton, System};
use super::resolved;
use super::space::Space;
use crate::field::device::Backend;
use crate::initial_fit::InitialFit;
use crate::network::Network;
use crate::problem::{Points, Problem, Scheme};
use crate::tests::support;
use crate::{Engine, Evolution};
use nalgebra::DMatrix;

/// y' = rates(t, y), its Jacobian by differences.
struct Plain<F>(F);

impl<F: Fn(f64, &[f64]) -> Vec<f64>> System for Plain<F> {
    fn rates(&mut self, time: f64, y: &[f64]) -> Vec<f64> {
        (self.0)(time, y)
    }

    fn jacobian(&mut self, time: f64, y: &[f64]) -> DMatrix<f64> {
        let column = |k: usize| {
            let at = |by: f64| {
                let mut y = y.to_vec();
                y[k] += by;
                (self.0)(time, &y)
            };
            let (up, down) = (at(1e-6), at(-1e-6));
            up.iter().zip(down).map(|(u, d)| (u - d) / 2e-6).collect::<Vec<f64>>()
        };
        let columns: Vec<Vec<f64>> = (0..y.len()).map(column).collect();
        DMatrix::from_fn(y.len(), y.len(), |i, k| columns[k][i])
    }
}

fn stepped(system: &mut impl System, (time, y): (f64, &[f64]), dt: f64) -> radau::Step {
    let mut newton = Newton::new(system.jacobian(time, y));
    let rates = system.rates(time, y);
    let step = radau::step(system, &mut newton, (time, y, &rates), (dt, 1e-9, 1e-4));
    step.expect("Newton converges")
}

/// One step of y' = z y is the method's stability function (Hairer and Wanner, IV.5), a Pade
/// approximation of exp z.
#[test]
fn a_step_of_a_linear_equation_is_the_stability_function() {
    for z in [-0.3, 0.7, -20.0, -1e4] {
        let mut linear = Plain(|_, y: &[f64]| vec![z * y[0]]);
        let step = stepped(&mut linear, (0.0, &[1.0]), 1.0);
        let up = 1.0 + 2.0 * z / 5.0 + z * z / 20.0;
        let down = 1.0 - 3.0 * z / 5.0 + 3.0 * z * z / 20.0 - z * z * z / 60.0;
        assert!((step.y[0] - up / down).abs() < 1e-9, "{z}: {} {}", step.y[0], up / down);
    }
}

/// y' = -50 (y - cos t) - sin t and z' = -3 z y: exact y = cos t, z = exp(-3 sin t).
#[test]
fn the_order_is_five_on_a_stiff_and_nonlinear_system() {
    let rates = |t: f64, y: &[f64]| vec![-50.0 * (y[0] - t.cos()) - t.sin(), -3.0 * y[1] * y[0]];
    let error = |steps: usize| {
        let (mut system, dt, mut y) = (Plain(rates), 1.0 / steps as f64, vec![1.0, 1.0]);
        for k in 0..steps {
            y = stepped(&mut system, (k as f64 * dt, &y), dt).y;
        }
        (y[1] - (-3.0 * 1f64.sin()).exp()).abs()
    };
    let (coarse, fine) = (error(8), error(16));
    let order = (coarse / fine).log2();
    assert!((4.5..6.0).contains(&order), "{order}: {coarse:e} {fine:e}");
}

const SYSTEM: &str = "format = 1\n\
    [equation]\ntext = ['u_t = 0.1*u_xx + u*v_x - sin(t)*v', 'v_t = 0.2*v_xx - u^2*v + x*u_x']\n\
    [domain]\nx = { range = [0, 1], lower = ['u_n + 2*u = t - 1', 'v_n = 0'], upper = ['u = cos(t)', 'v = 1'] }\n\
    [time]\nend = 1\n[initial]\nu = 'x'\nv = 'x^2'\n";

/// As `text`, with random features.
fn with_features(text: &str) -> Problem {
    support::problem(text, &[("method.scheme", "random-features")])
}

#[test]
fn the_jacobian_of_a_system_with_sides_is_that_of_differences() {
    let text = "format = 1\n\
        [equation]\ntext = ['u_t = 0.1*u_xx + u*v_x - sin(t)*v', 'v_t = 0.2*v_xx - u^2*v + x*u_x']\n\
        [domain]\nx = { range = [0, 1], lower = ['u = t', 'v = 0'], upper = ['u = 1', 'v = 1'] }\n\
        [time]\nend = 1\n[initial]\nu = 'x'\nv = 'x'\n";
    let problem = with_features(text);
    let network = Network::of(&problem);
    let theta = super::draw::draw(&problem, &network);
    let mut space = Space::new(&problem, &network, &theta, 24).expect("finite");
    let a: Vec<f64> = (0..space.size()).map(|k| (k as f64 * 0.7).sin() / (1 + k) as f64).collect();
    let jacobian = space.jacobian(0.3, &a);
    let mut along = |k: usize, by: f64| {
        let mut moved = a.clone();
        moved[k] += by;
        space.rates(0.3, &moved)
    };
    for k in 0..a.len() {
        let (up, down) = (along(k, 1e-5), along(k, -1e-5));
        let size = jacobian.column(k).norm();
        for i in 0..a.len() {
            let difference = (up[i] - down[i]) / 2e-5;
            let gap = (difference - jacobian[(i, k)]).abs();
            assert!(gap < 1e-6 * size + 1e-7, "{i}, {k}: {difference} {}", jacobian[(i, k)]);
        }
    }
    let planted = 1.01 * jacobian[(0, 0)] - (along(0, 1e-5)[0] - along(0, -1e-5)[0]) / 2e-5;
    assert!(planted.abs() > 1e-6 * jacobian.column(0).norm(), "an error of a hundredth shows");
}

#[test]
fn coordinates_are_those_of_the_network_and_the_field_is_the_engines() {
    let problem = with_features(SYSTEM);
    let network = Network::of(&problem);
    let mut theta = super::draw::draw(&problem, &network);
    let mut space = Space::new(&problem, &network, &theta, 32).expect("finite");
    let a: Vec<f64> =
        (0..space.size()).map(|k| (0.3 + k as f64).cos() * (-0.6 * k as f64).exp()).collect();
    space.put(&a, &mut theta);
    for (a, again) in a.iter().zip(space.coordinates_of(&theta)) {
        assert!((a - again).abs() < 1e-9, "{a} {again}");
    }
    let places = space.places().to_vec();
    let field = space.field(0.4, &a);
    let evaluator = crate::field::cpu::Evaluator::<f64>::new(&problem, &network, &places);
    let expected = evaluator.field(&theta, 0.4);
    let pairs = field.values.iter().zip(&expected.values);
    let gap = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(gap < 1e-9, "values {gap:e}");
    let pairs = field.right_hand_side.iter().zip(&expected.right_hand_side);
    let gap = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(gap < 1e-5, "right-hand side {gap:e}");
}

fn begun(problem: &Problem) -> Evolution {
    let mut fit = InitialFit::new(problem).expect("a fit");
    while !fit.iterate().expect("a fit").done {}
    let engine = pollster::block_on(Engine::new(problem, &Backend::Cpu)).expect("a CPU");
    Evolution::new(problem, engine, fit.parameters().to_vec()).expect("an evolution")
}

/// Runs to the end; the relative L2 error there, and what the run itself says.
fn error_of(problem: &Problem) -> (f64, f64, Evolution) {
    let mut run = begun(problem);
    while !run.finished() {
        pollster::block_on(run.step()).expect("a step");
    }
    let points = Points::sobol(&problem.coordinates, 500, 3).coordinates;
    let values = run.evaluate(&points);
    let (exact, parameters) = (problem.exact.as_ref().expect("exact"), problem.parameter_values());
    let places = points.chunks_exact(problem.dimensions());
    let truth = exact.iter().flat_map(|e| {
        places
            .clone()
            .map(|x| e.evaluate_at(x, problem.time.end, &parameters))
            .collect::<Vec<f64>>()
    });
    let truth: Vec<f64> = truth.collect();
    let gap: Vec<f64> = truth.iter().zip(&values).map(|(a, b)| a - b).collect();
    let error = crate::linalg::norm(&gap) / crate::linalg::norm(&truth);
    let own = run.estimated_error().expect("an estimate").final_relative_l2;
    (error, own, run)
}

/// Problems with nothing but equation, domain, initial state and end: periodic, with values, fluxes and
/// data in time, systems, waves, two coordinates, from zero, and with more waves than the start shows.
#[test]
fn plain_problems_are_solved_to_many_digits_and_the_estimate_is_no_smaller() {
    let cases = [
        (
            "u_t = 0.1*u_xx",
            "x = { range = [0, 1], lower = '0', upper = '0' }",
            "exp(-0.1*pi^2*t)*sin(pi*x)",
        ),
        ("u_t = -u_x", "x = { range = [0, '2*pi'] }", "exp(sin(x - t))"),
        (
            "u_t = u_xx - 2*exp(-t)*sin(x)*0",
            "x = { range = [0, 'pi'], lower = 'u_n = -exp(-t)', upper = 'u_n = -exp(-t)' }",
            "exp(-t)*sin(x)",
        ),
        (
            "u_t = 0.01*u_xx + 50*cos(50*t)*sin(50*x) + 25*sin(50*x)*sin(50*t)",
            "x = { range = [0, '2*pi'] }",
            "sin(50*x)*sin(50*t)",
        ),
        (
            "u_t = 0.05*u_xx + 0.1*u_yy",
            "x = { range = [0, '2*pi'] }\ny = { range = [0, '2*pi'] }",
            "exp(-0.45*t)*sin(x)*cos(2*y)",
        ),
    ];
    for (equation, domain, exact) in cases {
        let text = format!(
            "format = 1\n[equation]\ntext = \"{equation}\"\n[domain]\n{domain}\n[time]\nend = 0.5\n\
             [exact]\nu = \"{exact}\"\n"
        );
        let problem = resolved(support::problem(&text, &[]));
        assert_eq!(problem.method.scheme, Scheme::RandomFeatures, "{equation}");
        let (error, own, _) = error_of(&problem);
        assert!(error < 1e-6, "{equation}: {error:e}");
        assert!(error < 10.0 * own.max(1e-12), "{equation}: {error:e}, told {own:e}");
    }
}

/// A standing wave as u_tt = F: two unknowns, of which the first step in tangent spaces is refused.
#[test]
fn waves_are_solved() {
    let text = "format = 1\n[equation]\ntext = 'u_tt = 4*u_xx'\n\
        [domain]\nx = { range = [0, 1], lower = '0', upper = '0' }\n[time]\nend = 1\n\
        [initial]\nu = 'sin(pi*x) + 0.5*sin(4*pi*x)'\nu_t = '0'\n\
        [exact]\nu = 'sin(pi*x)*cos(2*pi*t) + 0.5*sin(4*pi*x)*cos(8*pi*t)'\n\
        u_t = '-2*pi*sin(pi*x)*sin(2*pi*t) - 4*pi*sin(4*pi*x)*sin(8*pi*t)'\n";
    let problem = resolved(support::problem(text, &[]));
    let (error, own, _) = error_of(&problem);
    assert!(error < 1e-6 && error < 10.0 * own, "{error:e}, told {own:e}");
}

/// Burgers' equation from one wave: Cole and Hopf by quadrature.
#[test]
fn a_space_grows_as_a_front_steepens() {
    let text = "format = 1\n[equation]\ntext = 'u_t = -u*u_x + 0.02*u_xx'\n\
        [domain]\nx = { range = [0, '2*pi'] }\n[time]\nend = 1.5\n[initial]\nu = 'sin(x)'\n";
    let problem = resolved(support::problem(text, &[]));
    let mut run = begun(&problem);
    let mut counts = Vec::new();
    while !run.finished() {
        counts.push(pollster::block_on(run.step()).expect("a step").count);
    }
    assert!(counts[0] < 100 && *counts.last().expect("steps") > 200, "{counts:?}");
    let (nu, t) = (0.02, 1.5);
    let exact = |x: f64| {
        let (mut up, mut down) = (0.0, 0.0);
        for k in -8_000..=8_000 {
            let y = f64::from(k) * 1e-3;
            let weight = ((((x - y).cos() - x.cos()) - y * y / (2.0 * t)) / (2.0 * nu)).exp();
            up += y / t * weight;
            down += weight;
        }
        up / down
    };
    for x in [0.5, 2.0, 2.9, 3.05, 4.0] {
        let u = run.evaluate(&[x])[0];
        assert!((u - exact(x)).abs() < 1e-6, "{x}: {u} {}", exact(x));
    }
}

#[test]
fn a_restored_run_goes_on_to_the_same_bits() {
    let text = "format = 1\n[equation]\ntext = 'u_t = -u*u_x + 0.02*u_xx'\n\
        [domain]\nx = { range = [0, '2*pi'] }\n[time]\nend = 1\n[initial]\nu = 'sin(x)'\n";
    let problem = resolved(support::problem(text, &[]));
    let mut run = begun(&problem);
    for _ in 0..9 {
        pollster::block_on(run.step()).expect("a step");
    }
    let state = run.save();
    let mut other = begun(&problem);
    other.restore(state).expect("the same problem");
    for _ in 0..9 {
        let [a, b] = [&mut run, &mut other].map(|run| pollster::block_on(run.step()));
        assert_eq!(a.expect("a step"), b.expect("a step"));
        assert_eq!(run.theta(), other.theta());
    }
}

#[test]
fn a_bump_is_added_with_as_many_features_as_it_takes() {
    let text = "format = 1\n[equation]\ntext = 'u_t = 0.1*u_xx'\n\
        [domain]\nx = { range = [0, 1], lower = '0', upper = '0' }\n[time]\nend = 1\n\
        [initial]\nu = 'sin(pi*x)'\n";
    let mut run = begun(&resolved(support::problem(text, &[])));
    pollster::block_on(run.step()).expect("a step");
    let at = [0.31, 0.5, 0.62, 0.9];
    let before = run.evaluate(&at);
    let bump = |x: f64| 0.5 * (-((x - 0.6) / 0.04).powi(2)).exp();
    let left = pollster::block_on(run.disturb(&|x| bump(x[0]))).expect("finite");
    assert!(left < 1e-6, "{left:e}");
    for ((x, before), after) in at.iter().zip(before).zip(run.evaluate(&at)) {
        assert!((before + bump(*x) - after).abs() < 1e-5, "{x}: {before} {after}");
    }
    let report = pollster::block_on(run.step()).expect("it goes on");
    assert!(report.count > 64);
}

/// Nothing moves: the equation has no size of its own.
#[test]
fn zero_stays_zero() {
    let text = "format = 1\n[equation]\ntext = 'u_t = 0.1*u_xx + u^2'\n\
        [domain]\nx = { range = [0, 1] }\n[time]\nend = 1\n[initial]\nu = '0'\n";
    let mut run = begun(&with_features(text));
    let mut steps = 0;
    while !run.finished() {
        steps = pollster::block_on(run.step()).expect("a step").step;
    }
    assert!(steps < 40, "{steps}");
    assert!(run.evaluate(&[0.2, 0.7]).iter().all(|u| u.abs() < 1e-12));
}

#[test]
fn what_features_do_not_hold_is_left_to_a_deep_network() {
    let text = |initial: &str| {
        format!(
            "format = 1\n[equation]\ntext = 'u_t = 0.01*u_xx'\n[domain]\nx = {{ range = [0, '2*pi'] }}\n\
             [time]\nend = 1\n[initial]\nu = '{initial}'\n"
        )
    };
    let scheme = |initial: &str, overrides: &[(&str, &str)]| {
        resolved(support::problem(&text(initial), overrides)).method.scheme
    };
    assert_eq!(scheme("sin(x)", &[]), Scheme::RandomFeatures);
    assert_eq!(scheme("sign(sin(x))", &[]), Scheme::StageFit);
    assert_eq!(scheme("sin(x)", &[("network.width", "20")]), Scheme::StageFit);
    assert_eq!(scheme("sin(x)", &[("method.tolerance", "1e-4")]), Scheme::RandomFeatures);
    assert_eq!(scheme("sin(x)", &[("run.precision", "mixed")]), Scheme::StageFit);
    let again = resolved(support::problem(&text("sin(x)"), &[]));
    let read = Problem::from_toml(&again.source, &Vec::new()).expect("its source");
    assert_eq!(read, again, "the source says what was decided");
    let source = text("sin(x)");
    assert!(super::is_of(&again.source, &source) && super::is_of(&source, &source));
    assert!(!super::is_of(&again.source, &text("cos(x)")));
}
