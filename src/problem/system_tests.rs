//! Problem files of several unknowns, in both families.

use crate::expression::{Channel, Entry, Expression, MultiIndex};
use crate::residual::Condition;
use crate::{Boundary, Overrides, Problem, ProblemErrors, ResidualProblem, Side};

fn evolution(equation: &str, rest: &str) -> Result<Problem, ProblemErrors> {
    let text = format!(
        "format = 1\n[equation]\n{equation}\n[domain]\nx = {{ range = [0, 1] }}\n[time]\nend = 1\n{rest}"
    );
    Problem::from_toml(&text, &Overrides::new())
}

fn training(unknown: &str, blocks: &str) -> Result<ResidualProblem, ProblemErrors> {
    let text = format!(
        "format = 1\nunknown = {unknown}\n[domain]\nx = {{ range = [0, 1] }}\n\
         y = {{ range = [0, 1] }}\n{blocks}"
    );
    ResidualProblem::from_toml(&text, &Overrides::new())
}

fn said<T: std::fmt::Debug>(result: Result<T, ProblemErrors>, parts: &[&str]) {
    let said = result.expect_err("a mistake").to_string();
    for part in parts {
        assert!(said.contains(part), "no '{part}' in:\n{said}");
    }
}

const TWO: &str = "[initial]\nu = 'sin(2*pi*x)'\nv = '1'\n";

#[test]
fn left_sides_name_the_unknowns() {
    let text = "text = ['u_t = v*u_x', 'v_t = laplace(v) - u^2']";
    let problem = evolution(text, TWO).expect("a problem");
    assert_eq!(problem.unknowns, ["u", "v"]);
    assert_eq!(problem.equation, "u_t = v*u_x\nv_t = laplace(v) - u^2");
    let names = problem.names();
    let printed: Vec<String> = problem.right_hand_side.iter().map(|f| f.to_text(&names)).collect();
    assert_eq!(printed, ["v*u_x", "v_xx - u^2"]);
    // In the order of `unknown`, whatever that of the equations is.
    let text = format!("unknown = ['v', 'u']\n{text}");
    let other = evolution(&text, TWO).expect("a problem");
    assert_eq!(other.unknowns, ["v", "u"]);
    assert_eq!(other.right_hand_side[1].to_text(&other.names()), "v*u_x");
    assert_eq!(other.initial[0], Expression::Constant(1.0));
}

#[test]
fn an_equation_of_second_order_has_its_rate_as_an_unknown() {
    let rest = "[initial]\nu = 'sin(2*pi*x)'\n";
    let problem = evolution("text = 'u_tt = u_xx - 0.1*u_t + u_xt*u'", rest).expect("a problem");
    assert_eq!(problem.unknowns, ["u", "u_t"]);
    assert_eq!(problem.right_hand_side[0], Expression::unknown(1));
    let slope = Entry::new(1, Channel::Partial(MultiIndex::along(0, 1)));
    assert!(problem.right_hand_side[1].entries().contains(&slope));
    let rest = "[exact]\nu = 'sin(2*pi*x)*cos(t)'\n";
    let problem = evolution("text = 'u_tt = u_xx/(4*pi^2)'", rest).expect("a problem");
    let exact = problem.exact.expect("both");
    let rate = exact[1].evaluate_at(&[0.1], 0.4, &[]);
    let wanted = -(0.2 * std::f64::consts::PI).sin() * 0.4f64.sin();
    assert!((rate - wanted).abs() < 1e-15, "{rate} {wanted}");
    assert!(problem.initial[1].evaluate_at(&[0.1], 0.0, &[]).abs() < 1e-15);
    let still = evolution("text = 'u_tt = u_xx'", "[initial]\nu = 'x'\n").expect("at rest");
    assert_eq!(still.initial[1], Expression::Constant(0.0));
    said(evolution("text = 'u_ttt = u_xx'", rest), &["higher order in time"]);
}

#[test]
fn sides_are_of_each_unknown() {
    let text = "format = 1\n[equation]\ntext = ['u_t = v', 'v_t = u_xx']\n[domain]\n\
        x = { range = [0, 1], lower = { u = 't' }, upper = '1 + t' }\n[time]\nend = 1\n\
        [initial]\nu = 'x'\nv = 'x'\n";
    let problem = Problem::from_toml(text, &Overrides::new()).expect("a problem");
    let Boundary::Sides { lower, upper } = &problem.coordinates[0].boundary else {
        panic!("values at the ends")
    };
    let lower: Vec<&Expression> = lower.iter().map(Side::value).collect();
    assert_eq!(lower, [&Expression::Time, &Expression::Constant(0.0)]);
    assert_eq!(upper[0], upper[1]);
    let lift = problem.lift.expect("values at the ends");
    assert_eq!([0, 1].map(|k| lift[k].evaluate_at(&[0.5], 0.5, &[])), [1.0, 0.75]);
    let wrong = text.replace("lower = { u", "lower = { w");
    said(Problem::from_toml(&wrong, &Overrides::new()), &["unknown key w", "domain.x.lower"]);
}

#[test]
fn mistakes_in_systems_of_evolutions_name_the_remedy() {
    let two = "text = ['u_t = u_xx', 'v_t = uv']";
    said(evolution(two, TWO), &["unknown symbol uv"]);
    said(evolution("text = ['u_t = u_xx', 'u_t = u']", TWO), &["a second equation for u_t"]);
    let constraint = "unknown = ['u', 'p']\ntext = ['u_t = u_xx - p_x', 'u_x = 0']";
    let rest = "[initial]\nu = 'x'\np = '0'\n";
    said(evolution(constraint, rest), &["no time derivative", "[residual.NAME]"]);
    let missing = "unknown = ['u', 'p']\ntext = 'u_t = u_xx - p_x'";
    said(evolution(missing, rest), &["how p changes", "[residual.NAME]"]);
    let coupled = "text = ['u_t = v', 'v_t = u_xx']";
    said(evolution(coupled, "[initial]\nu = 'x'\n"), &["v is missing in [initial]"]);
    let adaptive = format!("{TWO}[points]\nlayout = 'adaptive'\n");
    said(evolution(coupled, &adaptive), &["for one unknown, not 2"]);
    said(evolution("unknown = ['u', 'u']\ntext = 'u_t = u'", TWO), &["u is already the name"]);
    let named = "unknown = ['speed', 'height']\ntext = ['speed_t = heigt', 'height_t = 0']";
    said(evolution(named, ""), &["unknown symbol heigt", "did you mean height?"]);
}

#[test]
fn blocks_hold_several_equations() {
    let blocks = "[residual.interior]\nequation = ['u_x = v_y', 'u_y = -v_x']\n\
        [residual.wall]\non = 'x = 0'\nequation = 'v = 0'\n\
        [residual.seam]\nperiodic = 'y'\n\
        [exact]\nu = 'x*0 + 1'\nv = 'y*0'\n";
    let problem = training("['u', 'v']", blocks).expect("a problem");
    let Condition::Equations(list) = &problem.blocks[0].condition else { panic!("equations") };
    assert_eq!(list.len(), 2);
    assert_eq!(problem.blocks[0].text, "u_x = v_y\nu_y = -v_x");
    let both = Condition::Match(vec![Expression::unknown(0), Expression::unknown(1)]);
    assert_eq!(problem.blocks[2].condition, both);
    assert_eq!(problem.exact.as_ref().map(Vec::len), Some(2));
    // An exact solution that misses one equation is seen.
    let wrong = blocks.replace("v = 'y*0'", "v = 'y'");
    said(training("['u', 'v']", &wrong), &["the exact solution misses the block interior"]);
}

#[test]
fn mistakes_in_systems_of_trainings_name_the_remedy() {
    let interior = |list: &str| format!("[residual.interior]\nequation = {list}\n");
    let three = interior("['u_x = v', 'v_x = u', 'u = v']");
    said(training("['u', 'v']", &three), &["3 equations", "2 unknowns", "u, v"]);
    said(training("['u', 'v']", &interior("'u_x = v'")), &["1 equations", "2 unknowns"]);
    let data = "[residual.data]\ndata = [[0.5, 0.5, 1]]\n";
    let few = interior("'u_x = v'") + data;
    said(training("['u', 'v']", &few), &["quantity is missing"]);
    let named = few + "quantity = 'v'\n";
    assert!(training("['u', 'v']", &named).is_ok(), "data take the place of an equation");
    let disagree = interior("['u_x = v', 'v_x = u']")
        + "[residual.a]\non = 'x = 0'\nequation = ['u = 0', 'v = 1']\n\
           [residual.b]\non = 'boundary'\nequation = 'v = 2'\n";
    said(training("['u', 'v']", &disagree), &["a and b ask for different values"]);
    let refined = interior("['u_x = v', 'v_x = u']")
        + "points = { layout = 'random', count = 20, resample = 5, refine = 1 }\n";
    said(training("['u', 'v']", &refined), &["refine"]);
}

/// u_n + k u = g of every form, with the sign of the outward normal.
#[test]
fn conditions_on_sides_are_read() {
    let read = |lower: &str, upper: &str| {
        let text = format!(
            "format = 1\n[equation]\ntext = 'u_t = u_xx'\n[parameters]\nh = 3\n[domain]\n\
             x = {{ range = [0, 2], lower = {lower}, upper = {upper} }}\n[time]\nend = 1\n\
             [initial]\nu = '0*x'\n"
        );
        Problem::from_toml(&text, &Overrides::new())
    };
    let flux = |side: &Side| match side {
        Side::Flux { factor, value, .. } => {
            let at = |e: &Expression| e.evaluate_at(&[f64::NAN], 0.5, &[3.0]);
            (at(factor), at(value))
        }
        Side::Value(_) => panic!("a value"),
    };
    for (text, at_lower, at_upper) in [
        ("'u_n = 7'", (0.0, 7.0), (0.0, 7.0)),
        ("'u_x = 7'", (0.0, -7.0), (0.0, 7.0)),
        ("'2*u_x = h*(u - t)'", (1.5, 0.75), (-1.5, -0.75)),
        ("['-u_n = 4*u - 1']", (4.0, 1.0), (4.0, 1.0)),
        ("{ u = 'n_x*u_x + u = 0' }", (1.0, 0.0), (1.0, 0.0)),
    ] {
        let problem = read(text, text).expect(text);
        let [lower, upper] = problem.coordinates[0].sides().expect("sides").map(|(s, _)| &s[0]);
        assert_eq!((flux(lower), flux(upper)), (at_lower, at_upper), "{text}");
    }
    let value = read("'u = 3*t/2'", "'u_n = 0'").expect("a value beside a flux");
    let [lower, _] = value.coordinates[0].sides().expect("sides").map(|(s, _)| s[0].clone());
    assert_eq!(lower.value().evaluate_at(&[], 2.0, &[]), 3.0);
    assert_eq!(value.coordinates[0].flat_ends(), [None, Some(0.0)]);
    assert_eq!(
        read("'u_n + h*u = 0'", "'u_n = 0'").expect("exchange").coordinates[0].flat_ends(),
        [Some(8.0), Some(0.0)]
    );
}

#[test]
fn mistakes_on_sides_name_the_remedy() {
    let read = |equation: &str, domain: &str| {
        let text = format!(
            "format = 1\n[equation]\ntext = {equation}\n[domain]\n{domain}\n[time]\nend = 1\n\
             [initial]\nu = '0'\nv = '0'\n"
        );
        Problem::from_toml(&text, &Overrides::new())
    };
    let one = |sides: &str| {
        let domain = format!("x = {{ range = [0, 1], {sides} }}");
        let text = format!(
            "format = 1\n[equation]\ntext = 'u_t = u_xx'\n[domain]\n{domain}\n[time]\nend = 1\n\
             [initial]\nu = '0'\n"
        );
        Problem::from_toml(&text, &Overrides::new())
    };
    said(one("lower = 'u_n = 0'"), &["nothing is said of the upper end", "upper = \"..\""]);
    said(one("lower = 'u_n = u^4', upper = '0'"), &["a product or a function", "[residual.NAME]"]);
    said(one("lower = 'u_xx = 0', upper = '0'"), &["of higher order", "u_n + k*u = g"]);
    said(one("lower = 'u_n + t*u = 0', upper = '0'"), &["changes with t", "named parameters"]);
    said(
        one("lower = 'u_n = x', upper = '0'"),
        &["the condition at an end of x", "put in the value"],
    );
    said(one("lower = 'u_n = w', upper = '0'"), &["unknown symbol w", "lower = 'u_n = w'"]);
    said(one("boundary = 'periodic', lower = 'u_n = 0'"), &["boundary = \"dirichlet\""]);
    said(
        one(
            "lower = 'u_n = 0', upper = '0' }\ny = { range = [0, 1], lower = 'u = x*0 + 1', upper = 'u_n = 1'",
        ),
        &["x = 1", "y = 0", "disagree where they meet", "fade out"],
    );
    let both = "['u_t = u_xx', 'v_t = v_xx']";
    let side = |lower: &str| format!("x = {{ range = [0, 1], lower = {lower}, upper = '0' }}");
    said(read(both, &side("'u_n = 0'")), &["says nothing of v", "\"v_n = 0\""]);
    said(
        read(both, &side("['u_n = 0', 'v = 0']")),
        &["some unknowns have values and others fluxes"],
    );
    said(read(both, &side("['u_n = 0', 'u = 0']")), &["a second condition for u"]);
    said(read(both, &side("['u_n = v', 'v_n = 0']")), &["several unknowns"]);
    let random = "x = { range = [0, 1], lower = ['u_n = 0', 'v_n = 0'], upper = '0' }\n[network]\n\
        fourier = { count = 4 }\nactivation = 'tanh'";
    said(read(both, random), &["random Fourier features", "network.fourier"]);
}
