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

/// A string that is let go: the one equation becomes two.
const WAVE: &str = "format = 1\n[equation]\ntext = 'u_tt = 4*u_xx'\n\
    [domain]\nx = { range = [0, 1], boundary = 'dirichlet' }\n[time]\nend = 0.05\n\
    [initial]\nu = 'sin(pi*x)'\nu_t = '0'\n\
    [exact]\nu = 'sin(pi*x)*cos(2*pi*t)'\n\
    [network]\nwidth = 8\nhidden_layers = 1\nactivation = 'tanh'\n[points]\ncount = 30\n\
    [fit]\ntolerance = 1e-6\n\
    [method]\nscheme = 'stage-fit'\nupdate = 'dense'\ncolumns = 100\nrcond = 1e-7\n\
    corrections = 6\nintegrator = 'rosenbrock-3'\ntolerance = 1e-5\n";

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

#[test]
fn an_equation_of_second_order_in_time_becomes_two() {
    let problem: Problem = Problem::from_toml(WAVE, &Overrides::new()).expect("a problem");
    assert_eq!(problem.unknowns, ["u", "u_t"]);
    let mut evolution = fitted(&problem);
    run(&mut evolution);
    let error = error(&evolution);
    // From rest to a speed of almost two. (Beyond t = 0.1 short waves have grown in the tangent space
    // until no step is short enough: the L2 product knows nothing of a wave's energy.)
    assert!(error < 1e-3, "{error:e}");
    // The ends stay where they are, and so does their speed.
    assert!(evolution.evaluate(&[0.0, 1.0]).iter().all(|v| v.abs() < 1e-12));
}
