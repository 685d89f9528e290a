//! Expressions: text, simplification, derivatives and compiled code against plain evaluation.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sketchpde::field::program::{Block, Instruction, LANES, Program, Registers, Rows};
use sketchpde::problem::equation::{EquationIssue, Role, parse_equation, parse_expression};
use sketchpde::problem::expression::{
    Binary, Channel, Entry, Expression, Function, MultiIndex, Names, Place,
};
use sketchpde::random::{Philox, Stream};
use sketchpde::scalar::Real;

const DIMENSIONS: usize = 2;

fn names() -> Names {
    Names {
        unknowns: vec!["u".into()],
        coordinates: vec!["x".into(), "y".into()],
        parameters: vec!["eps".into(), "c_2".into()],
        ..Names::default()
    }
}

fn jet(channel: Channel) -> Expression {
    Expression::Jet(Entry::new(0, channel))
}

fn channels() -> Vec<Channel> {
    let partial = |x, y| Channel::Partial(MultiIndex([x, y, 0, 0, 0, 0, 0, 0]));
    vec![Channel::value(), partial(1, 0), partial(0, 1), partial(2, 1), Channel::Laplacian]
}

fn parsed(text: &str) -> Expression {
    parse_expression(text, &names(), Role::RightHandSide)
        .unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

/// Trees in which anything may stand anywhere, also what the parser would never build.
fn any_expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        (-4.0..4.0f64).prop_map(Expression::Constant),
        (-3..4i32).prop_map(|n| Expression::Constant(f64::from(n))),
        (0..DIMENSIONS).prop_map(Expression::Coordinate),
        Just(Expression::Time),
        (0..2usize).prop_map(Expression::Parameter),
        proptest::sample::select(channels()).prop_map(jet),
    ];
    leaf.prop_recursive(5, 40, 2, |inner| {
        use Binary::{Add, Divide, Maximum, Minimum, Multiply, Raise, Subtract};
        let operations =
            vec![Add, Add, Subtract, Multiply, Multiply, Divide, Raise, Minimum, Maximum];
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(Expression::Negate),
            (proptest::sample::select(&Function::ALL[..]), boxed.clone())
                .prop_map(|(function, a)| Expression::Call(function, a)),
            (boxed.clone(), -4..6i32).prop_map(|(a, n)| Expression::Power(a, n)),
            (proptest::sample::select(operations), boxed.clone(), boxed)
                .prop_map(|(operation, a, b)| Expression::Binary(operation, a, b)),
        ]
    })
}

/// Some values for every symbol.
struct Sample {
    coordinates: [f64; DIMENSIONS],
    time: f64,
    parameters: [f64; 2],
    jet: Vec<f64>,
}

impl Sample {
    fn draw(index: u64) -> Self {
        let random = Philox::new(17, Stream::Vectors);
        let draw = |k: u32| random.uniform(index, k) * 1.5 + 0.1;
        Self {
            coordinates: [draw(0), draw(1)],
            time: draw(2),
            parameters: [draw(3), draw(4)],
            jet: (5..10).map(draw).collect(),
        }
    }

    fn value(&self, expression: &Expression) -> f64 {
        let place =
            Place { coordinates: &self.coordinates, time: self.time, parameters: &self.parameters };
        let list = channels();
        expression.evaluate(place, &|entry| {
            let position = list.iter().position(|known| *known == entry.channel);
            position.map_or(f64::NAN, |k| self.jet[k])
        })
    }
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

/// The largest magnitude of any node: rounding errors scale with it, not with the result.
fn magnitude(expression: &Expression, sample: &Sample) -> f64 {
    let mut largest = 1.0f64;
    expression.visit(&mut |node| {
        let value = sample.value(node).abs();
        largest = if value.is_nan() { f64::INFINITY } else { largest.max(value) };
    });
    largest
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn printing_and_parsing_is_the_identity(expression in any_expression()) {
        let text = expression.to_text(&names());
        // Trees that the parser cannot build (a constant power of a constant sum, ...) settle after
        // one round, with the same value.
        let Ok(first) = parse_expression(&text, &names(), Role::RightHandSide) else {
            prop_assert!(text.contains('^'), "{text}");
            return Ok(());
        };
        let again = first.to_text(&names());
        prop_assert_eq!(&parsed(&again), &first, "{} became {}", text, again);
        let sample = Sample::draw(0);
        let (before, after) = (sample.value(&expression), sample.value(&first));
        prop_assert!(
            close(before, after, 1e-9 * magnitude(&expression, &sample)) || before.is_nan(),
            "{}: {} became {}", text, before, after
        );
    }

    #[test]
    fn simplification_keeps_the_value(expression in any_expression()) {
        let simple = expression.simplify();
        prop_assert!(simple.size() <= expression.size());
        let sample = Sample::draw(1);
        let scale = magnitude(&expression, &sample);
        if scale < 1e6 {
            let (before, after) = (sample.value(&expression), sample.value(&simple));
            prop_assert!(
                close(before, after, 1e-11 * scale),
                "{} = {}, but {} = {}",
                expression.to_text(&names()), before, simple.to_text(&names()), after
            );
        }
    }

    #[test]
    fn compiled_code_gives_the_same_values(
        first in any_expression(), second in any_expression(), count in 1..3 * LANES
    ) {
        let outputs = [first.clone(), second, first];
        agree::<f64>(&outputs, &outputs, count)?;
        agree::<f32>(&outputs, &outputs, count)?;
    }

    #[test]
    fn text_of_any_kind_is_parsed_or_refused(text in "[-+*/^()0-9.eutxy_ ,={}a-d]{0,40}") {
        let refused = parse_equation(&text, &names()).err().unwrap_or_default();
        for error in &refused {
            prop_assert!(text.get(error.span.clone()).is_some(), "{:?} in {}", error, text);
        }
        let _ = parse_expression(&text, &names(), Role::Side(0));
    }

    #[test]
    fn unicode_is_refused_without_harm(text in "\\PC{0,30}") {
        if let Err(errors) = parse_equation(&text, &names()) {
            prop_assert!(errors.iter().all(|e| text.get(e.span.clone()).is_some()));
        }
    }
}

/// Compares a program compiled from `compiled` with plain evaluation of `outputs` at `count` points.
fn agree<T: Real>(
    compiled: &[Expression],
    outputs: &[Expression],
    count: usize,
) -> Result<(), TestCaseError> {
    let samples: Vec<Sample> = (0..count as u64).map(Sample::draw).collect();
    let row = |value: &dyn Fn(&Sample) -> f64| samples.iter().map(value).map(T::of).collect();
    let coordinates: Vec<T> =
        (0..DIMENSIONS).flat_map(|k| -> Vec<T> { row(&|s: &Sample| s.coordinates[k]) }).collect();
    let jets: Vec<T> =
        (0..channels().len()).flat_map(|k| -> Vec<T> { row(&|s: &Sample| s.jet[k]) }).collect();
    let uniform = Sample::draw(0);
    let parameters = uniform.parameters.map(T::of);
    let program = Program::compile(compiled, &channels());
    let block = Block {
        count,
        coordinates: Rows { data: &coordinates, stride: count },
        channels: Rows { data: &jets, stride: count },
        time: T::of(uniform.time),
        parameters: &parameters,
    };
    let mut found = vec![T::ZERO; outputs.len() * count];
    program.run(&block, &mut Registers::new(), &mut found, count);
    for (k, expression) in outputs.iter().enumerate() {
        for (i, sample) in samples.iter().enumerate() {
            // The numbers that the program saw, after rounding to T.
            let seen = |value: f64| T::of(value).to_f64();
            let sample = Sample {
                coordinates: sample.coordinates.map(seen),
                time: seen(uniform.time),
                parameters: uniform.parameters.map(seen),
                jet: sample.jet.iter().copied().map(seen).collect(),
            };
            let expected = sample.value(expression);
            let found = found[k * count + i].to_f64();
            let bound = 4.0 * <T as Real>::EPSILON * running_error(expression, &sample).1;
            // First-order bounds hold while they are small.
            if bound < 0.01 * (1.0 + expected.abs()) && expected.abs() < 1e30 {
                prop_assert!(
                    (found - expected).abs() <= bound,
                    "{}: {} at {}, not {}",
                    expression.to_text(&names()),
                    found,
                    i,
                    expected
                );
            }
        }
    }
    Ok(())
}

/// Value and a bound of its rounding error in units of the round-off, by running error analysis
/// (Higham, "Accuracy and Stability of Numerical Algorithms", section 3.3). Infinite or NaN where
/// rounding may decide between the two sides of a jump.
fn running_error(expression: &Expression, sample: &Sample) -> (f64, f64) {
    let value = sample.value(expression);
    let size = value.abs();
    let of = |a: &Expression| running_error(a, sample);
    let error = match expression {
        Expression::Negate(a) => of(a).1,
        Expression::Power(a, n) => {
            let (a, error) = of(a);
            let n = f64::from(*n);
            (n * a.powf(n - 1.0)).abs().max((n * size / a).abs()) * error + n.abs() * size
        }
        Expression::Call(function, a) => {
            let (a, error) = of(a);
            let slope = match function {
                Function::Sin | Function::Cos | Function::Tanh | Function::Abs => 1.0,
                Function::Tan => 1.0 + value * value,
                Function::Sinh | Function::Cosh => a.abs().exp(),
                Function::Exp => size,
                Function::Log => 1.0 / a.abs(),
                Function::Sqrt => 0.5 / size,
                Function::Sign if a.abs() > 1e-6 * error + 1e-3 => 0.0,
                Function::Sign => f64::INFINITY,
            };
            slope * error + 4.0 * size
        }
        Expression::Binary(operation, a, b) => {
            let ((a, of_a), (b, of_b)) = (of(a), of(b));
            let inherited = match operation {
                Binary::Add | Binary::Subtract => of_a + of_b,
                Binary::Multiply => a.abs() * of_b + b.abs() * of_a,
                Binary::Divide => (of_a + size * of_b) / b.abs(),
                Binary::Raise => size * (b.abs() * of_a / a.abs() + a.ln().abs() * of_b),
                Binary::Minimum | Binary::Maximum => of_a + of_b,
                // Which side of a jump is taken can hang on the last bit.
                Binary::Less | Binary::LessEqual | Binary::Where => f64::INFINITY,
            };
            inherited + 4.0 * size
        }
        _ => size,
    };
    // Nothing is known of what overflows in f32; the last term covers underflow.
    (value, if size < 1e30 { error + 1e-30 } else { f64::INFINITY })
}

/// Whether `derivative` is the derivative of `f` along `step`, by central differences.
fn is_derivative(
    f: &Expression,
    derivative: &Expression,
    step: impl Fn(Sample, f64) -> Sample,
) -> bool {
    (0..20).all(|index| {
        let h = 1e-5;
        let at = |shift: f64| sample_value(f, step(Sample::draw(index), shift));
        let difference = (at(h) - at(-h)) / (2.0 * h);
        close(difference, sample_value(derivative, Sample::draw(index)), 1e-7)
    })
}

fn sample_value(expression: &Expression, sample: Sample) -> f64 {
    sample.value(expression)
}

const SMOOTH: [&str; 8] = [
    "x*y + eps*x^3/y - t",
    "sin(x*y)*cos(x) + tan(x/3)",
    "exp(-x^2)*log(1 + y^2) + sqrt(x + y)",
    "sinh(x)*cosh(y) - tanh(x*y)",
    "x^y + 2^x + (x + y)^-2",
    "abs(x - 10)*max(x, y + 5) + min(x^2, y^2 + 9)",
    "1/(1 + x^2)^2 - -x",
    "sign(x)*x^2.5",
];

#[test]
fn derivatives_agree_with_finite_differences() {
    let along = |k: usize| {
        move |mut sample: Sample, h: f64| {
            sample.coordinates[k] += h;
            sample
        }
    };
    for text in SMOOTH {
        let f = parsed(text);
        for k in 0..DIMENSIONS {
            let derivative = f.differentiate_coordinate(k, DIMENSIONS);
            assert!(is_derivative(&f, &derivative, along(k)), "{text} along {k}");
            let planted = derivative + Expression::Constant(1e-5);
            assert!(!is_derivative(&f, &planted, along(k)), "a wrong derivative passes");
        }
        let in_time = |mut sample: Sample, h: f64| {
            sample.time += h;
            sample
        };
        assert!(is_derivative(&f, &f.differentiate_time(), in_time), "{text} in time");
    }
}

#[test]
fn derivatives_by_channel_agree_with_finite_differences() {
    for text in ["u - u^3 + eps*u_x*u_y", "sin(u*u_x)/(1 + u_xxy^2)", "laplace(u)*u + x*u_y^2"] {
        let f = parsed(text);
        for (k, channel) in channels().into_iter().enumerate() {
            let moved = |mut sample: Sample, h: f64| {
                sample.jet[k] += h;
                sample
            };
            let derivative = f.derivative_by(Entry::new(0, channel));
            assert!(is_derivative(&f, &derivative, moved), "{text} by {channel:?}");
            let planted = derivative + Expression::Constant(1e-5);
            assert!(!is_derivative(&f, &planted, moved), "a wrong derivative passes");
        }
    }
}

#[test]
fn derivatives_stay_within_their_size_bound() {
    for text in SMOOTH {
        let f = parsed(text);
        let size = f.differentiate_coordinate(0, DIMENSIONS).size();
        assert!(size <= f.derivative_size_bound(), "{text}: {size}");
    }
}

/// Total derivatives against the chain rule done by hand.
#[test]
fn total_derivatives_follow_the_chain_rule() {
    for (short, long) in [
        ("d(u, x)", "u_x"),
        ("d(u_x, y)", "u_xy"),
        ("d(u^2, x)", "2*u*u_x"),
        ("d(x*u, x)", "u + x*u_x"),
        ("d(eps*u*u_x, x)", "eps*(u_x*u_x + u*u_xx)"),
        ("d(d(sin(u), x), y)", "cos(u)*u_xy - sin(u)*u_x*u_y"),
        ("lap(u)", "laplace(u)"),
        ("laplace(u^2)", "2*(u_x^2 + u_y^2) + 2*u*(u_xx + u_yy)"),
        ("d(laplace(u), x)", "u_xxx + u_xyy"),
        ("laplace(laplace(u))", "u_xxxx + 2*u_xxyy + u_yyyy"),
    ] {
        let values = |entry: Entry| match entry.channel {
            Channel::Laplacian => 0.77,
            Channel::Partial(index) => {
                f64::from(index.0[0]).sin() + 0.3 * f64::from(index.0[1]) + 0.4
            }
        };
        let at = |text: &str| {
            let place = Place { coordinates: &[0.3, 0.8], time: 0.0, parameters: &[0.9, 1.1] };
            parsed(text).evaluate(place, &values)
        };
        assert!(close(at(short), at(long), 1e-14), "{short} is not {long}");
    }
    // In one dimension the Laplacian is the second derivative: no channel of its own.
    let line = Names { coordinates: vec!["x".into()], ..names() };
    let parse = |text| parse_expression(text, &line, Role::RightHandSide);
    assert_eq!(parse("laplace(u)"), parse("u_xx"));
}

#[test]
fn notation_means_what_it_means_in_mathematics() {
    let value = |text: &str| Sample::draw(0).value(&parsed(text));
    for (text, expected) in [
        ("-2^2", -4.0),
        ("(-2)^2", 4.0),
        ("2^-1", 0.5),
        ("2^3^2", 512.0),
        ("2**3", 8.0),
        ("1 - 2 - 3", -4.0),
        ("8/4/2", 1.0),
        ("2*3 + 4*5", 26.0),
        ("1 - -1", 2.0),
        ("2e1*1e-1", 2.0),
        ("min(1, 2) + max(1, 2)", 3.0),
        ("ln(e) + log(e)", 2.0),
        ("cos(pi)", -1.0),
        (".5 + 1.", 1.5),
    ] {
        assert!(close(value(text), expected, 1e-15), "{text} = {}", value(text));
    }
}

#[test]
fn substitution_replaces_every_occurrence() {
    let f = parsed("x^2 + eps*sin(x*y) - c_2");
    let replaced = f.substitute_coordinate(0, &parsed("y + t")).substitute_parameters(&[0.5, 2.0]);
    let expected = parsed("(y + t)^2 + 0.5*sin((y + t)*y) - 2");
    let sample = Sample::draw(3);
    assert!(close(sample.value(&replaced), sample.value(&expected), 1e-14));
    assert!(
        !replaced.any(&|node| matches!(node, Expression::Coordinate(0) | Expression::Parameter(_)))
    );
}

#[test]
fn common_subexpressions_are_computed_once_and_uniform_ones_first() {
    let outputs = [parsed("eps*c_2*u*u_x + (u_x*u)^4 + sin(eps)"), parsed("u_x*u")];
    let program = Program::compile(&outputs, &channels());
    let products = program
        .instructions()
        .iter()
        .filter(|i| matches!(i, Instruction::Binary(Binary::Multiply, ..)))
        .count();
    // eps*c_2, that times u, that times u_x, u*u_x, its square, its fourth power.
    assert_eq!(products, 6, "{:?}", program.instructions());
    // eps, c_2, eps*c_2, sin(eps).
    assert_eq!(program.uniform(), 4);
    for (index, instruction) in program.instructions().iter().enumerate() {
        let earlier = |register: u32| (register as usize) < index;
        assert!(match *instruction {
            Instruction::Negate(a) | Instruction::Call(_, a) => earlier(a),
            Instruction::Binary(_, a, b) => earlier(a) && earlier(b),
            _ => true,
        });
    }
}

/// The comparison that the property above makes, on expressions where it must bite.
#[test]
fn compiled_code_is_told_from_wrong_code() {
    let right: Vec<Expression> = SMOOTH.iter().map(|text| parsed(text)).collect();
    assert!(agree::<f64>(&right, &right, LANES + 1).is_ok());
    assert!(agree::<f32>(&right, &right, LANES - 1).is_ok());
    for (k, expression) in right.iter().enumerate() {
        let (value, bound) = running_error(expression, &Sample::draw(0));
        assert!(bound < 1e6 * value.abs(), "{} has no sharp bound", SMOOTH[k]);
        let planted = Expression::Constant(1.0 + 1e-8) * expression.clone();
        let wrong = agree::<f64>(&[planted], std::slice::from_ref(expression), 3);
        assert!(wrong.is_err(), "{}: wrong code passes", SMOOTH[k]);
    }
}

fn issues(text: &str) -> Vec<EquationIssue> {
    let errors = parse_equation(text, &names()).err().unwrap_or_default();
    errors.into_iter().map(|error| error.issue).collect()
}

#[test]
fn each_mistake_in_an_equation_is_named() {
    for (text, message, remedy) in [
        ("u_t = 2u", "missing '*' between 2 and u", "write 2*u"),
        ("u_t = u u_x", "missing '*' between u and u_x", "write u*u_x"),
        ("u_t = x(1 - x)", "missing '*' between x and (..)", "write x*(..)"),
        ("u_t = (u)(u)", "missing '*' between (..) and (..)", "write (..)*(..)"),
        ("u_t = u_x \u{2212} u", "unexpected character '\u{2212}'", "write '-' for the minus sign"),
        ("u_t = \u{3c0}*u", "unexpected character '\u{3c0}'", "write pi"),
        ("u_t = u\u{b2}", "unexpected character '\u{b2}'", "write ^2"),
        ("u_t = \u{394}u", "unexpected character '\u{394}'", "write laplace(u) for the Laplacian"),
        ("u_t = sin u", "sin needs its argument in parentheses", "write sin(..)"),
        ("u_t = sni(u)", "unknown function sni", "did you mean sin?"),
        ("u_t = min(u)", "min takes 2 argument(s), not 1", "write min(a, b)"),
        (
            "u_t = u*ep",
            "unknown symbol ep",
            "did you mean eps? or, to make it a parameter, add ep = 1.0 under [parameters]",
        ),
        ("u_t = k", "unknown symbol k", "to make it a parameter, add k = 1.0 under [parameters]"),
        ("u_t = u_z", "u_z: no coordinate is called z", "the coordinates are x, y"),
        (
            "u_t = u_xxxxx",
            "u_xxxxx is a derivative of order 5; the highest is 4",
            "only lower derivatives can be evaluated",
        ),
        (
            "u_t = u_xt",
            "u_xt: time derivatives may only stand on the left side, as u_t",
            "solve the equation for u_t and write u_t = ..",
        ),
        (
            "u_tt = u_xx",
            "u_tt is a derivative of higher order in time",
            "only equations of first and second order in time are solved: u_t = ..",
        ),
        (
            "0 = u_xx",
            "the left side must be u_t, not '0'",
            "move every other term to the right side: u_t = ..",
        ),
        (
            "u_t - u_xx = 0",
            "the left side must be u_t, not 'u_t - u_xx'",
            "move every other term to the right side: u_t = ..",
        ),
        (
            "= u",
            "the left side must be u_t, not 'nothing'",
            "move every other term to the right side: u_t = ..",
        ),
        ("u_xx", "the equation has no '='", "write u_t = .."),
        ("u_t = u = 0", "a second '='", "an equation has one '='"),
        ("u_t = (u", "this '(' is never closed", "add the missing ')'"),
        ("u_t = u)", "this ')' closes nothing", "remove it, or add a '(' before it"),
        (
            "u_t = u +",
            "something is missing before the end",
            "write a number, a symbol, a function or '(' here",
        ),
        (
            "u_t = u * / x",
            "something is missing before '/'",
            "write a number, a symbol, a function or '(' here",
        ),
        (
            "u_t = 1,5*u",
            "a ',' may only separate the arguments of a function",
            "write a decimal point, as in 0.5, or remove it",
        ),
        ("u_t = 1.2.3", "'1.2.3' is not a number", "write numbers like 5e-3 or 0.25"),
        ("u_t = 1e999", "the number 1e999 is too large", "numbers go up to 1.7e308"),
        ("u_t = u^100", "the exponent 100 is too large", "integer exponents go up to 64"),
        ("u_t = u^(1/0)", "this has no finite value", "look for a division by zero or an overflow"),
        (
            "u_t = d(u, eps)",
            "d(.., ..) needs a coordinate as its second argument",
            "the coordinates are x, y",
        ),
        (
            "u_t = d(u_xxxx, x)",
            "u_xxxxx is a derivative of order 5; the highest is 4",
            "only lower derivatives can be evaluated",
        ),
        ("", "the text is empty", "write a number, a symbol, a function or '(' here"),
    ] {
        let found = issues(text);
        let said: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(said, [message], "{text}");
        assert_eq!(found[0].remedy(), remedy, "{text}");
    }
}

#[test]
fn several_mistakes_are_found_at_once_and_in_order() {
    let text = "u_tt = 2u + sni(x) - k*u_z + (u";
    let errors = parse_equation(text, &names()).expect_err("mistakes");
    let at: Vec<&str> = errors.iter().map(|error| &text[error.span.clone()]).collect();
    assert_eq!(at, ["u_tt", "u", "sni", "k", "u_z", "("]);
}

#[test]
fn long_deep_and_explosive_texts_are_refused_quickly() {
    let nested = format!("u_t = {}u{}", "(".repeat(4000), ")".repeat(4000));
    let signs = format!("u_t = {}u", "-".repeat(8000));
    let tower = format!("u_t = u{}", "^u".repeat(3000));
    let calls = format!("u_t = {}u", "sin(".repeat(2000));
    let chain = format!("u_t = u{}", "+u".repeat(3000));
    let long = format!("u_t = u{}", "+u".repeat(100_000));
    let products = vec!["(x+u)"; 300].join("*");
    let explosive = format!("u_t = laplace({products})");
    let mut nested_derivatives = "x*u*y*u*x*u".to_owned();
    for _ in 0..40 {
        nested_derivatives = format!("d({nested_derivatives}*x, x)");
    }
    let many = vec!["d(x*u*x*u*x*u*x*u, x)"; 380].join("+");
    for text in [nested, signs, tower, calls, chain, long, explosive] {
        let found = issues(&text);
        assert!(
            found.iter().any(|issue| matches!(
                issue,
                EquationIssue::TooDeep { .. } | EquationIssue::TooLarge { .. }
            )),
            "{found:?}"
        );
    }
    assert!(!issues(&format!("u_t = {nested_derivatives}")).is_empty());
    assert!(!issues(&format!("u_t = {many}")).is_empty());
}
