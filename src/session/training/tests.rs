//! Sessions of small trainings on the CPU.

use super::*;
use crate::optimize::StopReason;
use crate::problem::equation::{Role, parse_expression};

fn problem(domain: &str, iterations: usize) -> ResidualProblem {
    let text = format!(
        "format = 1\n[domain]\n{domain}\n[residual.interior]\nequation = 'u = x'\n\
         points = {{ layout = 'grid', count = 8 }}\n[exact]\nu = 'x'\n[evaluation]\ncount = 9\n\
         [network]\nlayers = [5]\n[method]\nname = 'lm'\ncorrection = false\niterations = {iterations}"
    );
    ResidualProblem::from_toml(&text, &Vec::new()).expect("a problem")
}

/// A clock that stands still: times are not tested.
fn still() -> f64 {
    0.0
}

#[test]
fn errors_are_measured_on_the_way_and_at_the_end() {
    let problem = problem("x = { range = [0, 1] }", 12);
    let mut session = pollster::block_on(TrainingSession::new(&problem, still)).expect("finite");
    while pollster::block_on(session.iterate()).expect("finite").reason.is_none() {}
    assert_eq!(session.report().reason, Some(StopReason::MaxIterations));
    let measured: Vec<usize> = session
        .history()
        .records
        .iter()
        .filter(|r| r.error.is_some())
        .map(|r| r.iteration)
        .collect();
    assert_eq!(measured, [1, 5, 10, 12]);
    let field = session.field().expect("a grid");
    let error = |values: &[f64]| {
        let x = &field.axes[0].values;
        let squares = values.iter().zip(x).map(|(u, x)| (u - x).powi(2)).sum::<f64>();
        (squares / x.iter().map(|x| x * x).sum::<f64>()).sqrt()
    };
    let (own, reported) = (error(&field.values), session.error().expect("an exact solution"));
    assert!((own - reported).abs() <= 1e-12 + 1e-9 * own, "{own} {reported}");
    assert!(own < 1e-3, "{own}");
    assert_eq!(session.status().iteration, 12);
}

/// -(k u')' = f with a piecewise linear k from a table, and f for u = sin(pi x) worked out by hand on
/// each side of its kink.
#[test]
fn a_coefficient_from_a_table_is_solved_with() {
    let text = "format = 1\n[domain]\nx = { range = [0, 1] }\n\
                [tables.k]\naxes = { x = [0, 1] }\nvalues = [1, 2, 1]\n\
                [residual.interior]\nequation = '-d(k(x)*u_x, x) = pi*if(x < 1/2, \
                (1 + 2*x)*pi*sin(pi*x) - 2*cos(pi*x), (3 - 2*x)*pi*sin(pi*x) + 2*cos(pi*x))'\n\
                [residual.ends]\non = 'boundary'\nequation = 'u = 0'\n\
                [network]\nlayers = [8, 8]\n[method]\niterations = 12\n";
    let error = |text: &str| {
        let mut problem = ResidualProblem::from_toml(text, &Vec::new()).expect("a problem");
        // Not in the file, whose check would refuse the planted error.
        let sine = parse_expression("sin(pi*x)", &problem.names(), Role::Known).expect("a sine");
        problem.exact = Some(vec![sine]);
        let mut session =
            pollster::block_on(TrainingSession::new(&problem, still)).expect("starts");
        while pollster::block_on(session.iterate()).expect("finite").reason.is_none() {}
        session.error().expect("an exact solution")
    };
    let found = error(text);
    assert!(found < 1e-11, "{found:.1e}");
    let planted = error(&text.replace("[1, 2, 1]", "[1, 2, 1.000001]"));
    assert!(planted > 1e-8, "{planted:.1e}");
}

/// A training ends where a correction takes the rest to round-off, long before its iterations are done; a
/// saved end, and one that was saved on the way there, lead to the same answer, and a training whose corrections are left out goes on.
#[test]
fn a_training_ends_where_its_correction_goes_to_round_off() {
    let text = "format = 1\n[domain]\nx = { range = [0, 1] }\n\
                [residual.interior]\nequation = '-u_xx + u^3 = pi^2*sin(pi*x) + sin(pi*x)^3'\n\
                [residual.ends]\non = 'boundary'\nequation = 'u = 0'\n\
                [exact]\nu = 'sin(pi*x)'\n[network]\nlayers = [12, 12]\n";
    let problem = |rest: &str| {
        let text = format!("{text}[method]\niterations = 70\n{rest}");
        ResidualProblem::from_toml(&text, &Vec::new()).expect("a problem")
    };
    let run = |problem: &ResidualProblem| {
        let mut session = pollster::block_on(TrainingSession::new(problem, still)).expect("starts");
        while pollster::block_on(session.iterate()).expect("finite").reason.is_none() {}
        session
    };
    let session = run(&problem(""));
    assert_eq!(session.report().reason, Some(StopReason::RoundOff));
    assert!(session.status().iteration <= 64);
    assert_eq!(session.convergence(), Convergence::Converged);
    let error = session.error().expect("an exact solution");
    assert!(error < 1e-12, "{error:.1e}");
    let restored = async { TrainingSession::restore(&problem(""), &session.save(), still).await };
    let restored = pollster::block_on(restored).expect("the same problem");
    assert_eq!((restored.parameters(), restored.error()), (session.parameters(), Some(error)));

    // In the middle of the search for what needs no training.
    let begun = async {
        let mut begun = TrainingSession::new(&problem(""), still).await?;
        begun.iterate().await?;
        TrainingSession::restore(&problem(""), &begun.save(), still).await
    };
    let mut begun = pollster::block_on(begun).expect("the same problem");
    while pollster::block_on(begun.iterate()).expect("finite").reason.is_none() {}
    assert_eq!(begun.status().iteration, session.status().iteration);
    assert_eq!(begun.parameters(), session.parameters());
    assert!(session.status().iteration > 1 && session.correction().is_some_and(|c| c.waves > 0));

    let session = run(&problem("correction = false"));
    assert_ne!(session.report().reason, Some(StopReason::RoundOff));
    assert!(session.error().expect("an exact solution") > 10.0 * error);
}

#[test]
fn a_first_coordinate_t_is_the_time_of_the_field() {
    let domain = "t = { range = [0, 2] }\nx = { range = [-1, 1] }";
    let session =
        pollster::block_on(TrainingSession::new(&problem(domain, 1), still)).expect("finite");
    let field = session.field().expect("a grid");
    assert_eq!((field.times.len(), field.axes.len()), (9, 1));
    assert_eq!((field.times[8], field.axes[0].values[0]), (2.0, -1.0));
    // The exact solution is x at every time.
    let reference = field.reference.as_ref().expect("exact");
    for row in reference.chunks(9) {
        assert_eq!(row, field.axes[0].values.as_slice());
    }
}

/// Also where the checkpoint falls between two redraws of the points.
#[test]
fn a_restored_session_goes_on_to_the_same_bits() {
    let fixed = problem("x = { range = [0, 1] }", 9);
    let layout = (
        "points = { layout = 'grid', count = 8 }",
        "points = { layout = 'random', count = 8, resample = 3 }",
    );
    let redrawn =
        ResidualProblem::from_toml(&fixed.source.replace(layout.0, layout.1), &Vec::new())
            .expect("a problem");
    assert_ne!(fixed.blocks, redrawn.blocks);
    for problem in [fixed, redrawn] {
        restored_goes_on(&problem, 4);
    }
}

/// A training in f32 comes to the noise of its precision, changes it, says so, and gets further;
/// also where it is interrupted after the change.
#[test]
fn single_precision_goes_on_as_mixed_when_it_stalls() {
    let double = problem("x = { range = [0, 1] }", 60);
    let precision = vec![("run.precision".to_owned(), "f32".to_owned())];
    let single = ResidualProblem::from_toml(&double.source, &precision).expect("a problem");
    let mut session = pollster::block_on(TrainingSession::new(&single, still)).expect("finite");
    while pollster::block_on(session.iterate()).expect("finite").reason.is_none() {}
    let after = session.mixed_after.expect("it stalls");
    assert_eq!(session.precision(), format!("f32, mixed after iteration {after}"));
    let losses: Vec<f64> = session.history().records.iter().map(|r| r.loss).collect();
    let [at_change, last] = [losses[after - 1], losses[losses.len() - 1]];
    assert!(last < 0.5 * at_change, "{at_change} {last}");
    restored_goes_on(&single, after + 3);
}

fn restored_goes_on(problem: &ResidualProblem, interruption: usize) {
    let mut whole = pollster::block_on(TrainingSession::new(problem, still)).expect("finite");
    for _ in 0..interruption {
        pollster::block_on(whole.iterate()).expect("finite");
    }
    let state = whole.save();
    let mut rest =
        pollster::block_on(TrainingSession::restore(problem, &state, still)).expect("its own");
    for _ in 0..5 {
        assert_eq!(
            pollster::block_on(whole.iterate()).expect("finite"),
            pollster::block_on(rest.iterate()).expect("finite")
        );
    }
    assert_eq!(whole.save(), rest.save());
    let mut damaged = state;
    damaged.remove(SECONDS);
    assert!(pollster::block_on(TrainingSession::restore(problem, &damaged, still)).is_err());
}

/// Between two circles with a Robin condition on each, where the solution is a logarithm; the
/// field has values inside only.
#[test]
fn an_annulus_with_robin_sides_is_solved() {
    let text = |sign: &str| {
        format!(
            "format = 1\n[domain]\nx = {{ range = [-1, 1] }}\ny = {{ range = [-1, 1] }}\n\
             shape = 'outer - inner'\n[shapes]\nouter.disc = {{ centre = [0, 0], radius = 1 }}\n\
             inner.disc = {{ centre = [0, 0], radius = 0.5 }}\n\
             [residual.interior]\nequation = 'laplace(u) = 0'\npoints = {{ count = 300 }}\n\
             [residual.inner]\non = 'inner'\nequation = '{sign}u_n + u = log(0.5) - 2'\n\
             points = {{ count = 50 }}\n[residual.outer]\non = 'outer'\n\
             equation = 'u_n + 3*u = 1'\npoints = {{ count = 50 }}\n[evaluation]\ncount = 21\n\
             [network]\nlayers = [20, 20]\ninitialisation = 'glorot'\n[method]\niterations = 40"
        )
    };
    let trained = |sign: &str| {
        let problem = ResidualProblem::from_toml(&text(sign), &Vec::new()).expect("a problem");
        let mut session = pollster::block_on(TrainingSession::new(&problem, still)).expect("ok");
        let points = problem.evaluation_points();
        let exact = |x: &[f64]| (x[0] * x[0] + x[1] * x[1]).ln() / 2.0;
        session.compare_with(points.chunks(2).map(exact).collect());
        while pollster::block_on(session.iterate()).expect("finite").reason.is_none() {}
        session
    };
    let session = trained("");
    let error = session.error().expect("compared");
    assert!(error < 1e-4, "{error}");
    let wrong = trained("-").error().expect("compared");
    assert!(wrong > 0.1, "a normal of the wrong sign would be seen: {wrong}");
    let field = session.field().expect("a grid");
    let axis = &field.axes[0].values;
    for (index, value) in field.values.iter().enumerate() {
        let radius = axis[index / 21].hypot(axis[index % 21]);
        // On a circle rounding decides.
        if (radius - 0.5).abs().min((radius - 1.0).abs()) < 1e-9 {
            continue;
        }
        assert_eq!(value.is_finite(), radius > 0.5 && radius < 1.0, "{radius}");
        let exact = radius.ln();
        assert!(value.is_nan() || (value - exact).abs() < 1e-3, "{value} at {radius}");
    }
}

/// y' = -k y^2 with y(0) = 1, whose solution is 1 / (1 + k t), and ten values of k = 2 with noise.
const DECAY: &str = "format = 1\nunknown = 'y'\n[domain]\nt = { range = [0, 1] }\n\
    [parameters]\nk = { value = 1, find = true }\n\
    [residual.interior]\nequation = 'y_t = -k*y^2'\npoints = { count = 200 }\n\
    [residual.start]\non = 't = 0'\nequation = 'y = 1'\n\
    [residual.measured]\nweight = 1e-4\ndata = [DATA]\n\
    [network]\nlayers = [10, 10]\n[method]\niterations = 200\n";

fn decay(values: &[f64]) -> String {
    let row = |(i, y): (usize, &f64)| format!("[{}, {y}]", 0.1 * (i + 1) as f64);
    DECAY.replace("DATA", &values.iter().enumerate().map(row).collect::<Vec<_>>().join(", "))
}

/// The k of the least squares of the exact solutions, by bisection of the sum's derivative.
fn least_squares(values: &[f64]) -> f64 {
    let slope = |k: f64| -> f64 {
        let term = |(i, y): (usize, &f64)| {
            let t = 0.1 * (i + 1) as f64;
            let u = 1.0 / (1.0 + k * t);
            (u - y) * -t * u * u
        };
        values.iter().enumerate().map(term).sum()
    };
    let (mut low, mut high) = (0.5, 8.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if slope(middle) < 0.0 { low = middle } else { high = middle }
    }
    low
}

fn noisy(seed: u64, deviation: f64) -> Vec<f64> {
    let random = crate::random::Philox::new(seed, crate::random::Stream::Vectors);
    let value = |i: u32| {
        let exact = 1.0 / (1.0 + 0.2 * f64::from(i + 1));
        exact + deviation * random.normal(0, i)
    };
    (0..10).map(value).collect()
}

#[test]
fn a_constant_is_found_from_ten_noisy_values_and_kept() {
    let values = noisy(1, 0.02);
    let problem = ResidualProblem::from_toml(&decay(&values), &Vec::new()).expect("a problem");
    let mut session = pollster::block_on(TrainingSession::new(&problem, still)).expect("starts");
    assert_eq!(session.found()["k"], 1.0, "where it begins");
    for _ in 0..20 {
        pollster::block_on(session.iterate()).expect("finite");
    }
    let on_the_way = session.found()["k"];
    let saved = session.save();
    let mut again =
        pollster::block_on(TrainingSession::restore(&problem, &saved, still)).expect("restored");
    assert_eq!(again.found()["k"], on_the_way);
    while pollster::block_on(session.iterate()).expect("finite").reason.is_none() {}
    while pollster::block_on(again.iterate()).expect("finite").reason.is_none() {}
    let (found, wanted) = (session.found()["k"], least_squares(&values));
    assert_eq!(again.found()["k"], found, "to the same bits");
    assert!((found - wanted).abs() < 1e-4, "{found}, not {wanted}");
    // That of other data is another one.
    assert!((found - least_squares(&noisy(2, 0.02))).abs() > 1e-3);
    // What is asked of the solution is asked with what was found.
    let solution = crate::Solution::of_training(&session);
    let at = [0.2, 0.7];
    let slopes = solution.derivative("y_t + k*y^2", None, &at).expect("an expression");
    assert!(slopes.iter().all(|r| r.abs() < 1e-3), "{slopes:?}");
    assert!((solution.derivative("y_t + y^2", None, &at).expect("one")[0]).abs() > 0.1);
    let head = crate::output::description::of_training(&problem, session.parameters());
    assert_eq!(head["constants"], format!("{{\"k\":{found}}}"));
}

/// Methods that follow the gradient, natural or plain, move the constants as any other parameter.
#[test]
fn every_method_carries_the_constants() {
    let text = decay(&noisy(3, 0.01)).replace("count = 200", "count = 50");
    for method in Method::all() {
        let word = method.word();
        let change = vec![
            ("method.name".to_owned(), format!("'{word}'")),
            ("method.iterations".to_owned(), "6".to_owned()),
        ];
        let problem = ResidualProblem::from_toml(&text, &change).expect("a problem");
        let mut session =
            pollster::block_on(TrainingSession::new(&problem, still)).expect("starts");
        while pollster::block_on(session.iterate()).expect("finite").reason.is_none() {}
        let found = session.found()["k"];
        assert!((found - 1.0).abs() > 1e-4 && found.is_finite(), "{word} leaves it: {found}");
    }
}

fn trained(text: &str, change: &[(&str, &str)]) -> TrainingSession {
    let change = change.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let problem = ResidualProblem::from_toml(text, &change.collect()).expect("a problem");
    let mut session = pollster::block_on(TrainingSession::new(&problem, still)).expect("starts");
    while pollster::block_on(session.iterate()).expect("finite").reason.is_none() {}
    session
}

/// Thirty draws of the noise: the deviations that the runs say are those of what they find, and those of the
/// least squares of the exact solutions, whether the noise is given or told from the fit.
#[test]
fn the_uncertainty_of_a_constant_is_that_of_repeated_measurements() {
    const NOISE: f64 = 0.02;
    let small = [("network.layers", "[8]"), ("residual.interior.points.count", "60")];
    let exact: f64 = (1..=10)
        .map(|i| {
            let t = 0.1 * f64::from(i);
            (t / (1.0 + 2.0 * t).powi(2)).powi(2)
        })
        .sum::<f64>();
    let exact = NOISE / exact.sqrt();
    let (mut squares, mut within, mut estimated) = (0.0, 0, 0.0);
    for seed in 0..30 {
        let text = decay(&noisy(seed, NOISE));
        let given = text.replace("weight = 1e-4", &format!("noise = {NOISE}"));
        let session = trained(&given, &small);
        let known = session.uncertainty().expect("determined");
        assert_eq!(known.noise, [("measured".to_owned(), Some(NOISE), false)]);
        let deviation = known.deviations[0].expect("determined");
        let off = session.found()["k"] - 2.0;
        assert!((deviation / exact - 1.0).abs() < 0.2, "{deviation}, not {exact}");
        squares += (off / deviation).powi(2) / 30.0;
        within += usize::from(off.abs() < 2.0 * deviation);
        // All that the noise does is to move k.
        let along = |t: f64| t / (1.0 + 2.0 * t).powi(2);
        let mean =
            |f: &dyn Fn(f64) -> f64| (0..1000).map(|i| f(1e-3 * f64::from(i)).powi(2)).sum::<f64>();
        let moved = (mean(&along) / mean(&|t| 1.0 / (1.0 + 2.0 * t))).sqrt() * deviation;
        let said = known.relative_l2.expect("the noise is known");
        assert!((said / moved - 1.0).abs() < 0.15, "{said}, not {moved}");
        let estimate = session.estimate().expect("finite").relative_l2;
        assert!((0.9 * said..2.0 * said).contains(&estimate), "{estimate}, {said} by the noise");
        if seed < 8 {
            let session = trained(&text, &small);
            let known = session.uncertainty().expect("determined").clone();
            let (_, noise, told) = known.noise[0].clone();
            assert!(told, "from the fit");
            estimated += noise.expect("enough data").powi(2) / 8.0;
        }
    }
    // A deviation that is off by a factor of 3 is outside of both.
    assert!((0.6..1.5).contains(&squares.sqrt()), "{squares}");
    assert!(within >= 26, "{within} of 30");
    assert!((estimated.sqrt() / NOISE - 1.0).abs() < 0.3, "{}", estimated.sqrt());
}

/// What data do not determine is said, and has no deviation.
#[test]
fn constants_that_data_do_not_determine_are_told() {
    let both = decay(&noisy(4, 0.01))
        .replace(
            "k = { value = 1, find = true }",
            "k = { value = 1, find = true }\nm = { value = 1.5, find = true }",
        )
        .replace("-k*y^2", "-k*m*y^2")
        .replace("weight = 1e-4", "noise = 0.01");
    let session = trained(&both, &[]);
    let (found, known) = (session.found(), session.uncertainty().expect("known"));
    assert!((found["k"] * found["m"] - least_squares(&noisy(4, 0.01))).abs() < 1e-3, "{found:?}");
    assert_eq!(
        (known.deviations.clone(), known.free.clone()),
        (vec![None, None], vec![vec![0, 1]])
    );
    let said = session.warning().expect("a warning");
    assert!(said.contains("do not determine k and m one by one"), "{said}");

    // One value, and no other condition: the start makes up for any k.
    let one =
        decay(&[0.8]).replace("y = 1'", "y_t = -k*y^2'").replace("weight = 1e-4", "noise = 0.01");
    let session = trained(&one, &[]);
    assert_eq!(session.uncertainty().expect("known").deviations, [None]);
    assert!(session.warning().expect("a warning").contains("do not determine k:"));

    // Two that are told apart, with the correlation of the exact solution 1 / (a + k t).
    let two = decay(&noisy(5, 0.01))
        .replace(
            "k = { value = 1, find = true }",
            "k = { value = 1, find = true, range = [0, 5] }\na = { value = 0.5, find = true }",
        )
        .replace("y = 1'", "a*y = 1'")
        .replace("weight = 1e-4", "noise = 0.01");
    let session = trained(&two, &[]);
    let (found, known) = (session.found(), session.uncertainty().expect("known"));
    let (k, a) = (found["k"], found["a"]);
    let mut information = nalgebra::Matrix2::zeros();
    for i in 1..=10 {
        let t = 0.1 * f64::from(i);
        let slope = -nalgebra::Vector2::new(t, 1.0) / (a + k * t).powi(2);
        information += slope * slope.transpose() / 1e-4;
    }
    let wanted = information.try_inverse().expect("determined");
    for i in 0..2 {
        let deviation = known.deviations[i].expect("determined");
        assert!((deviation / wanted[(i, i)].sqrt() - 1.0).abs() < 0.02, "{deviation} {wanted}");
        assert!(((if i == 0 { k - 2.0 } else { a - 1.0 }) / deviation).abs() < 3.0, "{found:?}");
    }
    let correlation = wanted[(0, 1)] / (wanted[(0, 0)] * wanted[(1, 1)]).sqrt();
    assert!((known.correlation[(0, 1)] - correlation).abs() < 0.01, "{correlation}");
}
