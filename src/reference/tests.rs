//! The spectral reference against exact solutions, and against itself.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::problem::expression::{Binary, Channel, Entry, Expression, Function, MultiIndex};
use crate::problem::{
    Activation, Coordinate, FitMethod, FitSettings, Integrator, MOST_FIT_ERROR, MethodSettings,
    NetworkSettings, PointLayout, PointSettings, Precision, ReferenceSettings, Sampling, Scheme,
    Solver, TimeSpan, Update,
};

pub fn number(value: f64) -> Expression {
    Expression::Constant(value)
}

pub fn parameter(index: usize) -> Expression {
    Expression::Parameter(index)
}

pub fn coordinate() -> Expression {
    Expression::Coordinate(0)
}

pub fn time() -> Expression {
    Expression::Time
}

pub fn jet(order: u8) -> Expression {
    Expression::Jet(Entry::new(0, Channel::Partial(MultiIndex::along(0, order))))
}

pub fn sum(a: Expression, b: Expression) -> Expression {
    Expression::Binary(Binary::Add, Box::new(a), Box::new(b))
}

pub fn product(a: Expression, b: Expression) -> Expression {
    Expression::Binary(Binary::Multiply, Box::new(a), Box::new(b))
}

fn minus(a: Expression, b: Expression) -> Expression {
    Expression::Binary(Binary::Subtract, Box::new(a), Box::new(b))
}

fn call(function: Function, a: Expression) -> Expression {
    Expression::Call(function, Box::new(a))
}

fn power(a: Expression, exponent: i32) -> Expression {
    Expression::Power(Box::new(a), exponent)
}

/// u_t = `right_hand_side` on a period from `range[0]` to `range[1]`, until `end`.
pub fn periodic(
    right_hand_side: Expression,
    initial: Expression,
    range: [f64; 2],
    end: f64,
) -> Problem {
    Problem {
        name: "test".into(),
        title: String::new(),
        description: String::new(),
        unknowns: vec!["u".into()],
        complex: vec![],
        coordinates: vec![Coordinate {
            name: "x".into(),
            lower: range[0],
            upper: range[1],
            boundary: Boundary::Periodic,
        }],
        parameters: vec![],
        tables: vec![],
        time: TimeSpan { start: 0.0, end },
        equation: String::new(),
        right_hand_side: vec![right_hand_side],
        initial: vec![initial],
        exact: None,
        distance: None,
        lift: None,
        network: NetworkSettings {
            width: 5,
            hidden_layers: 1,
            activation: Activation::Tanh,
            architecture: crate::problem::ArchitectureSettings::default(),
        },
        points: PointSettings {
            layout: PointLayout::Grid,
            count: vec![64],
            density: crate::problem::Density::Magnitude,
            resample: 1,
        },
        fit: FitSettings {
            method: FitMethod::LevenbergMarquardt,
            tolerance: 1e-6,
            accept: MOST_FIT_ERROR,
            max_iterations: 10,
            count: vec![],
        },
        method: MethodSettings {
            chooses_scheme: false,
            scheme: Scheme::ParameterOde,
            update: Update::Dense,
            columns: 10,
            adaptive_columns: false,
            sampling: Sampling::Uniform,
            integrator: Integrator::Rk4,
            step: end / 64.0,
            tolerance: None,
            rcond: 1e-6,
            solver: Solver::Auto,
            regularisation: crate::problem::Regularisation::Truncate,
            corrections: 1,
            refit_every: None,
        },
        reference: ReferenceSettings { kind: ReferenceKind::Auto, modes: None, step: None },
        precision: Precision::F64,
        seed: 0,
        source: String::new(),
    }
}

fn quiet(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn bump(centre: f64, sharpness: f64) -> Expression {
    let square = power(minus(coordinate(), number(centre)), 2);
    call(Function::Exp, product(number(-sharpness), square))
}

fn allen_cahn() -> Problem {
    let tanh = call(Function::Tanh, product(number(2.0), call(Function::Sin, coordinate())));
    let initial = sum(
        minus(product(number(1.0 / 3.0), tanh), bump(std::f64::consts::FRAC_PI_2, 23.5)),
        sum(bump(4.2, 27.0), bump(5.4, 38.0)),
    );
    let equation = minus(sum(product(number(5e-3), jet(2)), jet(0)), power(jet(0), 3));
    let mut problem = periodic(equation, initial, [0.0, std::f64::consts::TAU], 4.0);
    problem.method.step = 5e-3;
    problem
}

fn burgers() -> Problem {
    let initial = product(minus(number(1.0), power(coordinate(), 2)), bump(-0.5, 30.0));
    let equation = minus(product(number(1e-3), jet(2)), product(jet(0), jet(1)));
    let mut problem = periodic(equation, initial, [-1.0, 1.0], 4.0);
    problem.method.step = 1e-3;
    problem
}

/// Largest error at a few times on and between the snapshots.
fn largest_error(solution: &SpectralSolution, exact: &dyn Fn(f64, f64) -> f64) -> f64 {
    let times = solution.times();
    let last = times[times.len() - 1];
    let points: Vec<f64> = (0..101).map(|j| f64::from(j) * 0.0731).collect();
    [0.0, times[3], 0.5 * (times[0] + times[1]), 0.377 * last, last]
        .into_iter()
        .flat_map(|t| {
            let values = solution.values(t, &points).expect("inside the run");
            points.iter().zip(values).map(|(&x, u)| (u - exact(t, x)).abs()).collect::<Vec<_>>()
        })
        .fold(0.0, f64::max)
}

#[test]
fn linear_advection_and_diffusion_is_exact() {
    // u_t = 0.1 u_xx - u_x: u = e^{-0.1 t} sin(x - t) + e^{-0.9 t} cos(3 (x - t)).
    let equation = minus(product(number(0.1), jet(2)), jet(1));
    let initial = sum(
        call(Function::Sin, coordinate()),
        call(Function::Cos, product(number(3.0), coordinate())),
    );
    let problem = periodic(equation, initial, [0.0, std::f64::consts::TAU], 2.0);
    let settings = SpectralSettings { tolerance: 1e-12, ..SpectralSettings::of(&problem) };
    let solution = spectral::solve(&problem, &settings, &quiet).expect("solves");
    let exact = |t: f64, x: f64| {
        (-0.1 * t).exp() * (x - t).sin() + (-0.9 * t).exp() * (3.0 * (x - t)).cos()
    };
    let error = largest_error(&solution, &exact);
    assert!(error < 1e-10, "{error}");
    // A wrong speed in the truth is seen.
    let wrong = |t: f64, x: f64| exact(t * (1.0 + 1e-8), x);
    assert!(largest_error(&solution, &wrong) > 1e-9);
}

#[test]
fn kdv_soliton_travels_exactly() {
    // u_t = -6 u u_x - u_xxx with u = c/2 sech^2(sqrt(c)/2 (x - c t)); the period is long enough
    // for the images to be below the tolerance.
    let (c, half) = (4.0f64, 16.0);
    let sech = |argument: Expression| {
        let exp = |sign: f64| call(Function::Exp, product(number(sign), argument.clone()));
        Expression::Binary(
            Binary::Divide,
            Box::new(number(2.0)),
            Box::new(sum(exp(1.0), exp(-1.0))),
        )
    };
    let initial = product(number(0.5 * c), power(sech(coordinate()), 2));
    let equation = minus(product(number(-6.0), product(jet(0), jet(1))), jet(3));
    let problem = periodic(equation, initial, [-half, half], 0.5);
    let settings = SpectralSettings { tolerance: 2e-11, ..SpectralSettings::of(&problem) };
    let solution = spectral::solve(&problem, &settings, &quiet).expect("solves");
    let exact = |t: f64, x: f64| {
        let shifted = (x - c * t + half).rem_euclid(2.0 * half) - half;
        0.5 * c / (0.5 * c.sqrt() * shifted).cosh().powi(2)
    };
    let error = largest_error(&solution, &exact);
    assert!(error < 1e-10, "{error} {:?}", solution.quality());
}

#[test]
fn terms_that_vary_with_place_and_time_are_exact() {
    // u = sin(x - t) + 2 solves u_t = sin(x) u_x - t u^2 + 0.1 u_xx + g with the g that makes it so.
    let (sin, cos) = (Function::Sin, Function::Cos);
    let phase = || minus(coordinate(), time());
    let exact = || sum(call(sin, phase()), number(2.0));
    let forcing = sum(
        minus(
            Expression::Negate(Box::new(call(cos, phase()))),
            product(call(sin, coordinate()), call(cos, phase())),
        ),
        sum(product(time(), power(exact(), 2)), product(number(0.1), call(sin, phase()))),
    );
    let equation = sum(
        minus(product(call(sin, coordinate()), jet(1)), product(time(), power(jet(0), 2))),
        sum(product(number(0.1), jet(2)), forcing),
    );
    let initial = sum(call(sin, coordinate()), number(2.0));
    let problem = periodic(equation, initial, [0.0, std::f64::consts::TAU], 1.0);
    let settings = SpectralSettings { tolerance: 1e-11, ..SpectralSettings::of(&problem) };
    let solution = spectral::solve(&problem, &settings, &quiet).expect("solves");
    let error = largest_error(&solution, &|t, x| (x - t).sin() + 2.0);
    assert!(error < 1e-10, "{error} {:?}", solution.quality());
}

fn along(axis: usize, order: u8) -> Expression {
    Expression::Jet(Entry::new(0, Channel::Partial(MultiIndex::along(axis, order))))
}

/// u_t = `right_hand_side` on boxes with periods 1 + axis.
fn in_a_box(right_hand_side: Expression, initial: Expression, dimensions: usize) -> Problem {
    let mut problem = periodic(right_hand_side, initial, [0.0, 1.0], 1.0);
    let first = problem.coordinates[0].clone();
    problem.coordinates = (0..dimensions)
        .map(|axis| Coordinate { upper: 1.0 + axis as f64, ..first.clone() })
        .collect();
    problem
}

/// A wave along an axis of such a box, `k` times.
fn wave(function: Function, axis: usize, k: f64) -> Expression {
    let scale = std::f64::consts::TAU * k / (1.0 + axis as f64);
    call(function, product(number(scale), Expression::Coordinate(axis)))
}

/// Largest error at the end and between snapshots, on a grid and on scattered points.
fn largest_error_in_a_box(
    solution: &SpectralSolution,
    dimensions: usize,
    exact: &dyn Fn(f64, &[f64]) -> f64,
) -> f64 {
    let times = solution.times();
    let side = |axis: usize, j: usize| 0.11 + (1.0 + axis as f64) * 0.13 * j as f64;
    let point = |index: usize, shift: f64| -> Vec<f64> {
        let place = |axis: usize| {
            side(axis, index / 5usize.pow((dimensions - 1 - axis) as u32) % 5)
                + shift * index as f64
        };
        (0..dimensions).map(place).collect()
    };
    let count = 5usize.pow(dimensions as u32);
    [(1.0, 0.0), (0.5 * (times[1] + times[2]), 0.0), (1.0, 0.017)]
        .into_iter()
        .flat_map(|(time, shift)| {
            let points: Vec<Vec<f64>> = (0..count).map(|index| point(index, shift)).collect();
            let values = solution.values(time, &points.concat()).expect("inside the run");
            let error = |(point, u): (&Vec<f64>, f64)| (u - exact(time, point)).abs();
            points.iter().zip(values).map(error).collect::<Vec<_>>()
        })
        .fold(0.0, f64::max)
}

#[test]
fn anisotropic_diffusion_and_advection_in_two_and_three_dimensions_is_exact() {
    // u = mean + e^{-a t} sin(2 pi (x - t)) cos(..) under u_t = 0.1 u_xx + 0.02 lap u - u_x.
    for dimensions in [2, 3] {
        let last = dimensions - 1;
        let diffusion = sum(
            product(number(0.1), along(0, 2)),
            product(number(0.02), Expression::Jet(Entry::new(0, Channel::Laplacian))),
        );
        let waves = product(wave(Function::Sin, 0, 1.0), wave(Function::Cos, last, 2.0));
        let problem = in_a_box(minus(diffusion, along(0, 1)), sum(number(0.5), waves), dimensions);
        assert_eq!(kind(&problem), ReferenceKind::Spectral);
        let settings = SpectralSettings { max_modes: 64, ..SpectralSettings::of(&problem) };
        let solution = spectral::solve(&problem, &settings, &quiet).expect("solves");
        let (k, m) = (std::f64::consts::TAU, 2.0 * std::f64::consts::TAU / (1.0 + last as f64));
        let exact = |t: f64, x: &[f64]| {
            let decay = (-(0.12 * k * k + 0.02 * m * m) * t).exp();
            0.5 + decay * (k * (x[0] - t)).sin() * (m * x[last]).cos()
        };
        let error = largest_error_in_a_box(&solution, dimensions, &exact);
        assert!(error < 1e-9, "{dimensions}: {error} {:?}", solution.quality());
        let wrong = |t: f64, x: &[f64]| exact(t * (1.0 + 1e-6), x);
        assert!(largest_error_in_a_box(&solution, dimensions, &wrong) > 1e-8);
    }
}

#[test]
fn a_nonlinear_equation_with_mixed_derivatives_in_the_plane_meets_its_tolerance() {
    // u = 2 + sin(2 pi x - t) cos(pi y) solves u_t = 0.05 lap u + 0.03 u_xy - u u_y + cos(pi y) u^2
    // + g with the g that makes it so.
    use std::f64::consts::{PI, TAU};
    let phase = || minus(product(number(TAU), coordinate()), time());
    let y = || product(number(PI), Expression::Coordinate(1));
    let (sin, cos) = (|a| call(Function::Sin, a), |a| call(Function::Cos, a));
    let exact = || sum(number(2.0), product(sin(phase()), cos(y())));
    let u_t = Expression::Negate(Box::new(product(cos(phase()), cos(y()))));
    let laplacian = product(number(-(TAU * TAU + PI * PI)), product(sin(phase()), cos(y())));
    let u_xy = product(number(-TAU * PI), product(cos(phase()), sin(y())));
    let u_y = product(number(-PI), product(sin(phase()), sin(y())));
    let mixed = Expression::Jet(Entry::new(
        0,
        Channel::Partial(MultiIndex::along(0, 1).plus(&MultiIndex::along(1, 1))),
    ));
    let flow = |lap, xy, u: Expression, u_y| {
        let linear = sum(product(number(0.05), lap), product(number(0.03), xy));
        sum(minus(linear, product(u.clone(), u_y)), product(cos(y()), power(u, 2)))
    };
    let forcing = minus(u_t, flow(laplacian, u_xy, exact(), u_y));
    let equation = sum(
        flow(Expression::Jet(Entry::new(0, Channel::Laplacian)), mixed, jet(0), along(1, 1)),
        forcing,
    );
    let initial = sum(number(2.0), product(sin(product(number(TAU), coordinate())), cos(y())));
    let problem = in_a_box(equation, initial, 2);
    let solution =
        spectral::solve(&problem, &SpectralSettings::of(&problem), &quiet).expect("solves");
    let truth = |t: f64, x: &[f64]| 2.0 + (TAU * x[0] - t).sin() * (PI * x[1]).cos();
    let error = largest_error_in_a_box(&solution, 2, &truth);
    let estimate = solution.quality().estimated_error;
    assert!(error < 1e-7 && error < 20.0 * estimate, "{error} {:?}", solution.quality());
    assert_eq!(SpectralSolution::decode(&solution.encode()).as_ref(), Ok(&solution));
}

#[test]
fn work_without_end_ends() {
    let problem = allen_cahn();
    let settings = SpectralSettings { max_work: 1e5, ..SpectralSettings::of(&problem) };
    let error = spectral::solve(&problem, &settings, &quiet).expect_err("too little");
    assert!(matches!(error, ReferenceError::TooMuchWork { .. }), "{error}");
    // With enough for two runs but not for the tolerance the estimate says what was reached.
    let settings =
        SpectralSettings { tolerance: 1e-13, max_work: 3e7, ..SpectralSettings::of(&problem) };
    let solution = spectral::solve(&problem, &settings, &quiet).expect("two runs");
    let estimate = solution.quality().estimated_error;
    assert!(estimate > settings.tolerance && estimate < 1e-3, "{estimate}");
    // A step that would take for ever is refused at once.
    let settings = SpectralSettings { step: Some(1e-300), ..SpectralSettings::of(&problem) };
    let error = spectral::solve(&problem, &settings, &quiet).expect_err("for ever");
    assert!(matches!(error, ReferenceError::Settings { name: "step", .. }), "{error}");
}

#[test]
fn convergence_is_of_fourth_order_in_time_and_spectral_in_space() {
    let problem = allen_cahn();
    let solve = |modes: usize, step: f64| {
        let settings = SpectralSettings {
            modes: Some(modes),
            step: Some(step),
            intervals: 16,
            ..SpectralSettings::in_dimensions(1)
        };
        spectral::solve(&problem, &settings, &quiet).expect("solves")
    };
    let points: Vec<f64> = (0..400).map(|j| std::f64::consts::TAU * f64::from(j) / 400.0).collect();
    let last = |s: &SpectralSolution| s.at(s.times().len() - 1, &points);
    let distance = |a: &[f64], b: &[f64]| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt() / 20.0
    };
    let truth = last(&solve(512, 4.0 / 2048.0));
    let errors: Vec<f64> = [64.0, 128.0, 256.0]
        .iter()
        .map(|n| distance(&last(&solve(512, 4.0 / n)), &truth))
        .collect();
    for pair in errors.windows(2) {
        let order = (pair[0] / pair[1]).log2();
        assert!((3.6..4.4).contains(&order), "order {order}: {errors:?}");
    }
    // Twice the modes square the error, down to rounding.
    let coarse = distance(&last(&solve(128, 4.0 / 2048.0)), &truth);
    let fine = distance(&last(&solve(256, 4.0 / 2048.0)), &truth);
    assert!(coarse < 1e-1 && fine < coarse.powf(1.7), "{coarse} {fine}");
}

/// Relative L2 distance at a time.
fn relative_distance(a: &SpectralSolution, b: &SpectralSolution, time: f64, x: &[f64]) -> f64 {
    let [a, b] = [a, b].map(|s| s.values(time, x).expect("inside the run"));
    let difference: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum();
    (difference / b.iter().map(|b| b * b).sum::<f64>()).sqrt()
}

#[test]
fn allen_cahn_meets_its_tolerance_and_its_estimate_is_honest() {
    let problem = allen_cahn();
    let settings = SpectralSettings::of(&problem);
    assert_eq!(settings.intervals, 800);
    let solution = spectral::solve(&problem, &settings, &quiet).expect("solves");
    let quality = solution.quality();
    assert_eq!(solution.times().len(), 801);
    assert!(quality.estimated_error < 1e-9, "{quality:?}");
    let finer = SpectralSettings {
        modes: Some(2 * quality.modes),
        step: Some(4.0 / (2 * quality.steps) as f64),
        ..settings
    };
    let truth = spectral::solve(&problem, &finer, &quiet).expect("solves");
    let points: Vec<f64> = (0..600).map(|j| std::f64::consts::TAU * f64::from(j) / 600.0).collect();
    for time in [1.0, 2.6518, 4.0] {
        let error = relative_distance(&solution, &truth, time, &points);
        assert!(error < 2.0 * quality.estimated_error.max(1e-12), "{time}: {error} {quality:?}");
    }
}

/// Six waves over the domain are one wave over a sixth of it; their cube's 18 lie beyond the first
/// modes, where the state itself shows nothing.
#[test]
fn what_products_make_beyond_the_modes_is_not_lost() {
    let of = |upper: &str| {
        let text = format!(
            "format = 1\n[equation]\ntext = 'u_t = -0.7*u - 2*u_xx - u_xxxx - u^3'\n\
             [domain]\nx = {{ range = [0, '{upper}'] }}\n[time]\nend = 5\n\
             [initial]\nu = '0.1*cos(x)'"
        );
        let problem = Problem::from_toml(&text, &Vec::new()).expect("a problem");
        spectral::solve(&problem, &SpectralSettings::of(&problem), &quiet).expect("solves")
    };
    let (one, six) = (of("2*pi"), of("12*pi"));
    let points: Vec<f64> = (0..60).map(|j| std::f64::consts::TAU * f64::from(j) / 60.0).collect();
    for time in [1.0, 5.0] {
        let error = relative_distance(&six, &one, time, &points);
        assert!(error < 1e-9, "{time}: {error}");
    }
}

/// A soliton of the cubic Schroedinger equation, and a wave packet of the linear one in two dimensions
/// with a shift, against their exact solutions: what turns into each other is stepped without bounds on
/// the steps by its highest waves.
#[test]
fn complex_unknowns_have_a_reference() {
    let of = |equation: &str, domain: &str, exact: &str| {
        let text = format!(
            "format = 1\n[equation]\ncomplex = 'psi'\ntext = '{equation}'\n[domain]\n{domain}\n\
             [time]\nend = 1\n[exact]\npsi = '{exact}'"
        );
        let problem = Problem::from_toml(&text, &Vec::new()).expect("a problem");
        let settings = SpectralSettings::of(&problem);
        let solution = spectral::solve(&problem, &settings, &quiet).expect("solves");
        let quality = solution.quality();
        assert!(quality.estimated_error < 1e-8, "{quality:?}");
        let place = |k: usize| -> Vec<f64> {
            let along = |c: &Coordinate| c.lower + (0.37 * k as f64).fract() * (c.upper - c.lower);
            problem.coordinates.iter().map(along).collect()
        };
        let points: Vec<f64> = (0..40).flat_map(place).collect();
        for time in [0.3, 1.0] {
            let values = solution.values(time, &points).expect("inside");
            let exact = problem.exact.as_ref().expect("given");
            let wanted = exact.iter().flat_map(|e| {
                let at = move |k: usize| e.evaluate_at(&place(k), time, &[]);
                (0..40).map(at).collect::<Vec<_>>()
            });
            for (value, wanted) in values.iter().zip(wanted) {
                assert!((value - wanted).abs() < 1e-7, "{time}: {value} {wanted}");
            }
        }
        quality.steps
    };
    let cubic = "i*psi_t = -psi_xx - 2*abs(psi)^2*psi";
    let steps = of(cubic, "x = { range = [\"-8*pi\", \"8*pi\"] }", "exp(i*x)/cosh(x - 2*t)");
    assert!(steps < 20_000, "{steps}");
    let waves = "exp(i*(x - 2*y + 4*t)) + (2 - i)*exp(i*(2*x + 5*t)) + i*exp(i*(y + 3*t))";
    let square = "x = { range = [0, \"2*pi\"] }\ny = { range = [0, \"2*pi\"] }";
    of("i*psi_t = laplace(psi) + i*psi_y - psi", square, waves);
}

/// The kink of the periodic initial state and the front need many modes, each for a while.
#[test]
fn burgers_front_is_resolved_and_its_estimate_is_honest() {
    let problem = burgers();
    let solve = |tolerance: f64| {
        let settings = SpectralSettings { tolerance, ..SpectralSettings::of(&problem) };
        spectral::solve(&problem, &settings, &quiet).expect("solves")
    };
    let (solution, truth) = (solve(1e-6), solve(1e-8));
    let estimate = solution.quality().estimated_error;
    assert!(estimate < 1e-6 && truth.quality().estimated_error < 1e-8);
    let points: Vec<f64> = (0..1_000).map(|j| -1.0 + f64::from(j) / 500.0).collect();
    for time in [0.5, 1.2345, 4.0] {
        let error = relative_distance(&solution, &truth, time, &points);
        assert!(error < 4.0 * estimate, "{time}: {error} {estimate}");
    }
}

#[test]
fn what_cannot_be_solved_says_why() {
    let solve = |problem: &Problem| {
        spectral::solve(problem, &SpectralSettings::in_dimensions(1), &quiet)
            .expect_err("must fail")
    };
    let good = || periodic(jet(2), call(Function::Sin, coordinate()), [0.0, 1.0], 1.0);
    let mut four = good();
    four.coordinates = vec![four.coordinates[0].clone(); 4];
    assert_eq!(solve(&four), ReferenceError::Dimensions { dimensions: 4 });
    assert_eq!(kind(&four), ReferenceKind::None);

    let mut walled = good();
    walled.coordinates[0].boundary = Boundary::Sides {
        lower: vec![crate::problem::Side::Value(number(0.0))],
        upper: vec![crate::problem::Side::Value(number(0.0))],
    };
    assert_eq!(solve(&walled), ReferenceError::NotPeriodic { coordinate: "x".into() });

    let mut singular = good();
    singular.initial = vec![call(Function::Log, coordinate())];
    assert_eq!(solve(&singular), ReferenceError::InitialNotFinite { place: vec![0.0] });

    let mut exact = good();
    exact.reference.kind = ReferenceKind::Exact;
    assert_eq!(Reference::of(&exact, &quiet), Err(ReferenceError::NoExactSolution));
    let message = solve(&walled).to_string();
    assert!(message.contains("x is not periodic") && message.contains("exact solution"));
}

#[test]
fn blow_up_is_reported_with_its_time() {
    // u_t = u^2 from u = 1 becomes infinite at t = 1.
    let problem = periodic(power(jet(0), 2), number(1.0), [0.0, 1.0], 2.0);
    let error = spectral::solve(&problem, &SpectralSettings::in_dimensions(1), &quiet)
        .expect_err("blows up");
    let time = error.failure_time().expect("a failure in time");
    assert!((time - 1.0).abs() < 0.05, "{error}");
    // A shock without diffusion: from sin x, at t = 1.
    let equation = Expression::Negate(Box::new(product(jet(0), jet(1))));
    let sine = call(Function::Sin, coordinate());
    let problem = periodic(equation, sine, [0.0, std::f64::consts::TAU], 2.0);
    let settings = SpectralSettings { max_modes: 512, ..SpectralSettings::in_dimensions(1) };
    let error = spectral::solve(&problem, &settings, &quiet).expect_err("a shock");
    let time = error.failure_time().expect("a failure in time");
    assert!((0.9..1.3).contains(&time), "{error}");
}

#[test]
fn the_observer_sees_progress_and_can_cancel() {
    let calls = AtomicUsize::new(0);
    let observe = |progress: Progress| {
        assert!(progress.fraction > 0.0 && progress.fraction <= 1.0);
        if calls.fetch_add(1, Ordering::Relaxed) < 4 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    let problem = allen_cahn();
    let outcome = Reference::of(&problem, &observe);
    assert_eq!(outcome, Err(ReferenceError::Cancelled));
    assert_eq!(calls.into_inner(), 5);
}

#[test]
fn a_closed_form_is_evaluated_point_by_point() {
    let mut problem = periodic(jet(2), number(0.0), [0.0, 1.0], 1.0);
    problem.coordinates.push(problem.coordinates[0].clone());
    problem.exact = Some(vec![sum(
        product(Expression::Coordinate(1), number(10.0)),
        product(coordinate(), time()),
    )]);
    let reference = Reference::of(&problem, &quiet).expect("exact").expect("given");
    let values = reference.values(2.0, &[1.0, 2.0, 3.0, 4.0]).expect("any time");
    assert_eq!(values, vec![22.0, 46.0]);
    assert!(reference.estimated_error() == 0.0);
}

/// The closed form and the spectral solution of the same problem file know nothing of each other.
#[test]
fn kdv_preset_has_two_references_that_agree() {
    let mut problem = Problem::preset("kdv").expect("a preset");
    let exact = Reference::of(&problem, &quiet).expect("given").expect("exact");
    problem.reference.kind = ReferenceKind::Spectral;
    let spectral = Reference::of(&problem, &quiet).expect("solves").expect("spectral");
    assert!(spectral.estimated_error() > 0.0 && exact.estimated_error() == 0.0);
    let coordinate = &problem.coordinates[0];
    let spacing = (coordinate.upper - coordinate.lower) / 200.0;
    let x: Vec<f64> = (0..200).map(|j| coordinate.lower + spacing * f64::from(j)).collect();
    for part in [0.0, 0.3, 1.0] {
        let time = problem.time.start + part * (problem.time.end - problem.time.start);
        let [a, b] = [&exact, &spectral].map(|r| r.values(time, &x).expect("inside the run"));
        let largest = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(largest < 1e-8, "{time}: {largest}");
    }
}

/// Where the time goes, by hand: `cargo test --release --lib measure_the -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check"]
fn measure_the_presets() {
    for preset in crate::problem::presets() {
        let problem = Problem::preset(preset.name).expect("a preset");
        if kind(&problem) != ReferenceKind::Spectral {
            continue;
        }
        let settings = SpectralSettings::of(&problem);
        let begin = std::time::Instant::now();
        let observe = |p: Progress| {
            if p.fraction == 1.0 {
                println!("  {:.2} s {p:?}", begin.elapsed().as_secs_f64());
            }
            ControlFlow::Continue(())
        };
        let solution = spectral::solve(&problem, &settings, &observe).expect("solves");
        let (seconds, size) = (begin.elapsed().as_secs_f64(), solution.encode().len());
        println!("{}: {seconds:.2} s, {:?}, {size} bytes", problem.name, solution.quality());
    }
}

/// u + i v = exp((2 i - 0.1) t) sin x, and a third unknown that v drives.
#[test]
fn unknowns_that_turn_into_each_other_follow_the_exact_solution() {
    let text = "format = 1\n[equation]\n\
        text = ['u_t = 0.1*u_xx - 2*v', 'v_t = 2*u + 0.1*v_xx', 'w_t = v_x - 0.3*w*sin(x)']\n\
        [domain]\nx = { range = [0, '2*pi'] }\n[time]\nend = 2\n\
        [initial]\nu = 'sin(x)'\nv = '0'\nw = 'exp(cos(x))'\n";
    let problem = Problem::from_toml(text, &Vec::new()).expect("a problem");
    let settings = SpectralSettings::of(&problem);
    let solution = spectral::solve(&problem, &settings, &quiet).expect("solves");
    let back = SpectralSolution::decode(&solution.encode()).expect("a complete encoding");
    assert_eq!(back, solution);
    let x: Vec<f64> = (0..9).map(|k| 0.7 * f64::from(k)).collect();
    for time in [0.0, 0.713, 2.0] {
        let found = solution.values(time, &x).expect("inside the run");
        assert_eq!(found.len(), 27);
        for (i, x) in x.iter().enumerate() {
            let size = (-0.1 * time).exp() * x.sin();
            let wanted = [size * (2.0 * time).cos(), size * (2.0 * time).sin()];
            let errors = [found[i] - wanted[0], found[9 + i] - wanted[1]];
            assert!(errors.iter().all(|e| e.abs() < 1e-9), "{time}, {x}: {errors:?}");
        }
    }
    // w by a quadrature along each place: w_t = -0.3 sin(x) w + v_x.
    let (time, at) = (2.0f64, x[3]);
    let rate = -0.3 * at.sin();
    let steps = 20_000;
    let mut sum = at.cos().exp() * (rate * time).exp();
    for k in 0..steps {
        let s = (f64::from(k) + 0.5) * time / f64::from(steps);
        let source = (-0.1 * s).exp() * at.cos() * (2.0 * s).sin();
        sum += source * (rate * (time - s)).exp() * time / f64::from(steps);
    }
    let found = solution.values(time, &x).expect("inside the run")[18 + 3];
    assert!((found - sum).abs() < 1e-7, "{found} {sum}");
}
