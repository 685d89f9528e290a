//! How it is solved: columns, points, steps, cutoff, network.

use egui::Ui;
use sketchpde::problem::{Choice, Integrator, PointLayout, Sampling, Scheme, Solver, Update};
use sketchpde::session::Phase;

use super::picture::switch;
use crate::app::state::{Action, State};
use crate::link::Backend;
use crate::widgets::{Commit, Range, choice, hint, setting};

/// Every setting of the method, each acting from the next step on where that is possible.
pub fn method(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if state.mirror.problem.method.scheme == Scheme::RandomFeatures {
        scheme(ui, state, actions);
        tolerance(ui, state, actions);
        return;
    }
    update(ui, state, actions);
    sizes(ui, state, actions);
    steps(ui, state, actions);
    network(ui, state, actions);
    egui::CollapsingHeader::new("Least squares, draws, refits")
        .show(ui, |ui| comparisons(ui, state, actions));
}

fn change(actions: &mut Vec<Action>, key: &str, value: impl ToString) {
    actions.push(Action::Change { key: key.into(), value: value.to_string() });
}

/// A run that is over begins anew with every change: not while something is dragged.
fn live(state: &State) -> Commit {
    match state.mirror.phase() {
        Phase::Done | Phase::Failed => Commit::OnRelease,
        Phase::Fit | Phase::Steps | Phase::Training => Commit::AtOnce,
    }
}

fn update(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let method = &state.mirror.problem.method;
    let updates = [
        (Update::RandomSparse, "Random sparse", "Each step changes s parameters, drawn at random"),
        (Update::Dense, "Dense", "Each step changes every parameter"),
    ];
    if let Some(update) = choice(ui, "Update", method.update, &updates) {
        change(actions, "method.update", update.word());
    }
    scheme(ui, state, actions);
    let integrators = [
        (Integrator::Auto, "Auto", "DP5 or ROS4, whichever the equation's stiffness asks for"),
        (Integrator::Euler, "Euler", "First order"),
        (Integrator::Rk4, "RK4", "Fourth order"),
        (Integrator::DormandPrince, "DP5", "Dormand-Prince: fifth order, with an error estimate"),
        (Integrator::Rosenbrock3, "ROS3", "Linearly implicit, third order: for stiff equations"),
        (Integrator::Rosenbrock4, "ROS4", "Linearly implicit, fourth order: for stiff equations"),
    ];
    if let Some(integrator) = choice(ui, "Integrator", method.integrator, &integrators) {
        change(actions, "method.integrator", integrator.word());
    }
    ui.add_space(4.0);
}

fn scheme(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let now = state.mirror.problem.method.scheme;
    let schemes = [
        (
            Scheme::StageFit,
            "Stage fit",
            "Runge-Kutta for the solution; the network is fitted to each step",
        ),
        (Scheme::ParameterOde, "Parameter ODE", "Runge-Kutta for the parameters, as published"),
        (
            Scheme::RandomFeatures,
            "Random features",
            "A layer of sines stays as it was drawn; the run begins anew",
        ),
    ];
    if let Some(scheme) = choice(ui, "Scheme", now, &schemes) {
        change(actions, "method.scheme", scheme.word());
    }
}

fn sizes(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let problem = &state.mirror.problem;
    let method = &problem.method;
    let all = state.mirror.network.parameters();
    if method.update == Update::RandomSparse {
        let now = state.mirror.latest_columns();
        let kinds = [
            (false, "Fixed s", "Each step changes as many parameters"),
            (true, "Chosen s", "As many parameters as the Jacobian's rank and the fits ask for"),
        ];
        if let Some(chosen) = choice(ui, "Columns", method.adaptive_columns, &kinds) {
            let fixed = now.unwrap_or(method.columns);
            let value = if chosen { "auto".into() } else { fixed.to_string() };
            change(actions, "method.columns", value);
        }
        if let Some(now) = now.filter(|_| method.adaptive_columns) {
            hint(ui, format!("s = {now} parameters in the latest step"));
        }
    }
    if method.update == Update::RandomSparse && !method.adaptive_columns {
        let range = Range::integer(1.0..=all as f64);
        let what = ["s", "parameters per step", "Fewer are faster; all of them is dense"];
        let s = setting(ui, what, method.columns as f64, &range, live(state));
        if let Some(s) = s {
            change(actions, "method.columns", s as usize);
        }
    }
    let layouts = [
        (PointLayout::Grid, "Equispaced", "The points stay where they are"),
        (PointLayout::Following, "Following", "The points gather where the solution bends"),
    ];
    let layout = problem.points.layout;
    // In more dimensions a grid's number of points is another one.
    let known = problem.dimensions() == 1 && layouts.iter().any(|(known, ..)| *known == layout);
    if known && let Some(layout) = choice(ui, "Points", layout, &layouts) {
        change(actions, "points.layout", layout.word());
    }
    let each = problem.points.count.first().copied().unwrap_or(1) as f64;
    let (words, most) = match (layout, problem.dimensions()) {
        (PointLayout::Grid | PointLayout::Following, 1) => ("points", 1_000.0),
        (PointLayout::Grid, _) => ("points per axis", 48.0),
        _ => ("points", 4_000.0),
    };
    let range = Range::integer(8.0..=f64::max(most, each));
    let what = ["n", words, "Where the equation is to hold; the run begins anew"];
    if let Some(n) = setting(ui, what, each, &range, Commit::OnRelease) {
        change(actions, "points.count", n as usize);
    }
}

fn tolerance(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(tolerance) = state.mirror.problem.method.tolerance else { return };
    let range = Range::logarithmic(1e-12..=1e-2);
    let what = ["tol", "error per step", "The step length is chosen for it"];
    if let Some(t) = setting(ui, what, tolerance, &range, live(state)) {
        change(actions, "method.tolerance", format!("{t:e}"));
    }
}

fn steps(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let problem = &state.mirror.problem;
    let method = &problem.method;
    let span = problem.time.end - problem.time.start;
    match method.tolerance {
        None => {
            let range = Range::logarithmic(1e-5 * span..=0.1 * span);
            let what = ["Δt", "time step", "Length of a time step"];
            if let Some(step) = setting(ui, what, method.step, &range, live(state)) {
                change(actions, "method.step", format!("{step:e}"));
            }
        }
        Some(_) => tolerance(ui, state, actions),
    }
    let range = Range::logarithmic(1e-12..=1e-1);
    let what =
        ["rcond", "cutoff", "Singular values below this times the largest are damped or left out"];
    if let Some(rcond) = setting(ui, what, method.rcond, &range, live(state)) {
        change(actions, "method.rcond", format!("{rcond:e}"));
    }
    let kinds = [
        (false, "Fixed steps", "Every step has the same length"),
        (true, "Adaptive steps", "Steps as long as the tolerance allows"),
    ];
    if let Some(adaptive) = choice(ui, "Steps", method.tolerance.is_some(), &kinds) {
        change(actions, "method.tolerance", if adaptive { "1e-6" } else { "0" });
    }
    ui.add_space(6.0);
}

fn network(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let settings = &state.mirror.problem.network;
    let what = "The run begins anew, with a fit";
    for (name, key, value, most) in [
        ("Width", "network.width", settings.width, 40.0),
        ("Hidden layers", "network.hidden_layers", settings.hidden_layers, 6.0),
    ] {
        let range = Range::integer(1.0..=f64::max(most, value as f64));
        if let Some(v) = setting(ui, [name, "", what], value as f64, &range, Commit::OnRelease) {
            change(actions, key, v as usize);
        }
    }
    backend(ui, state, actions);
    ui.add_space(4.0);
    hint(ui, format!("Seed {}", state.mirror.problem.seed));
}

const SOLVERS: [(Solver, &str); 7] = [
    (Solver::Auto, "By the size of the problem"),
    (Solver::Gram, "Directly, by the normal equations"),
    (Solver::PivotedQr, "Directly, by QR with column pivoting"),
    (Solver::Svd, "Directly, by singular values: the slowest and the most exact"),
    (Solver::SketchAndSolve, "Of fewer equations, mixed at random"),
    (Solver::SketchedLsqr, "By iterations that a sketch of the equations makes few"),
    (Solver::NystromCg, "By conjugate gradients with a Nystrom preconditioner, as Neural-IVP"),
];
const DRAWS: [(Sampling, &str); 5] = [
    (Sampling::Uniform, "Every parameter with the same chance, as published"),
    (Sampling::ByLayer, "As many parameters of each layer"),
    (
        Sampling::Leverage,
        "Rather the parameters that add what no others can, measured in every step",
    ),
    (Sampling::PivotedQr, "The parameters that a QR factorisation chooses in every step"),
    (Sampling::Gaussian, "All parameters, along s random directions"),
];

/// What published methods do otherwise.
fn comparisons(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let method = &state.mirror.problem.method;
    hint(ui, "For comparisons; the run begins anew with each.");
    if let Some(solver) = words(ui, "Least squares by", method.solver, &SOLVERS) {
        change(actions, "method.solver", solver);
    }
    if method.update == Update::RandomSparse
        && let Some(sampling) = words(ui, "Parameters drawn", method.sampling, &DRAWS)
    {
        change(actions, "method.sampling", sampling);
    }
    let every = method.refit_every.unwrap_or(0) as f64;
    let what = "A fresh network is fitted to the solution after so many steps; 0: never";
    let range = Range::integer(0.0..=200.0);
    if let Some(every) = setting(ui, ["Refit", "steps", what], every, &range, Commit::OnRelease) {
        change(actions, "method.refit_every", every as usize);
    }
}

/// A choice by the words of problem files; gives another one when it is clicked.
fn words<T: Choice + Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    chosen: T,
    options: &[(T, &str)],
) -> Option<&'static str> {
    hint(ui, name);
    let mut picked = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(5.0, 5.0);
        for (option, explanation) in options {
            let on = *option == chosen;
            if switch(ui, on, option.word(), explanation) && !on {
                picked = Some(option.word());
            }
        }
    });
    ui.add_space(4.0);
    picked
}

/// Where to compute.
pub(super) fn backend(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let backends = [
        (Backend::Auto, "Auto", "A hardware GPU where there is one, else the CPU"),
        (Backend::Cpu, "CPU", "SIMD and threads"),
        (Backend::Gpu(None), "GPU", "Any adapter, software ones included"),
    ];
    let numbered: Vec<(usize, &str, &str)> =
        backends.iter().enumerate().map(|(k, (_, word, what))| (k, *word, *what)).collect();
    let chosen = backends.iter().position(|(b, ..)| *b == state.backend).unwrap_or(0);
    if let Some(k) = choice(ui, "Backend", chosen, &numbered) {
        actions.push(Action::Backend(backends[k].0.clone()));
    }
}
