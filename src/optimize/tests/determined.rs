//! Problems that determine their solution, and problems that do not.

use super::support;
use crate::{Free, estimate};

/// Domains of the table.
fn domain(word: &str) -> &'static str {
    match word {
        "line" => "x = { range = [0, 1] }",
        "time" => "t = { range = [0, 1] }",
        "strip" => "t = { range = [0, 1] }\nx = { range = [0, 1] }",
        "ring" => "t = { range = [0, 1] }\nx = { range = [0, '2*pi'], embedding = 'periodic' }",
        "square" => "x = { range = [0, 1] }\ny = { range = [0, 1] }",
        "tube" => "x = { range = [0, 1], embedding = 'periodic' }\ny = { range = [0, 1] }",
        "cube" => "x = { range = [0, 1] }\ny = { range = [0, 1] }\nz = { range = [0, 1] }",
        "heated" => "t = { range = [0, 1] }\nx = { range = [0, 1] }\ny = { range = [0, 1] }",
        "disc" => {
            "x = { range = [-1, 1] }\ny = { range = [-1, 1] }\nshape = 'round'\n[shapes]\n\
             round.disc = { centre = [0, 0], radius = 1 }"
        }
        "ell" => {
            "x = { range = [-1, 1] }\ny = { range = [-1, 1] }\nshape = 'box - corner'\n[shapes]\n\
             corner.box = { x = [0, 1], y = [0, 1] }"
        }
        "four" => {
            "a = { range = [0, 1] }\nb = { range = [0, 1] }\nc = { range = [0, 1] }\n\
             d = { range = [0, 1] }"
        }
        other => panic!("no domain {other}"),
    }
}

/// A problem: name, domain, the equations inside, (place, equations) of conditions.
type Case = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const SIDES: &str = "['x = 0', 'x = 1']";

/// One answer each.
const DETERMINED: &[Case] = &[
    ("poisson", "line", "'u_xx = -1'", &[("'boundary'", "'u = 0'")]),
    (
        "a wall and a flux",
        "line",
        "'u_xx = -1'",
        &[("'x = 0'", "'u = 0'"), ("'x = 1'", "'u_x = 0'")],
    ),
    ("both at one end", "line", "'u_xx = -1'", &[("'x = 0'", "['u = 0', 'u_x = 1']")]),
    ("fluxes with absorption", "line", "'u_xx = 0.01*u - 1'", &[("'boundary'", "'u_x = 0'")]),
    ("near resonance", "line", "'u_xx + (pi^2 + 0.1)*u = 0'", &[("'boundary'", "'u = 1'")]),
    ("nearer", "line", "'u_xx + (pi^2 - 0.01)*u = 0'", &[("'boundary'", "'u = 1'")]),
    ("between resonances", "line", "'u_xx + 1000*u = 0'", &[("'boundary'", "'u = 1'")]),
    ("growth", "time", "'u_t = 10*u'", &[("'t = 0'", "'u = 1'")]),
    ("more growth", "time", "'u_t = 14*u'", &[("'t = 0'", "'u = 1'")]),
    ("decay", "time", "'u_t = -1000*(u - cos(t))'", &[("'t = 0'", "'u = 0'")]),
    ("oscillator", "time", "'u_tt = -400*u'", &[("'t = 0'", "['u = 1', 'u_t = 0']")]),
    ("pendulum", "time", "'u_tt = -9*sin(u)'", &[("'t = 0'", "['u = 1', 'u_t = 0']")]),
    (
        "lotka",
        "time",
        "['u_t = u*(1 - v)', 'v_t = v*(u - 1)']",
        &[("'t = 0'", "['u = 2', 'v = 1']")],
    ),
    ("layer", "line", "'0.001*u_xx - u_x = -1'", &[("'boundary'", "'u = 0'")]),
    ("beam", "line", "'u_xxxx = 1'", &[("'boundary'", "['u = 0', 'u_xx = 0']")]),
    (
        "clamped",
        "line",
        "'u_xxxx = 1'",
        &[("'x = 0'", "['u = 0', 'u_x = 0']"), ("'x = 1'", "['u_xx = 0', 'u_xxx = 0']")],
    ),
    ("heat", "strip", "'u_t = u_xx'", &[("'t = 0'", "'u = sin(pi*x)'"), (SIDES, "'u = 0'")]),
    (
        "slow heat",
        "strip",
        "'u_t = 1e-4*u_xx'",
        &[("'t = 0'", "'u = sin(pi*x)'"), (SIDES, "'u = 0'")],
    ),
    (
        "fast heat",
        "strip",
        "'u_t = 100*u_xx'",
        &[("'t = 0'", "'u = sin(pi*x)'"), (SIDES, "'u = 0'")],
    ),
    ("insulated", "strip", "'u_t = u_xx'", &[("'t = 0'", "'u = cos(pi*x)'"), (SIDES, "'u_x = 0'")]),
    ("ring", "ring", "'u_t = 0.1*u_xx'", &[("'t = 0'", "'u = sin(x)'")]),
    ("transport", "ring", "'u_t + 30*u_x = 0'", &[("'t = 0'", "'u = sin(x)'")]),
    ("reaction", "ring", "'u_t = 5*u*(1 - u)'", &[("'t = 0'", "'u = 0.5 + 0.4*sin(x)'")]),
    (
        "schroedinger",
        "ring",
        "['u_t = -v_xx', 'v_t = u_xx']",
        &[("'t = 0'", "['u = cos(x)', 'v = sin(x)']")],
    ),
    (
        "wave",
        "strip",
        "'u_tt = u_xx'",
        &[("'t = 0'", "['u = sin(pi*x)', 'u_t = 0']"), (SIDES, "'u = 0'")],
    ),
    (
        "fast wave",
        "strip",
        "'u_tt = 16*u_xx'",
        &[("'t = 0'", "['u = sin(pi*x)', 'u_t = 0']"), (SIDES, "'u = 0'")],
    ),
    (
        "waved beam",
        "strip",
        "'u_tt = -u_xxxx'",
        &[("'t = 0'", "['u = sin(pi*x)', 'u_t = 0']"), (SIDES, "['u = 0', 'u_xx = 0']")],
    ),
    (
        "burgers",
        "strip",
        "'u_t + u*u_x = 0.02*u_xx'",
        &[("'t = 0'", "'u = sin(pi*x)'"), (SIDES, "'u = 0'")],
    ),
    ("inflow", "strip", "'u_t + u_x = 0'", &[("'t = 0'", "'u = sin(x)'"), ("'x = 0'", "'u = 0'")]),
    ("laplace", "square", "'laplace(u) = 0'", &[("'boundary'", "'u = x*y'")]),
    ("thin", "square", "'u_xx + 0.001*u_yy = 0'", &[("'boundary'", "'u = x*y'")]),
    (
        "mixed",
        "square",
        "'laplace(u) = 1'",
        &[(SIDES, "'u = 0'"), ("['y = 0', 'y = 1']", "'u_y = 0'")],
    ),
    (
        "flux with one wall",
        "square",
        "'laplace(u) = 1'",
        &[("'x = 0'", "'u = 0'"), ("['x = 1', 'y = 0', 'y = 1']", "'u_n = 0'")],
    ),
    ("helmholtz", "square", "'laplace(u) + 100*u = 1'", &[("'boundary'", "'u = 0'")]),
    (
        "plate",
        "square",
        "'u_xxxx + 2*u_xxyy + u_yyyy = 1'",
        &[("'boundary'", "['u = 0', 'u_n = 0']")],
    ),
    ("tube", "tube", "'laplace(u) = 0'", &[("'boundary'", "'u = 1'")]),
    (
        "stokes",
        "square",
        "['laplace(u) - p_x = 0', 'laplace(v) - p_y = 0', 'u_x + v_y = 0']",
        &[("'boundary'", "['u = y', 'v = x']"), ("['x = 0']", "'p = 0'")],
    ),
    ("disc", "disc", "'laplace(u) = -1'", &[("'boundary'", "'u = 0'")]),
    ("near on a disc", "disc", "'laplace(u) + 5.7*u = -1'", &[("'boundary'", "'u = 0'")]),
    ("ell", "ell", "'laplace(u) = -1'", &[("'boundary'", "'u = 0'")]),
    ("cube", "cube", "'laplace(u) = 0'", &[("'boundary'", "'u = x*y*z'")]),
    (
        "mixed cube",
        "cube",
        "'laplace(u) = 0'",
        &[(SIDES, "'u = x'"), ("['y = 0', 'y = 1', 'z = 0', 'z = 1']", "'u_n = 0'")],
    ),
    (
        "heated square",
        "heated",
        "'u_t = 0.1*(u_xx + u_yy)'",
        &[("'t = 0'", "'u = x*y'"), ("'boundary'", "'u = 0'")],
    ),
    (
        "waved square",
        "heated",
        "'u_tt = u_xx + u_yy'",
        &[("'t = 0'", "['u = 0', 'u_t = x*y']"), ("'boundary'", "'u = 0'")],
    ),
    ("four", "four", "'laplace(u) = 0'", &[("'boundary'", "'u = a*b'")]),
    ("resonating cube", "cube", "'laplace(u) + 60*u = 1'", &[("'boundary'", "'u = x*y*z'")]),
    ("grown", "heated", "'u_t = 12*u'", &[("'t = 0'", "'u = x*y'")]),
    ("grown", "ring", "'u_t = 14*u'", &[("'t = 0'", "'u = sin(x)'")]),
    ("grown", "strip", "'u_t = u_xx + 18*u'", &[("'t = 0'", "'u = x'"), (SIDES, "'u = 0'")]),
    ("liouville", "line", "'u_xx + exp(u) = 0'", &[("'boundary'", "'u = 0'")]),
];

/// Many answers each.
const FREE: &[Case] = &[
    ("resonance", "line", "'u_xx + pi^2*u = 0'", &[("'boundary'", "'u = 0'")]),
    ("third resonance", "line", "'u_xx + 9*pi^2*u = sin(2*pi*x)'", &[("'boundary'", "'u = 0'")]),
    ("twentieth resonance", "line", "'u_xx + 400*pi^2*u = 0'", &[("'boundary'", "'u = 0'")]),
    ("fourth resonance", "square", "'laplace(u) + 32*pi^2*u = 0'", &[("'boundary'", "'u = 0'")]),
    ("fluxes", "line", "'u_xx = 0'", &[("'boundary'", "'u_x = 0'")]),
    ("one end", "line", "'u_xx = -1'", &[("'x = 0'", "'u = 0'")]),
    ("no start", "time", "'u_t = -u'", &[]),
    ("half a start", "time", "'u_tt = -4*u'", &[("'t = 0'", "'u = 1'")]),
    ("one of two", "time", "['u_t = v', 'v_t = -u']", &[("'t = 0'", "'u = 1'")]),
    ("only a sum", "time", "['u_t = -u', 'v_t = -v']", &[("'t = 0'", "'u + v = 1'")]),
    (
        "short beam",
        "line",
        "'u_xxxx = 1'",
        &[("'x = 0'", "['u = 0', 'u_xx = 0']"), ("'x = 1'", "'u = 0'")],
    ),
    ("loose beam", "line", "'u_xxxx = 1'", &[("'boundary'", "['u_xx = 0', 'u_xxx = 0']")]),
    ("heat without a start", "ring", "'u_t = 0.1*u_xx'", &[]),
    ("heat between walls", "strip", "'u_t = u_xx'", &[(SIDES, "'u = 0'")]),
    (
        "heat with one wall",
        "strip",
        "'u_t = u_xx'",
        &[("'t = 0'", "'u = 0'"), ("'x = 0'", "'u = 0'")],
    ),
    ("transport", "ring", "'u_t + u_x = 0'", &[]),
    ("no inflow", "strip", "'u_t + u_x = 0'", &[("'t = 0'", "'u = x'")]),
    (
        "wave without speed",
        "strip",
        "'u_tt = u_xx'",
        &[("'t = 0'", "'u = sin(pi*x)'"), (SIDES, "'u = 0'")],
    ),
    (
        "wave without place",
        "strip",
        "'u_tt = u_xx'",
        &[("'t = 0'", "'u_t = sin(pi*x)'"), (SIDES, "'u_x = 0'")],
    ),
    (
        "two unknowns",
        "strip",
        "['u_t = u_xx', 'v_t = v_xx']",
        &[("'t = 0'", "['u = 0', 'v = sin(pi*x)']"), (SIDES, "'u = 0'")],
    ),
    (
        "burgers",
        "strip",
        "'u_t + u*u_x = 0.1*u_xx'",
        &[("'t = 0'", "'u = sin(pi*x)'"), ("'x = 0'", "'u = 0'")],
    ),
    ("two sides", "square", "'laplace(u) = 0'", &[(SIDES, "'u = y'")]),
    ("one side", "square", "'laplace(u) = 0'", &[("'y = 1'", "'u = x'")]),
    ("three sides", "square", "'laplace(u) = -1'", &[("['x = 0', 'x = 1', 'y = 0']", "'u = 0'")]),
    ("fluxes", "square", "'laplace(u) = 0'", &[("'boundary'", "'u_n = 0'")]),
    ("resonance", "square", "'laplace(u) + 5*pi^2*u = 0'", &[("'boundary'", "'u = 0'")]),
    ("plate", "square", "'u_xxxx + 2*u_xxyy + u_yyyy = 1'", &[("'boundary'", "'u = 0'")]),
    (
        "pressure",
        "square",
        "['laplace(u) - p_x = 0', 'laplace(v) - p_y = 0', 'u_x + v_y = 0']",
        &[("'boundary'", "['u = y', 'v = x']")],
    ),
    ("tube", "tube", "'laplace(u) = 0'", &[("'y = 0'", "'u = 1'")]),
    ("drum", "disc", "'laplace(u) + 5.783185962946784*u = 0'", &[("'boundary'", "'u = 0'")]),
    ("insulated disc", "disc", "'laplace(u) = 0'", &[("'boundary'", "'u_n = 0'")]),
    ("ell", "ell", "'laplace(u) = 0'", &[("['corner', 'box']", "'u_n = 0'")]),
    ("cube", "cube", "'laplace(u) = 0'", &[(SIDES, "'u = y'")]),
    (
        "five faces",
        "cube",
        "'laplace(u) = 1'",
        &[("['x = 0', 'x = 1', 'y = 0', 'y = 1', 'z = 0']", "'u = 0'")],
    ),
    ("insulated cube", "cube", "'laplace(u) = 0'", &[("'boundary'", "'u_n = 0'")]),
    ("resonant cube", "cube", "'laplace(u) + 3*pi^2*u = 0'", &[("'boundary'", "'u = 0'")]),
    ("heated square", "heated", "'u_t = 0.1*(u_xx + u_yy)'", &[("'boundary'", "'u = 0'")]),
    (
        "waved square",
        "heated",
        "'u_tt = u_xx + u_yy'",
        &[("'t = 0'", "'u = 0'"), ("'boundary'", "'u = 0'")],
    ),
];

fn free((_, place, equation, conditions): &Case) -> Option<Free> {
    let mut text = format!(
        "format = 1\n{}[domain]\n{}\n[residual.interior]\nequation = {equation}\n\
         points = {{ layout = 'sobol', count = 100 }}\n",
        if equation.contains("p_x") {
            "unknown = ['u', 'v', 'p']\n"
        } else if equation.contains('v') {
            "unknown = ['u', 'v']\n"
        } else {
            ""
        },
        domain(place)
    );
    for (k, (on, equation)) in conditions.iter().enumerate() {
        if on.is_empty() {
            continue;
        }
        text += &format!(
            "[residual.c{k}]\non = {on}\nequation = {equation}\npoints = {{ layout = 'sobol', count = 40 }}\n"
        );
    }
    text += "[network]\nlayers = [8]\n[method]\niterations = 4\n";
    let (problem, training) = support::trained(&text);
    estimate(&problem, training.parameters()).expect("finite").free
}

/// Told from the others; what the warning says of it is not always more than that there is something.
#[test]
fn problems_that_do_not_determine_their_solution_are_told_from_those_that_do() {
    let mut wrong = Vec::new();
    for (cases, determined) in [(DETERMINED, true), (FREE, false)] {
        for case in cases {
            let free = free(case);
            println!("{} ({}): {free:?}", case.0, case.1);
            if free.is_none() != determined {
                wrong.push((case.0, case.1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_missing_condition_is_named() {
    let said = |name: &str, place: &str| {
        let case =
            FREE.iter().find(|case| case.0 == name && case.1 == place).expect("in the table");
        free(case)
    };
    let ends = |coordinate: &str, needed, given| {
        Some(Free::Ends { coordinate: coordinate.into(), needed, given })
    };
    assert_eq!(said("one end", "line"), ends("x", 2, 1));
    assert_eq!(said("short beam", "line"), ends("x", 4, 3));
    assert_eq!(said("transport", "ring"), ends("t", 1, 0));
    assert_eq!(said("wave without speed", "strip"), ends("t", 2, 1));
    assert_eq!(said("two sides", "square"), ends("y", 2, 0));
    assert_eq!(said("fluxes", "square"), Some(Free::Constant(vec!["u".into()])));
    assert_eq!(said("pressure", "square"), Some(Free::Constant(vec!["p".into()])));
    assert_eq!(said("resonance", "line"), Some(Free::Some));
}
