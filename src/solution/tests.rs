//! Answers against exact solutions, finite differences and the run's own frames.

use super::*;
use crate::field::device::Backend;
use crate::problem::Overrides;
use crate::session::{Activity, Options, Recording, Session, Solver, Start, TrainingSession};

/// A travelling, decaying wave between two moving ends: lift, distance and time all play a part.
const WAVE: &str = r#"
format = 1
name = "wave"
[equation]
text = "u_t = kappa*u_xx - c*u_x"
[domain]
x = { range = [0, 2], boundary = "dirichlet", lower = "-exp(-kappa*t)*sin(c*t)", upper = "exp(-kappa*t)*sin(2 - c*t)" }
[time]
end = 0.4
[parameters]
kappa = 0.05
c = 1
[exact]
u = "exp(-kappa*t)*sin(x - c*t)"
[network]
width = 6
hidden_layers = 2
activation = "tanh"
[points]
count = 60
[method]
columns = 60
step = 0.01
rcond = 1e-5
"#;

fn still() -> f64 {
    0.0
}

fn run(text: &str) -> Session {
    let problem = Problem::from_toml(text, &Overrides::new()).expect("a problem");
    let problem = ProblemFile::Evolution(problem);
    let solver = pollster::block_on(Solver::open(problem, &Backend::Cpu)).expect("a CPU");
    let options = Options { start: Start::Beginning, frames: 20, clock: still };
    let mut session = pollster::block_on(Session::new(solver, options)).expect("a run");
    while pollster::block_on(session.advance(1.0)) == Activity::Busy {}
    assert!(session.failure().is_none(), "{:?}", session.failure());
    session
}

fn record(session: &Session) -> &Recording {
    session.recording().expect("an evolution")
}

#[test]
fn an_evolution_answers_as_its_frames_and_between_them() {
    let session = run(WAVE);
    let solution = Solution::of_session(&session).expect("parameters");
    assert_eq!(solution.times(), record(&session).frames().times());
    assert_eq!(solution.times().len(), 21);
    let grid = record(&session).grid().coordinates();
    for k in [0, 7, 20] {
        let time = record(&session).frames().times()[k];
        let values = solution.at(time, grid).expect("inside");
        let worst =
            values.iter().zip(record(&session).frames().frame(k)).map(|(a, b)| (a - b).abs());
        assert!(worst.fold(0.0, f64::max) < 1e-13, "t = {time}");
    }
    // Half way between two kept times, against the exact solution and by its own estimate.
    let (time, x) = (0.231_f64, [0.3_f64, 1.0, 1.7]);
    let exact = |x: f64| (-0.05 * time).exp() * (x - time).sin();
    let what = solution.unknowns();
    let answer = solution.ask(&what, &[time], &x).expect("inside");
    let own = solution.at(0.24, &x).expect("inside");
    for ((&x, &u), &later) in x.iter().zip(&answer.values[0]).zip(&own) {
        assert!((u - exact(x)).abs() < 2e-4, "u({x}) = {u}, not {}", exact(x));
        assert!((u - later).abs() > 1e-4, "another time has another value");
    }
    assert!(answer.interpolation_error.is_some_and(|e| e < 1e-4), "{answer:?}");
}

#[test]
fn derivatives_are_those_of_differences() {
    let solution = Solution::of_session(&run(WAVE)).expect("parameters");
    let t = solution.times()[10];
    let at = |x: f64| solution.at(t, &[x]).expect("inside")[0];
    // Of fourth order: the error is about h^4 u''''' / 30, rounding about 1e-16 / h^2.
    let h = 1e-3;
    for x in [0.2, 0.9, 1.8] {
        let [a, b, c, d, e] = [-2.0, -1.0, 0.0, 1.0, 2.0].map(|k| at(x + k * h));
        let first = (a - 8.0 * b + 8.0 * d - e) / (12.0 * h);
        let second = (-a + 16.0 * b - 30.0 * c + 16.0 * d - e) / (12.0 * h * h);
        let of = |text: &str| solution.derivative(text, Some(t), &[x]).expect("inside")[0];
        assert!((of("u_x") - first).abs() < 1e-9, "u_x at {x}");
        assert!((of("u_xx") - second).abs() < 1e-7, "u_xx at {x}");
        assert!((of("u*u_x + x") - (c * first + x)).abs() < 1e-8);
        assert!((of("u_t") - (0.05 * of("u_xx") - of("u_x"))).abs() < 1e-13);
        // The planted error: the wrong derivative is told apart.
        assert!((of("u_xx") - first).abs() > 1e-3);
    }
}

const HEAT: &str = r#"
format = 1
[domain]
t = { range = [0, 1] }
x = { range = [0, 1] }
[residual.interior]
equation = "u_t = 0.1*u_xx"
points = { layout = "grid", count = 12 }
[residual.initial]
on = "t = 0"
equation = "u = sin(pi*x)"
points = { count = 20 }
[residual.sides]
on = ["x = 0", "x = 1"]
equation = "u = 0"
points = { count = 20 }
[network]
layers = [10]
[method]
iterations = 40
"#;

#[test]
fn a_training_answers_at_any_time() {
    let problem = ResidualProblem::from_toml(HEAT, &Overrides::new()).expect("a problem");
    let mut session = pollster::block_on(TrainingSession::new(&problem, still)).expect("finite");
    while pollster::block_on(session.iterate()).expect("finite").reason.is_none() {}
    let solution = Solution::of_training(&session);
    assert_eq!(solution.coordinates(), ["x"]);
    assert_eq!(solution.time_span(), Some([0.0, 1.0]));
    let exact = |t: f64, x: f64| {
        use std::f64::consts::PI;
        (-0.1 * PI * PI * t).exp() * (PI * x).sin()
    };
    let x = [0.11, 0.5, 0.83];
    for t in [0.0, 0.37, 1.0] {
        for (u, &x) in solution.at(t, &x).expect("inside").iter().zip(&x) {
            assert!((u - exact(t, x)).abs() < 2e-3, "u({t}, {x}) = {u}");
        }
    }
    let [rate, bend] = ["u_t", "u_xx"].map(|q| solution.derivative(q, Some(0.4), &x).unwrap());
    let h = 1e-4;
    let (before, after) = (solution.at(0.4 - h, &x).unwrap(), solution.at(0.4 + h, &x).unwrap());
    for i in 0..3 {
        assert!((rate[i] - (after[i] - before[i]) / (2.0 * h)).abs() < 1e-6);
        assert!((rate[i] - 0.1 * bend[i]).abs() < 2e-2);
    }
    // Times of their own, in any order, give what each alone gives.
    let both = solution.ask(&solution.unknowns(), &[0.9, 0.1, 0.9], &x).expect("inside");
    for (i, t) in [0.9, 0.1, 0.9].into_iter().enumerate() {
        assert_eq!(both.values[0][i], solution.at(t, &x[i..=i]).unwrap()[0]);
    }
}

#[test]
fn questions_without_an_answer_say_why() {
    let solution = Solution::of_session(&run(WAVE)).expect("parameters");
    let says = |result: Result<Vec<f64>, SolutionError>, parts: &[&str]| {
        let said = result.expect_err("no answer").to_string();
        parts.iter().for_each(|part| assert!(said.contains(part), "no {part} in: {said}"));
    };
    says(solution.at(0.1, &[0.5, 2.5]), &["point 1", "x = 2.5", "from 0 to 2"]);
    says(solution.at(0.1, &[f64::NAN]), &["point 0", "NaN"]);
    says(solution.at(0.5, &[0.5]), &["t = 0.5", "from 0 to 0.4"]);
    says(solution.derivative("u_y", None, &[0.5]), &["`u_y`", "the coordinates are x"]);
    says(solution.derivative("v_x", None, &[0.5]), &["`v_x`", "help"]);
}
