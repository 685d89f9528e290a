//! Systems: several unknowns in one network, and equations of second order in time.

use super::dirichlet::{error, fitted};
use super::support::*;
use crate::problem::{Overrides, Problem};

/// Two substances that react and diffuse, for a while.
const BRUSSELATOR: &str = "format = 1\n[equation]\n\
    text = ['u_t = 1 + u^2*v - 4*u + 0.02*u_xx', 'v_t = 3*u - u^2*v + 0.02*v_xx']\n\
    [domain]\nx = { range = [0, 1] }\n[time]\nend = 0.3\n\
    [initial]\nu = '1 + 0.5*sin(2*pi*x)'\nv = '3'\n\
    [network]\nwidth = 10\nhidden_layers = 1\nactivation = 'tanh'\n[points]\ncount = 40\n\
    [fit]\ntolerance = 1e-6\n\
    [method]\nscheme = 'stage-fit'\nupdate = 'dense'\ncolumns = 100\nrcond = 1e-7\n\
    corrections = 6\nintegrator = 'dormand-prince'\ntolerance = 1e-6\n";

#[test]
fn a_reaction_of_two_substances_follows_its_spectral_reference() {
    for (overrides, bound) in [
        (&[][..], 1e-4),
        (&[("method.update", "random-sparse"), ("method.columns", "90")][..], 1e-4),
        (&[("method.integrator", "rosenbrock-4"), ("method.tolerance", "1e-5")][..], 1e-3),
        (
            &[
                ("method.scheme", "parameter-ode"),
                ("method.rcond", "1e-6"),
                ("method.integrator", "rk4"),
                ("method.step", "2e-3"),
                ("method.tolerance", "0"),
            ][..],
            1e-3,
        ),
    ] {
        let mut evolution = fitted(&problem(BRUSSELATOR, overrides));
        assert_eq!(evolution.engine().rows(), 80);
        run(&mut evolution);
        let error = error(&evolution);
        assert!(error < bound, "{overrides:?}: {error:e}");
    }
}

/// The reference tells a run of a slightly other reaction from this one.
#[test]
fn another_reaction_is_seen() {
    let mut other = problem(BRUSSELATOR, &[]);
    let evolution = fitted(&other);
    let theta = evolution.theta().to_vec();
    let changed = problem(&BRUSSELATOR.replace("3*u - u^2*v", "3.01*u - u^2*v"), &[]);
    other.right_hand_side = changed.right_hand_side;
    let mut moved = crate::Evolution::new(&other, engine(&other), theta).expect("parameters");
    run(&mut moved);
    let x = crate::problem::Points::evaluation_grid(&other.coordinates, &[37]).coordinates;
    let truth = crate::reference::Reference::of(&problem(BRUSSELATOR, &[]), &|_| {
        std::ops::ControlFlow::Continue(())
    });
    let truth = truth.expect("solvable").expect("a reference");
    let exact = truth.values(moved.time(), &x).expect("a time of the run");
    assert!(relative_l2(&moved.evaluate(&x), &exact) > 3e-4);
}

/// Steps of waves would lose their energy: they are refused, however they are written, and what only
/// looks like them is not.
#[test]
fn waves_are_refused_with_what_to_do_instead() {
    let state = |equation: &str, initial: &str| {
        let text = format!(
            "format = 1\n[equation]\ntext = {equation}\n[domain]\nx = {{ range = [0, 1] }}\n\
             [time]\nend = 0.5\n[initial]\nu = 'sin(2*pi*x)'\n{initial} = '0'\n"
        );
        let problem: Problem = Problem::from_toml(&text, &Overrides::new()).expect("a problem");
        pollster::block_on(crate::Engine::new(&problem, &crate::field::device::Backend::Cpu))
    };
    for (equation, speed) in
        [("'u_tt = 4*u_xx - u_t'", "u_t"), ("['u_t = v', 'v_t = laplace(u) - u^3']", "v")]
    {
        let error = state(equation, speed).err().expect("a wave").to_string();
        assert!(error.contains(&format!("{speed}_t = F takes second derivatives of u")), "{error}");
        assert!(error.contains("sketchpde show wave"), "{error}");
    }
    // A pendulum, a pair of Schroedinger's, waves with a diffusion of their own.
    for (equation, other) in [
        ("'u_tt = -sin(u)'", "u_t"),
        ("['u_t = -v_xx', 'v_t = u_xx']", "v"),
        ("['u_t = v', 'v_t = u_xx + v_xx']", "v"),
    ] {
        assert!(state(equation, other).is_ok(), "{equation}");
    }
}
