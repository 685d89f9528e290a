use super::*;
use crate::linalg::LeastSquares;
use crate::problem::Problem;
use nalgebra::DMatrix;

/// A small problem; `extra` comes last in the file.
fn problem(domain: &str, initial: &str, extra: &str) -> Problem {
    let text = format!(
        "format = 1\n[equation]\ntext = 'u_t = u'\n[domain]\n{domain}\n[time]\nstart = 0.5\nend = 1\n\
         [initial]\nu = '{initial}'\n{extra}"
    );
    Problem::from_toml(&text, &Vec::new()).expect("a problem")
}

const SMALL: &str = "[network]\nwidth = 3\nhidden_layers = 1\n";
const PERIODIC: &str = "x = { range = [0, '2*pi'] }";
const MIXED: &str = "x = { range = [0, 2], boundary = 'dirichlet', lower = '0', upper = 't' }\n\
                     y = { range = [-1, 1] }";

fn small_cases() -> [(Problem, usize); 3] {
    let mixed = "x*t/2 + sin(pi*x)*cos(pi*y)".replace('t', "0.5");
    [
        (problem(PERIODIC, "exp(sin(x))", SMALL), 7),
        (problem(PERIODIC, "exp(sin(x))", SMALL), 40),
        (problem(MIXED, &mixed, SMALL), 5),
    ]
}

fn target_of(problem: &Problem, count: usize) -> (Target, Vec<f64>) {
    let network = Network::of(problem);
    let points = target::points(problem, &vec![count; problem.dimensions()]);
    let target =
        Target::new(problem, &network, &Wanted::Initial, &points).expect("a finite target");
    (target, network.initialise(3))
}

/// Central differences of the residual.
fn differences(target: &Target, theta: &[f64], k: usize) -> Vec<f64> {
    let step = 1e-5;
    let at = |shift: f64| {
        let mut theta = theta.to_vec();
        theta[k] += shift;
        target.residual(&theta).entries
    };
    at(step).iter().zip(at(-step)).map(|(up, down)| (up - down) / (2.0 * step)).collect()
}

#[test]
fn jacobian_and_gradient_are_those_of_finite_differences() {
    for (problem, count) in small_cases() {
        let (target, theta) = target_of(&problem, count);
        let columns: Vec<u32> = (0..theta.len() as u32).collect();
        let mut jacobian = DMatrix::<f64>::zeros(target.rows(), theta.len());
        target.jacobian(&theta, &columns, jacobian.as_view_mut());
        let residual = target.residual(&theta);
        let (value, gradient) = target.gradient(&theta);
        assert_eq!(value, 0.5 * residual.loss);
        let mut planted = 0.0f64;
        for k in 0..theta.len() {
            let by_differences = differences(&target, &theta, k);
            let mut slope = 0.0;
            for (i, d) in by_differences.iter().enumerate() {
                // Differences: step^2 times a third derivative, and round-off over the step.
                assert!((jacobian[(i, k)] + d).abs() < 1e-6 * (1.0 + d.abs()), "({i}, {k})");
                slope += d * residual.entries[i];
            }
            assert!((gradient[k] - slope).abs() < 1e-6 * (1.0 + slope.abs()), "gradient {k}");
            planted = planted.max((gradient[k] + slope).abs());
        }
        assert!(planted > 1e-3, "a gradient of the wrong sign would have passed");
    }
}

/// Solves `a x = b` by elimination with row pivoting.
fn eliminate(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| a[i][k].abs().total_cmp(&a[j][k].abs())).unwrap();
        a.swap(k, pivot);
        b.swap(k, pivot);
        for i in k + 1..n {
            let factor = a[i][k] / a[k][k];
            let row = a[k].clone();
            (k..n).for_each(|j| a[i][j] -= factor * row[j]);
            b[i] -= factor * b[k];
        }
    }
    for k in (0..n).rev() {
        let known: f64 = (k + 1..n).map(|j| a[k][j] * b[j]).sum();
        b[k] = (b[k] - known) / a[k][k];
    }
    b
}

/// The linear step against the normal equations solved by elimination, for fewer equations than
/// parameters and for more; and the repetitions do no worse than the linear step.
#[test]
fn a_levenberg_step_solves_the_damped_normal_equations() {
    for (problem, count) in small_cases() {
        let (target, theta) = target_of(&problem, count);
        let p = theta.len();
        let columns: Vec<u32> = (0..p as u32).collect();
        let mut jacobian = DMatrix::<f64>::zeros(target.rows(), p);
        target.jacobian(&theta, &columns, jacobian.as_view_mut());
        let residual = target.residual(&theta);
        let mut solver = LeastSquares::default();
        let mut equations = solver.normal_equations(jacobian.as_view()).expect("finite");
        let damping = 0.05;
        let lambda = damping * equations.largest();
        equations.damp(lambda).expect("a large damping");
        let step = equations.solve(&residual.entries).expect("finite");

        let rows = target.rows();
        let gram = |i: usize, j: usize| -> f64 {
            let sum: f64 = (0..rows).map(|r| jacobian[(r, i)] * jacobian[(r, j)]).sum();
            sum + if i == j { lambda * lambda } else { 0.0 }
        };
        let matrix = (0..p).map(|i| (0..p).map(|j| gram(i, j)).collect()).collect();
        let right = (0..p)
            .map(|k| (0..rows).map(|r| jacobian[(r, k)] * residual.entries[r]).sum())
            .collect();
        let wanted = eliminate(matrix, right);
        // Condition number 1 + 1 / damping^2.
        let allowed = 100.0 * p as f64 * f64::EPSILON / (damping * damping);
        let size = wanted.iter().map(|v| v * v).sum::<f64>().sqrt();
        let agrees =
            |step: &[f64]| step.iter().zip(&wanted).all(|(a, b)| (a - b).abs() <= allowed * size);
        assert!(agrees(&step));
        equations.damp(0.99 * lambda).expect("a large damping");
        let planted = equations.solve(&residual.entries).expect("finite");
        assert!(!agrees(&planted), "another damping would have passed");

        let moved: Vec<f64> = theta.iter().zip(&wanted).map(|(t, d)| t + d).collect();
        let linear = target.residual(&moved).loss.min(residual.loss);
        let trial = Levenberg::new().iterate(&target, &theta, &residual, &columns, damping);
        let trial = trial.expect("finite").expect("a step that lowers the loss");
        assert!(trial.residual.loss <= linear * (1.0 + 1e-10));
        assert_eq!(trial.residual.loss, target.residual(&trial.theta).loss);
    }
}

fn run(fit: &mut InitialFit) -> FitReport {
    loop {
        let report = fit.iterate().expect("finite");
        if report.done {
            return report;
        }
    }
}

/// Relative L2 error by the single-point evaluation of the ansatz on points of the test's own.
fn own_error(problem: &Problem, theta: &[f64]) -> f64 {
    let points = crate::problem::Points::random(&problem.coordinates, 500, 99);
    let evaluator = crate::field::cpu::Evaluator::<f64>::new(
        problem,
        &Network::of(problem),
        &points.coordinates,
    );
    let values = evaluator.field(theta, problem.time.start).values;
    let parameters = problem.parameter_values();
    let (mut difference, mut size) = (0.0, 0.0);
    for (i, u) in values.iter().enumerate() {
        let g = problem.initial[0].evaluate_at(points.point(i), problem.time.start, &parameters);
        difference += (u - g) * (u - g);
        size += g * g;
    }
    (difference / size).sqrt()
}

const MEDIUM: &str = "[network]\nwidth = 10\nhidden_layers = 2\n";

#[test]
fn a_sharp_periodic_state_is_fitted_in_few_iterations() {
    let initial = "tanh(2*sin(x))/3 - exp(-9*(x - pi/2)^2)";
    let settings = "[fit]\ntolerance = 1e-6\nmax_iterations = 150\ncount = 120";
    let problem = problem(PERIODIC, initial, &format!("{MEDIUM}{settings}"));
    let mut fit = InitialFit::new(&problem).expect("finite");
    let before = own_error(&problem, fit.parameters());
    let report = run(&mut fit);
    assert_eq!(report.reason, Some(FitReason::Tolerance), "{report:?}");
    assert!(own_error(&problem, fit.parameters()) < 2e-6);
    assert!(before > 0.1, "the error of the start is not small: {before}");
    assert_eq!(report.between, fit.between());
    assert_eq!(fit.iterate().expect("finite"), report, "a fit that is done stays as it is");
}

#[test]
fn dirichlet_and_two_dimensional_states_are_fitted() {
    let initial = "x*0.25 + sin(pi*x)*cos(pi*y)";
    let settings = "[fit]\ntolerance = 1e-5\nmax_iterations = 100\ncount = 12";
    let problem = problem(MIXED, initial, &format!("{MEDIUM}{settings}"));
    let mut fit = InitialFit::new(&problem).expect("finite");
    let report = run(&mut fit);
    assert_eq!(report.reason, Some(FitReason::Tolerance), "{report:?}");
    assert!(own_error(&problem, fit.parameters()) < 2e-5);
}

/// Too few points for the state: the error between them shows it, and the points are refined.
#[test]
fn points_are_refined_where_the_state_is_not_resolved() {
    let settings = "[fit]\ntolerance = 1e-4\nmax_iterations = 200\ncount = 16";
    let problem = problem(PERIODIC, "exp(-40*(x - 3)^2)", &format!("{MEDIUM}{settings}"));
    let mut fit = InitialFit::new(&problem).expect("finite");
    let mut refined = 0;
    let report = loop {
        let report = fit.iterate().expect("finite");
        refined += usize::from(report.event == Some(FitEvent::Refined));
        if report.done {
            break report;
        }
    };
    assert!(refined > 0 && report.points > 16, "{report:?}");
    assert!(report.reason == Some(FitReason::Tolerance), "{report:?}");
}

#[test]
fn a_restored_fit_goes_on_to_the_same_bits() {
    for method in ["levenberg-marquardt", "lbfgs-adam"] {
        let settings =
            format!("[fit]\nmethod = '{method}'\ntolerance = 1e-12\nmax_iterations = 20");
        let problem = problem(PERIODIC, "exp(sin(x))", &format!("{SMALL}{settings}"));
        let mut whole = InitialFit::new(&problem).expect("finite");
        for _ in 0..5 {
            whole.iterate().expect("finite");
        }
        let mut early = InitialFit::restore(&problem, &whole.save()).expect("its own state");
        for _ in 5..14 {
            assert_eq!(whole.iterate(), early.iterate(), "{method}");
        }
        let mut late = InitialFit::restore(&problem, &whole.save()).expect("its own state");
        let (report, same) = (run(&mut whole), run(&mut late));
        assert_eq!(report, same, "{method}");
        assert_eq!(whole.save(), late.save(), "{method}");
        assert_eq!(report.reason, Some(FitReason::MaxIterations), "{report:?}");
    }
}

#[test]
fn a_damaged_state_is_refused() {
    let problem = problem(PERIODIC, "exp(sin(x))", SMALL);
    let fit = InitialFit::new(&problem).expect("finite");
    for entry in ["fit.numbers", "fit.parameters", "fit.best", "fit.counts", "fit.lbfgs"] {
        let mut state = fit.save();
        state.insert(entry.to_owned(), vec![f64::NAN]);
        let error = InitialFit::restore(&problem, &state).err();
        assert_eq!(error, Some(FitError::State { entry }));
    }
}

#[test]
fn the_published_method_lowers_the_loss_in_both_phases() {
    let settings =
        "[fit]\nmethod = 'lbfgs-adam'\ntolerance = 1e-9\nmax_iterations = 120\ncount = 60";
    let problem = problem(PERIODIC, "exp(sin(x))", &format!("{SMALL}{settings}"));
    let mut fit = InitialFit::new(&problem).expect("finite");
    let first = fit.iterate().expect("finite");
    let report = run(&mut fit);
    assert!(fit.progress.adam.is_some());
    assert!(report.loss < 0.01 * first.loss, "{first:?} {report:?}");
}

#[test]
fn a_state_that_is_not_finite_is_named_with_its_place() {
    let problem = problem("x = { range = [-1, 1] }", "sin(x)/x", SMALL);
    let error = InitialFit::new(&problem).err().expect("0/0 in the middle");
    assert!(matches!(error, FitError::TargetNotFinite { .. }));
    assert!(error.to_string().contains("at x = 0:"), "{error}");
}

#[test]
fn a_fit_beyond_memory_is_refused() {
    let problem = problem(PERIODIC, "sin(x)", "[fit]\ncount = 1_000_000");
    assert!(matches!(InitialFit::new(&problem), Err(FitError::TooLarge { .. })));
}

/// A state without a derivative somewhere is fitted by its values there; the zero state too.
#[test]
fn kinks_and_zero_have_finite_targets() {
    for initial in ["sqrt(x)", "x", "0"] {
        let (target, theta) = target_of(&problem("x = { range = [0, 1] }", initial, SMALL), 9);
        let residual = target.residual(&theta);
        assert!(residual.loss.is_finite(), "{initial}");
        // The first point is on the seam; its derivative comes after the nine values.
        let left_out = residual.entries[9] == 0.0;
        assert_eq!(left_out, initial == "sqrt(x)", "{initial}");
    }
}

#[test]
fn the_key_changes_with_what_the_fit_depends_on_and_with_nothing_else() {
    let key = |name: &str, value: &str| {
        let overrides = vec![(name.to_owned(), value.to_owned())];
        let text = "format = 1\n[equation]\ntext = 'u_t = k*u_xx'\n[domain]\n\
                    x = { range = [0, 1] }\n[time]\nend = 1\n[parameters]\nk = 0.5\na = 2\n\
                    [initial]\nu = 'a*sin(2*pi*x)'\n[run]\nseed = 0\n[network]\nwidth = 9\n\
                    [fit]\ntolerance = 1e-5\n[method]\nstep = 0.1\n";
        fit_key(&Problem::from_toml(text, &overrides).expect("a problem"))
    };
    let plain = key("run.seed", "0");
    for (name, value) in [
        ("run.seed", "1"),
        ("network.width", "8"),
        ("parameters.a", "3"),
        ("fit.tolerance", "1e-6"),
    ] {
        assert_ne!(plain, key(name, value), "{name}");
    }
    for (name, value) in [("parameters.k", "0.25"), ("method.step", "0.2")] {
        assert_eq!(plain, key(name, value), "{name}");
    }
}

/// x^2 cos(pi x) goes on periodically with a kink: its slope at -1 is 2 and at 1 it is -2. The fit
/// says where, and ends long before its iterations do.
#[test]
fn a_kink_is_named_and_its_fit_ends_early() {
    let of = |initial: &str| {
        let text = format!(
            "format = 1\n[equation]\ntext = 'u_t = u_xx'\n[domain]\nx = {{ range = [-1, 1] }}\n\
             [time]\nend = 1\n[initial]\nu = '{initial}'\n[network]\nwidth = 12\n\
             hidden_layers = 1\n[fit]\ntolerance = 1e-9\nmax_iterations = 2000"
        );
        Problem::from_toml(&text, &Vec::new()).expect("a problem")
    };
    let kinked = of("x^2*cos(pi*x)");
    assert_eq!(kinks(&kinked), ["a kink on the seam x = -1"]);
    assert_eq!(kinks(&of("x")), ["a jump on the seam x = -1"]);
    assert!(kinks(&of("exp(cos(pi*x))")).is_empty());
    let mut fit = InitialFit::new(&kinked).expect("begins");
    let report = loop {
        let report = fit.iterate().expect("goes on");
        if report.done {
            break report;
        }
    };
    assert_eq!(report.reason, Some(FitReason::Stalled));
    assert!(report.between < 1e-2 && report.iteration < 1500, "{report:?}");
}

#[test]
fn a_fit_out_of_reach_is_one_whose_pace_does_not_do() {
    // Each iteration halves the loss, or takes a thousandth of it.
    let run = |factor: f64| -> Vec<f64> { (0..100).map(|k| factor.powi(k)).collect() };
    assert!(!out_of_reach(&run(0.5), 1e-30, 200));
    assert!(out_of_reach(&run(0.999), 1e-6, 1000));
    assert!(!out_of_reach(&run(0.999), 1e-6, 100_000));
    assert!(out_of_reach(&run(1.0), 1e-6, 100_000), "nothing falls");
    assert!(!out_of_reach(&run(1.0)[..PATIENCE], 1e-6, 10), "too early to say");
}
