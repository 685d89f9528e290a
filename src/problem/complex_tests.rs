//! Problem files of complex unknowns, against complex arithmetic done here.

use crate::equation::{Role, parse_complex, parse_residual};
use crate::expression::{Channel, Entry, MultiIndex, Names, Pair, Place};
use crate::{Overrides, Problem, ProblemErrors, ProblemFile};

/// a + i b.
type Complex = (f64, f64);

fn times(x: Complex, y: Complex) -> Complex {
    (x.0 * y.0 - x.1 * y.1, x.0 * y.1 + x.1 * y.0)
}

fn plus(x: Complex, y: Complex) -> Complex {
    (x.0 + y.0, x.1 + y.1)
}

fn over(x: Complex, y: Complex) -> Complex {
    let square = y.0 * y.0 + y.1 * y.1;
    times(x, (y.0 / square, -y.1 / square))
}

/// By its series.
fn exp(z: Complex) -> Complex {
    let (mut sum, mut term) = ((1.0, 0.0), (1.0, 0.0));
    for n in 1..60 {
        term = over(times(term, z), (f64::from(n), 0.0));
        sum = plus(sum, term);
    }
    sum
}

fn names() -> Names {
    Names {
        unknowns: ["psi_re", "psi_im", "n"].map(Into::into).to_vec(),
        coordinates: vec!["x".into(), "y".into()],
        parameters: vec!["k".into()],
        complex: vec![Pair { name: "psi".into(), parts: [0, 1] }],
        ..Names::default()
    }
}

const X: f64 = 0.4;
const K: f64 = 1.3;
const PSI: Complex = (0.7, -0.3);
const PSI_X: Complex = (-0.2, 1.1);
const N: Complex = (0.6, 0.0);

fn jet(entry: Entry) -> f64 {
    let slope = Channel::Partial(MultiIndex::along(0, 1));
    match (entry.unknown, entry.channel == slope) {
        (0, false) => PSI.0,
        (1, false) => PSI.1,
        (0, true) => PSI_X.0,
        (1, true) => PSI_X.1,
        _ => N.0,
    }
}

#[test]
fn formulas_are_those_of_complex_numbers() {
    let i = (0.0, 1.0);
    let real = |x: f64| (x, 0.0);
    let sine = |z: Complex| {
        let turned = times(i, z);
        let back = times(real(-1.0), turned);
        over(plus(exp(turned), times(real(-1.0), exp(back))), times(real(2.0), i))
    };
    let square = PSI.0 * PSI.0 + PSI.1 * PSI.1;
    let cases: [(&str, Complex); 18] = [
        ("(1 + 2*i)*x", times((1.0, 2.0), real(X))),
        ("(1+2i)*x", times((1.0, 2.0), real(X))),
        ("exp(i*k*x)", exp(times(i, real(K * X)))),
        ("i*psi - n*psi_x", plus(times(i, PSI), times(real(-N.0), PSI_X))),
        ("psi*conj(psi)", real(square)),
        ("abs(psi)^2*psi", times(real(square), PSI)),
        ("abs(psi)", real(square.sqrt())),
        ("psi^3", times(PSI, times(PSI, PSI))),
        ("psi^(-2)", over(real(1.0), times(PSI, PSI))),
        ("psi/(psi_x + 2*i)", over(PSI, plus(PSI_X, (0.0, 2.0)))),
        ("n/psi", over(N, PSI)),
        ("-psi + re(psi)", (0.0, -PSI.1)),
        ("im(psi) + i*re(psi)", (PSI.1, PSI.0)),
        ("sin(psi)", sine(PSI)),
        ("cos(psi)", sine(plus((std::f64::consts::FRAC_PI_2, 0.0), PSI))),
        ("cosh(i*psi) + sinh(i*psi)", exp(times(i, PSI))),
        ("if(x < 1, psi, i)", PSI),
        ("d(psi^2, x)", times(real(2.0), times(PSI, PSI_X))),
    ];
    let place = Place { coordinates: &[X, 0.0], time: 0.0, parameters: &[K] };
    for (text, wanted) in cases {
        let (re, im) = parse_complex(text, &names(), Role::RightHandSide).expect(text);
        for (re, im) in [(re.simplify(), im.as_ref().map(|im| im.simplify())), (re, im)] {
            let im = im.map_or(0.0, |im| im.evaluate(place, &jet));
            let off = (re.evaluate(place, &jet) - wanted.0).abs() + (im - wanted.1).abs();
            assert!(off < 1e-13, "{text}: {off:e}");
        }
    }
    // A modulus squared has no root in it.
    let (square, _) = parse_complex("abs(psi)^2", &names(), Role::RightHandSide).expect("real");
    assert_eq!(square.to_text(&names()), "psi_re^2 + psi_im^2");
    let both = parse_residual("psi_n = i*k*psi", &names(), Role::Boundary).expect("two");
    assert_eq!(both.len(), 2);
    let one = parse_residual("abs(psi)^2 = 1", &names(), Role::Boundary).expect("one");
    assert_eq!(one.len(), 1);
}

fn evolution(equation: &str, domain: &str, rest: &str) -> Result<Problem, ProblemErrors> {
    let text = format!(
        "format = 1\n[equation]\n{equation}\n[domain]\nx = {{ range = [0, 1]{domain} }}\n[time]\n\
         end = 1\n{rest}"
    );
    Problem::from_toml(&text, &Overrides::new())
}

const START: &str = "[initial]\npsi = '(1 + 2*i)*sin(pi*x)'\n";

#[test]
fn an_evolution_of_a_complex_unknown_is_one_of_two() {
    let sides = ", lower = '0', upper = 'psi = 0'";
    let equation = "complex = 'psi'\ntext = 'i*psi_t = psi_xx + abs(psi)^2*psi'";
    let problem = evolution(equation, sides, START).expect("a problem");
    assert_eq!(problem.unknowns, ["psi_re", "psi_im"]);
    let two = "text = ['a_t = b_xx + (a^2 + b^2)*b', 'b_t = -a_xx - (a^2 + b^2)*a']";
    let start = "[initial]\na = 'sin(pi*x)'\nb = '2*sin(pi*x)'\n";
    let real = evolution(two, ", lower = '0', upper = '0'", start).expect("a problem");
    assert_eq!(problem.coordinates, real.coordinates);
    let point = Place { coordinates: &[0.3], time: 0.0, parameters: &[] };
    let jet = |e: Entry| match e.channel {
        Channel::Partial(index) => 0.3 + e.unknown as f64 - 0.7 * f64::from(index.0[0]),
        Channel::Laplacian => f64::NAN,
    };
    for k in 0..2 {
        let of = |problem: &Problem| problem.right_hand_side[k].evaluate(point, &jet);
        assert!((of(&problem) - of(&real)).abs() < 1e-14, "{k}");
        let at = |problem: &Problem| problem.initial[k].evaluate(point, &jet);
        assert!((at(&problem) - at(&real)).abs() < 1e-15, "{k}");
    }
    let again = Problem::from_toml(&problem.source, &Overrides::new()).expect("the same");
    assert_eq!(again, problem);
    // Beside a real unknown, in the order of the equations, with a factor of numbers and parameters.
    let text = "complex = ['psi']\ntext = ['n_t = abs(psi)^2', '-2*i*h*psi_t = psi_xx']";
    let rest = "[parameters]\nh = 0.5\n[initial]\nn = 0\npsi = 'exp(2*pi*i*x)'\n";
    let problem = evolution(text, "", rest).expect("a problem");
    assert_eq!(problem.unknowns, ["n", "psi_re", "psi_im"]);
    let values = problem.parameter_values();
    let point = Place { coordinates: &[0.3], time: 0.0, parameters: &values };
    let rate = |k: usize| problem.right_hand_side[k].evaluate(point, &jet);
    let second = |unknown| jet(Entry::new(unknown, Channel::Partial(MultiIndex::along(0, 2))));
    // psi_t = psi_xx / (-i) = i psi_xx.
    assert!((rate(1) + second(2)).abs() < 1e-14 && (rate(2) - second(1)).abs() < 1e-14);
}

#[test]
fn sides_and_exact_solutions_are_of_both_parts() {
    let equation = "complex = 'psi'\ntext = 'i*psi_t = psi_xx'";
    let exact = "[exact]\npsi = '(1+2i)*sin(pi*x)*exp(i*pi^2*t)'\n";
    for sides in [
        ", lower = '0', upper = { psi = '0' }",
        ", lower = ['psi = 0'], upper = { psi = 'psi = 0' }",
        ", lower = 'psi_n = -pi*(1+2i)*exp(i*pi^2*t)', upper = 'psi_x = -pi*(1+2i)*exp(i*pi^2*t)'",
    ] {
        let problem = evolution(equation, sides, exact).unwrap_or_else(|e| panic!("{sides}: {e}"));
        let exact = problem.exact.expect("both");
        let at = |k: usize| exact[k].evaluate_at(&[0.5], 0.1, &[]);
        let turn = exp((0.0, 0.1 * std::f64::consts::PI.powi(2)));
        let wanted = times((1.0, 2.0), turn);
        assert!((at(0) - wanted.0).abs() + (at(1) - wanted.1).abs() < 1e-14);
    }
}

#[test]
fn trainings_have_both_parts_of_every_equation() {
    let text = "format = 1\ncomplex = 'psi'\n[domain]\nt = { range = [0, 1] }\n\
                x = { range = [0, 1] }\n[residual.interior]\nequation = 'i*psi_t = psi_xx'\n\
                [residual.start]\non = 't = 0'\nequation = 'psi = (1+2i)*sin(pi*x)'\n\
                [residual.ends]\nperiodic = 'x'\nmatch = ['psi', 'psi_x']\n\
                [residual.seen]\ndata = [[0.1, 0.2, 1.0]]\nquantity = 'abs(psi)^2'\n";
    let problem = ProblemFile::from_bytes(text.as_bytes(), None, &Overrides::new());
    let Ok(ProblemFile::Residual(problem)) = problem else { panic!("{problem:?}") };
    assert_eq!(problem.unknowns, ["psi_re", "psi_im"]);
    let rows: Vec<usize> =
        problem.blocks.iter().map(|block| block.condition.expressions().len()).collect();
    assert_eq!(rows, [2, 2, 4, 1]);
    assert_eq!(problem.names().complex.len(), 1);
}

#[test]
fn mistakes_with_complex_unknowns_are_told() {
    let says = |result: Result<Problem, ProblemErrors>, parts: &[&str]| {
        let said = result.expect_err("a mistake").to_string();
        for part in parts {
            assert!(said.contains(part), "no '{part}' in:\n{said}");
        }
    };
    let with = |text: &str, rest: &str| {
        evolution(&format!("complex = 'psi'\ntext = {text}"), "", &format!("{START}{rest}"))
    };
    let equation = "'i*psi_t = psi_xx'";
    says(with("'psi_t = log(psi)'", ""), &["log is not worked out of something complex", "conj"]);
    says(with("'psi_t = psi^1.5'", ""), &["not worked out"]);
    says(with("'psi_t = if(psi < 1, 1, 2)'", ""), &["this is complex", "abs(..)"]);
    says(with("'x*psi_t = psi_xx'", ""), &["the left side must be psi_t"]);
    says(with("'i*psi_x = psi_xx'", ""), &["no time derivative", "psi_t = .."]);
    says(with("['i*psi_t = psi_xx', 'psi_t = psi']", ""), &["a second equation for psi_t"]);
    says(with("'u_t = u_xx'", "u = 0"), &["no equation says how psi changes", "write psi_t = .."]);
    says(with(equation, "[parameters]\ni = 1\n"), &["'i' cannot be the name of a parameter"]);
    says(with(equation, "[parameters]\nre = 1\n"), &["with complex unknowns"]);
    let real = evolution("text = 'u_t = u_xx'", "", "[initial]\nu = 'i*x'\n");
    says(real, &["unknown symbol i"]);
    let both = evolution(
        "complex = 'psi'\ntext = ['i*psi_t = psi_xx', 'n_t = psi']",
        "",
        &format!("{START}n = 0\n"),
    );
    says(both, &["this is complex where a real number is needed"]);
    let mixed = "complex = 'psi'\ntext = 'i*psi_t = psi_xx'";
    let sides = ", lower = 'psi_n = i*psi', upper = '0'";
    says(evolution(mixed, sides, START), &["several unknowns"]);
}
