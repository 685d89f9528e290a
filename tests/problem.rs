//! Problem files, from text to a checked problem.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sketchpde::network::Network;
use sketchpde::problem::equation::{Role, parse_expression};
use sketchpde::problem::expression::{Channel, Entry, Expression, Names};
use sketchpde::problem::{
    Boundary, Integrator, Issue, Origin, Overrides, Points, Problem, ProblemErrors, ProblemFile,
    ReferenceKind, Scheme, SettingIssue, presets, residual_presets,
};

fn loaded(result: Result<Problem, ProblemErrors>) -> Problem {
    result.unwrap_or_else(|errors| panic!("{errors}"))
}

fn overrides(pairs: &[(&str, &str)]) -> Overrides {
    pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn preset_text(name: &str) -> &'static str {
    presets().iter().find(|preset| preset.name == name).expect("a preset").text
}

const OPEN: &str = "x1 = { range = [-1, 1], boundary = \"open\" }";

/// The rest of a file for points that are drawn from a Gaussian's logarithm.
fn drawn(points: &str, more: &str) -> String {
    format!(
        "[initial]\nu = \"-x1^2\"\n[points]\nlayout = \"adaptive\"\ndensity = \"logarithm\"\n\
         {points}\n{more}"
    )
}

/// A small valid file; `domain` and `rest` complete it.
fn file(equation: &str, domain: &str, rest: &str) -> String {
    format!(
        "format = 1\n[equation]\ntext = \"{equation}\"\n[domain]\n{domain}\n[time]\nend = 1\n{rest}\n"
    )
}

const LINE: &str = "x = { range = [0, 1], boundary = \"periodic\" }";

/// Messages of everything that is wrong.
fn messages(text: &str) -> Vec<String> {
    match Problem::from_toml(text, &Overrides::new()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.errors.iter().map(|error| error.message()).collect(),
    }
}

#[test]
fn every_preset_and_every_variant_loads_and_reads_back() {
    for preset in presets() {
        let problem = loaded(Problem::preset(preset.name));
        assert_eq!(problem.name, preset.name);
        assert_eq!(problem.title, preset.title);
        assert_eq!(problem.unknowns.len(), preset.unknowns);
        assert_eq!(problem.source, preset.text);
        for name in Problem::variants(preset.text).unwrap_or_default().keys() {
            let varied = loaded(Problem::from_toml_variant(preset.text, name, &Overrides::new()));
            assert_ne!(varied.method, problem.method, "{name} changes nothing");
            assert_eq!(loaded(Problem::from_toml(&varied.source, &Overrides::new())), varied);
        }
    }
}

#[test]
fn published_variants_have_the_published_sizes_and_steps_and_our_cutoff() {
    for (name, columns, step) in [("allen-cahn", [150, 800], 5e-3), ("burgers", [125, 800], 1e-3)] {
        for (variant, k) in [("published-fast", 0), ("published-accurate", 1)] {
            let text = preset_text(name);
            let problem = loaded(Problem::from_toml_variant(text, variant, &Overrides::new()));
            assert_eq!(problem.method.scheme, Scheme::ParameterOde);
            assert_eq!(problem.method.columns, columns[k]);
            assert_eq!(problem.method.step, step);
            assert_eq!(problem.points.count, [[1000, 10_000][k]]);
            assert_eq!(problem.method.integrator, Integrator::Rk4);
            assert_eq!(problem.method.tolerance, None, "fixed steps");
            assert_eq!(problem.method.rcond, 1e-5);
        }
    }
    assert_eq!(Network::of(&loaded(Problem::preset("allen-cahn"))).parameters(), 3393);
}

#[test]
fn the_number_of_parameters_is_known_before_the_network() {
    for preset in presets() {
        let problem = loaded(Problem::preset(preset.name));
        let periodic = |c: &&sketchpde::problem::Coordinate| c.boundary == Boundary::Periodic;
        let periodic = problem.coordinates.iter().filter(periodic).count();
        let linear = problem.dimensions() - periodic;
        let expected = Network::of(&problem).parameters();
        assert_eq!(
            problem.network.parameters(periodic, linear, problem.unknowns.len()),
            expected,
            "{}",
            preset.name
        );
    }
}

/// Residual of an exact solution put into its equation, at points of the domain.
fn exact_residual(problem: &Problem, exact: &Expression) -> f64 {
    let dimensions = problem.dimensions();
    let derivative = |entry: Entry| match entry.channel {
        Channel::Laplacian => exact.laplacian(dimensions),
        Channel::Partial(index) => (0..dimensions)
            .flat_map(|k| std::iter::repeat_n(k, usize::from(index.0[k])))
            .fold(exact.clone(), |f, k| f.differentiate_coordinate(k, dimensions)),
    };
    let right = problem.right_hand_side[0].substitute_jet(&derivative);
    let residual = exact.differentiate_time() - right;
    let points = Points::random(&problem.coordinates, 200, 1);
    let values = problem.parameter_values();
    (0..points.len())
        .map(|i| residual.evaluate_at(points.point(i), 0.3 + 0.001 * i as f64, &values).abs())
        .fold(0.0, f64::max)
}

#[test]
fn exact_solutions_of_the_presets_satisfy_their_equations() {
    let mut checked = 0;
    for preset in presets() {
        let problem = loaded(Problem::preset(preset.name));
        if let Some([exact]) = problem.exact.as_deref() {
            let residual = exact_residual(&problem, exact);
            assert!(residual < 1e-11, "{}: {residual}", preset.name);
            let planted = exact.clone() * Expression::Constant(1.0 + 1e-6) + (1e-6 * 1.0).into();
            let wrong = planted * (Expression::Time + 1.0.into());
            assert!(exact_residual(&problem, &wrong) > 1e-9, "{}", preset.name);
            checked += 1;
        }
    }
    assert_eq!(checked, 3);
}

#[test]
fn overrides_change_settings_and_read_back() {
    let text = preset_text("allen-cahn");
    let list = overrides(&[
        ("method.columns", "150"),
        ("method.step", "1e-2/2"),
        ("method.scheme", "parameter-ode"),
        ("parameters.eps", "1e-2"),
        ("domain.x.range", "[0, \"4*pi\"]"),
        ("equation.text", "u_t = eps*u_xx + u - u^5"),
        ("run.seed", "7"),
        ("points.count", "[300]"),
        ("title", "A \"quoted\" title\twith\\escapes\u{1}"),
    ]);
    let problem = loaded(Problem::from_toml(text, &list));
    assert_eq!(problem.method.columns, 150);
    assert_eq!(problem.method.step, 5e-3);
    assert_eq!(problem.method.scheme, Scheme::ParameterOde);
    assert_eq!(problem.parameters[0].value, 1e-2);
    assert_eq!(problem.parameters[0].range, Some([1e-3, 5e-2]));
    assert_eq!(problem.coordinates[0].upper, 4.0 * std::f64::consts::PI);
    assert_eq!(problem.seed, 7);
    assert_eq!(problem.points.count, [300]);
    assert!(!problem.source.contains("[variants"));
    let again = loaded(Problem::from_toml(&problem.source, &Overrides::new()));
    assert_eq!(again, problem);
}

#[test]
fn mistakes_in_overrides_name_the_override() {
    let text = preset_text("burgers");
    let list = overrides(&[
        ("method.colums", "150"),
        ("method.step", "-1"),
        ("equation.text", "u_t = nu*u_xx - u u_x"),
        ("points.count.first", "3"),
        ("", "3"),
        ("title", "[1, 2]"),
    ]);
    let errors = Problem::from_toml(text, &list).expect_err("mistakes").errors;
    let found: Vec<(usize, usize, String)> = errors
        .iter()
        .map(|error| match error.origin {
            Origin::Override { index, .. } => (index, error.column, error.text.clone()),
            _ => panic!("{error} is not about an override"),
        })
        .collect();
    let expected = [
        (0, 1, "method.colums"),
        (1, 13, "-1"),
        (2, 33, "u_x"),
        (3, 1, "points.count.first"),
        (4, 1, ""),
        (5, 7, "[1, 2]"),
    ];
    let expected: Vec<_> = expected.map(|(i, c, t)| (i, c, t.to_owned())).to_vec();
    assert_eq!(found, expected);
    assert!(errors[0].to_string().contains("override method.colums=150"), "{}", errors[0]);
    assert_eq!(errors[0].remedy(), "did you mean columns?");
}

#[test]
fn ten_mistakes_give_ten_messages_each_at_its_place() {
    let text = r#"format = 1
titel = "Ten mistakes"
[equation]
text = "u_t = 2eps*u_xx + u*u_z - k*u"
[domain]
x = { range = [1, -1], boundary = "periodic" }
[time]
end = -1
[parameters]
eps = { value = 0.5, range = [0.1, 0.2] }
[initial]
u = "exp(-x^2"
[method]
scheme = "stage-fitt"
columns = 0
rcond = 2.0
"#;
    let errors = Problem::from_toml(text, &Overrides::new()).expect_err("mistakes");
    let found: Vec<(usize, usize, String, String)> =
        errors.errors.iter().map(|e| (e.line, e.column, e.message(), e.remedy())).collect();
    let known_keys = "description, domain, equation";
    assert_eq!(found.len(), 11, "{errors}");
    let expect = |index: usize, line: usize, column: usize, message: &str, remedy: &str| {
        let (l, c, m, r) = &found[index];
        assert_eq!((*l, *c), (line, column), "{errors}");
        assert_eq!(m, message);
        assert_eq!(r, remedy);
    };
    expect(0, 2, 1, "unknown key titel in the file", "did you mean title?");
    expect(1, 4, 16, "missing '*' between 2 and eps", "write 2*eps");
    expect(2, 4, 29, "u_z: no coordinate is called z", "the coordinates are x");
    let parameter = "to make it a parameter, add k = 1.0 under [parameters]";
    expect(3, 4, 35, "unknown symbol k", parameter);
    let range = "x: the lower end 1 is not below the upper end -1";
    expect(4, 6, 15, range, "write range = [lower, upper]");
    let time = "the end time -1 is not after the start time 0";
    expect(5, 8, 7, time, "set time.end to a later time");
    let outside = "the parameter eps = 0.5 lies outside its range [0.1, 0.2]";
    expect(6, 10, 17, outside, "change the value or the range");
    expect(7, 12, 9, "this '(' is never closed", "add the missing ')'");
    let scheme = "method.scheme cannot be 'stage-fitt'";
    expect(8, 14, 10, scheme, "did you mean stage-fit?");
    let columns = "method.columns is 0, but must be an integer from 1 to 20000";
    expect(9, 15, 11, columns, "choose an integer from 1 to 20000");
    let rcond = "method.rcond is 2, but must be a number between 0 and 1";
    expect(10, 16, 9, rcond, "choose a number between 0 and 1");
    assert!(!errors.to_string().contains(known_keys));
}

#[test]
fn a_message_shows_its_line_with_a_caret() {
    let text = file("u_t = u_xx - 2u", LINE, "[initial]\nu = \"sin(2*pi*x)\"");
    let errors = Problem::from_toml(&text, &Overrides::new()).expect_err("a mistake");
    let shown = "error: missing '*' between 2 and u\n \
                 --> line 3, column 23\n  \
                 |\n\
                 3 | text = \"u_t = u_xx - 2u\"\n  \
                 |                       ^\n  \
                 = help: write 2*u";
    assert_eq!(errors.to_string(), shown);
}

#[test]
fn places_inside_long_strings_are_exact() {
    let text = "format = 1\n[equation]\ntext = \"\"\"\n  u_t = u_xx \\\n    + k*u\"\"\"\n[domain]\nx = { range = [0, 1] }\n[time]\nend = 1\n[initial]\nu = \"\\u0031 + q\"\n";
    let errors = Problem::from_toml(text, &Overrides::new()).expect_err("mistakes").errors;
    let places: Vec<(usize, usize)> = errors.iter().map(|e| (e.line, e.column)).collect();
    assert_eq!(places, [(5, 7), (11, 15)]);
    assert_eq!((errors[0].text.as_str(), errors[1].text.as_str()), ("k", "q"));
}

#[test]
fn each_contradiction_is_named() {
    let wave = "[initial]\nu = \"sin(2*pi*x)\"";
    let square = "x = { range = [0, 1], lower = \"y\", upper = \"y\" }\n\
                  y = { range = [0, 1], lower = 0, upper = \"1 + x\" }";
    let rod = "x = { range = [0, 1], boundary = \"dirichlet\", upper = \"1 + t\" }";
    let many = |count: usize| -> String {
        (1..=count).map(|k| format!("x{k} = {{ range = [0, 1] }}\n")).collect()
    };
    let (eight, nine) = (many(8), many(9));
    for (text, message) in [
        (file("u_t = u_xx", LINE, ""), "[initial] is missing in the file"),
        (
            file("u_t = u_xx", LINE, "[initial]\nu = \"u\""),
            "u may not be used in the initial state",
        ),
        (
            file("u_t = u_xx", LINE, "[initial]\nu = \"t\""),
            "t may not be used in the initial state",
        ),
        (
            file("u_t = u_xx", LINE, "[exact]\nu = \"u_x\""),
            "u_x may not be used in the exact solution",
        ),
        (file("u_t = u_xx", LINE, "[initial]\nv = \"x\""), "unknown key v in [initial]"),
        (
            file("u_t = u_xx", LINE, "[initial]\nu = \"log(-x)\""),
            "the initial state has no finite value at x = 0.7071",
        ),
        (
            file("u_t = u_xx", LINE, &format!("{wave}\n[exact]\nu = \"cos(2*pi*x)\"")),
            "at the start the exact solution is -0.2663, but the initial state is -0.9639, at x = 0.7071",
        ),
        (
            // The right rate is -4 pi^2.
            file("u_t = u_xx", LINE, "[exact]\nu = \"exp(-4*t)*sin(2*pi*x)\""),
            "the exact solution misses the equation of u by -34.2 at x = 0.7071",
        ),
        (
            file("u_t = 1e-8*u_xx", LINE, "[exact]\nu = \"exp(-4e-8*t)*sin(2*pi*x)\""),
            "the exact solution misses the equation of u by -0.000000342 at x = 0.7071",
        ),
        (
            file(
                "u_t = u_xx",
                "x = { range = [0, 1], lower = \"0\", upper = \"1\" }",
                "[exact]\nu = \"x + exp(-pi^2/4*t)*sin(pi*x/2) - sin(pi*x/2)\"",
            ),
            "the exact solution is 0.4004 at x = 1, t = 0.371, where the side has 1",
        ),
        (
            file("u_t = u_xx", LINE, &format!("{wave}\n[reference]\nkind = \"exact\"")),
            "there is no exact solution to use as the reference",
        ),
        (
            file("u_t = u_xx", rod, "[initial]\nu = \"2*x\""),
            "the initial state is 2 at x = 1, but the value given there is 1",
        ),
        (
            file("u_t = u_xx", square, "[initial]\nu = 0"),
            "the conditions at x = 1 and at y = 1 disagree where they meet: 1 and 2",
        ),
        (
            file("u_t = u_xx", rod, "[initial]\nu = \"x\"\n[reference]\nkind = \"spectral\""),
            "the spectral reference is for one to three coordinates, all periodic",
        ),
        (
            file("u_t = u_xx", LINE, &format!("{wave}\n[reference]\nkind = \"characteristics\"")),
            "the reference by characteristics is for linear transport in a periodic box",
        ),
        (
            file(
                "u_t = u_xx",
                LINE,
                &format!(
                    "{wave}\n[method]\nsolver = \"nystrom-cg\"\nregularisation = \"truncate\""
                ),
            ),
            "nystrom-cg cannot truncate: it always damps",
        ),
        (
            file("u_t = u_x1", OPEN, "[initial]\nu = \"-x1^2\""),
            "x1: open ends are for points that are drawn from the solution",
        ),
        (
            file("u_t = u_x1", OPEN, "[initial]\nu = 0\n[points]\nlayout = \"adaptive\""),
            "the initial state is zero everywhere that was looked at: nothing can be drawn from it",
        ),
        (
            file("u_t = u_x1", OPEN, &drawn("count = 10", "")),
            "points.count is 10, but must be at least 16 points that are drawn, to span the space",
        ),
        (
            file("u_t = u_x1", OPEN, &drawn("", "[method]\nrefit_every = 5")),
            "refits are for points that stay where they are",
        ),
        (
            file("u_t = u_x1^3", OPEN, &drawn("", "[reference]\nkind = \"gaussian\"")),
            "the Gaussian reference is for a linear Fokker-Planck equation for the density or, with \
             points.density = \"logarithm\", its logarithm, in a domain with open ends",
        ),
        (
            file("u_t = u_xx", LINE, &format!("{wave}\n[points]\ndensity = \"logarithm\"")),
            "points.density is for points of another layout",
        ),
        (
            file("u_t = u_xx", LINE, &format!("{wave}\n[points]\nresample = 3")),
            "points.resample is for points of another layout",
        ),
        (
            file(
                "u_t = u_xx",
                LINE,
                &format!("{wave}\n[points]\nlayout = \"following\"\ndensity = \"logarithm\""),
            ),
            "points.density is for points of another layout",
        ),
        (
            file("u_t = u_x1", &eight, "[initial]\nu = 0\n[points]\nlayout = \"grid\""),
            "16 x 16 x 16 x 16 x 16 x 16 x 16 x 16 points are more than 10000000",
        ),
        (
            file("u_t = u_x1", &nine, "[initial]\nu = 0"),
            "there are 9 coordinates; there must be 1 to 8",
        ),
        (file("u_t = 0", "", "[initial]\nu = 0"), "there are 0 coordinates; there must be 1 to 8"),
        (
            file(
                "u_t = u_xx",
                LINE,
                &format!("{wave}\n[network]\nwidth = 3\nhidden_layers = 1\n[method]\ncolumns = 60"),
            ),
            "60 columns are more than the 39 parameters of the network",
        ),
        (
            file("u_t = u_xx", LINE, &format!("{wave}\n[method]\ncolumns = \"automatic\"")),
            "method.columns cannot be 'automatic'",
        ),
        (
            file(
                "u_t = u_xx",
                LINE,
                &format!("{wave}\n[method]\ncolumns = \"auto\"\nupdate = \"dense\""),
            ),
            "dense updates take every parameter: there is no number of columns to choose",
        ),
        (
            file(
                "u_t = u_xx",
                LINE,
                &format!("{wave}\n[network]\nwidth = 1000\n[method]\nsampling = \"gaussian\""),
            ),
            "a Gaussian sketch of all parameters would have 2003617200 entries, more than 134217728",
        ),
        (
            file("u_t = u_xx", LINE, &format!("{wave}\n[points]\ncount = [10, 10]")),
            "points.count has 2 entries for 1 coordinate(s)",
        ),
        (
            file(
                "u_t = u_yy",
                "x = { range = [0, 1] }\ny = { range = [0, 1] }",
                "[initial]\nu = 0\n[points]\ncount = 10000",
            ),
            "10000 x 10000 points are more than 10000000",
        ),
        (
            file(
                "u_t = u_xx",
                LINE,
                &format!("{wave}\n[network]\nwidth = 4000\nhidden_layers = 60"),
            ),
            "the network would have 960256428 parameters, more than 16777216",
        ),
        (
            file(
                "u_t = u_xx",
                "x = { range = [0, 1], boundary = \"periodic\", upper = \"1\" }",
                wave,
            ),
            "x: lower and upper are for boundary = \"dirichlet\"",
        ),
        (
            file(
                "u_t = u_xx",
                "x = { range = [0, 1], boundary = \"dirichlet\", lower = \"x\" }",
                "[initial]\nu = 0",
            ),
            "x may not be used in the value at an end of x",
        ),
        (
            file("u_t = u_tt", "t = { range = [0, 1] }", "[initial]\nu = 0"),
            "'t' cannot be the name of a coordinate",
        ),
        (
            file("u_t = u_xx", LINE, &format!("{wave}\n[parameters]\nx = 1")),
            "x is already the name of a coordinate",
        ),
        (
            file("u_t = u_xx", LINE, &format!("{wave}\n[parameters]\nu_x = 1")),
            "u_x is already the name of a derivative",
        ),
        (
            file("u_t = u_xx", LINE, &format!("{wave}\n[parameters]\nsin = 1")),
            "'sin' cannot be the name of a parameter",
        ),
        (
            file("u_t = u_xx", LINE, &format!("{wave}\n[run]\nseed = -1")),
            "run.seed is -1, but must be an integer from 0 to 9223372036854775807",
        ),
        (
            file("u_t = u_xx", LINE, &format!("{wave}\n[method]\nstep = \"1/0\"")),
            "this has no finite value",
        ),
        (
            file("u_t = u_xx", LINE, &format!("{wave}\n[method]\nstep = true")),
            "method.step must be a number, not true or false",
        ),
        (
            file("u_t = u_xx", LINE, &format!("{wave}\n[variants.a]\n\"method.stp\" = 1")),
            "in the variant a: unknown key stp in [method]",
        ),
        (
            file("u_t = u_xx", LINE, wave).replace("format = 1", "format = 2"),
            "problem files of format 2 cannot be read",
        ),
        (file("u_t = u_xx", LINE, wave).replace("format = 1", ""), "format is missing in the file"),
    ] {
        assert_eq!(messages(&text), [message], "{text}");
    }
}

/// The example of the documentation, taken from its source, must be a valid file.
#[test]
fn the_documented_file_is_valid() {
    let source = include_str!("../src/problem/lib.rs");
    let from = source.find("//! format = 1").expect("the example");
    let example: String = source[from..]
        .lines()
        .take_while(|line| !line.starts_with("//! ```"))
        .map(|line| line.trim_start_matches("//!").to_owned() + "\n")
        .collect();
    // Its sides and its exact solution are there to show the syntax: make them agree.
    let example = example.replace("sin(t)", "0");
    let mut list = overrides(&[("points.count", "20"), ("fit.count", "20")]);
    list.push(("reference.kind".into(), "exact".into()));
    let problem = loaded(Problem::from_toml(&example, &list));
    assert_eq!(problem.dimensions(), 2);
    let changed = example.replace("count = 600", "count = 20");
    loaded(Problem::from_toml_variant(&changed, "quick", &Overrides::new()));
}

#[test]
fn work_is_bounded() {
    let wave = "[initial]\nu = 0";
    let long = vec!["x1*x2*x3*x4*x5*x6*t"; 200].join("+");
    let sides: String = (1..=6)
        .map(|k| {
            let value = long.replace(&format!("x{k}"), "1");
            format!("x{k} = {{ range = [0, 1], upper = \"{value}\" }}\n")
        })
        .collect();
    let message = &messages(&file("u_t = u", &sides, wave))[0];
    assert!(message.starts_with("the values at the ends"), "{message}");
    let variants: String =
        (0..40).map(|k| format!("\n[variants.v{k}]\n\"run.seed\" = {k}")).collect();
    let found = messages(&file("u_t = u", LINE, &format!("{wave}{variants}")));
    assert_eq!(found, ["40 variants are more than 32"]);
    let parameters: String = (0..100).map(|k| format!("\np{k} = 1")).collect();
    let found = messages(&file("u_t = u", LINE, &format!("{wave}\n[parameters]{parameters}")));
    assert_eq!(found, ["parameters is 100 entries, but must be at most 64 entries"]);
    let huge = format!("format = 1 #{}", "x".repeat(1 << 23));
    assert_eq!(messages(&huge).len(), 1);
    let nested = format!("format = {}1{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(!messages(&nested).is_empty());
}

#[test]
fn broken_toml_and_broken_text_are_placed() {
    let errors = Problem::from_toml("format = 1\ntime = { end 1 }\n", &Overrides::new());
    let errors = errors.expect_err("broken").errors;
    assert!(errors.iter().all(|e| matches!(e.issue, Issue::Setting(SettingIssue::Syntax { .. }))));
    assert_eq!(errors[0].line, 2);
    let errors = Problem::from_bytes(b"format = 1\n# \xff", &Overrides::new()).expect_err("broken");
    assert_eq!((errors.errors[0].line, errors.errors[0].column), (2, 3));
    assert!(Problem::preset("alen-cahn").expect_err("unknown").to_string().contains("allen-cahn?"));
    let text = preset_text("burgers");
    let variant = Problem::from_toml_variant(text, "published-fats", &Overrides::new());
    assert!(variant.expect_err("unknown").to_string().contains("did you mean published-fast?"));
}

#[test]
fn defaults_complete_a_short_file() {
    let text = file("u_t = u_xx", LINE, "[exact]\nu = \"exp(-4*pi^2*t)*sin(2*pi*x)\"");
    let problem = loaded(Problem::from_toml(&text, &Overrides::new()));
    assert_eq!((problem.name.as_str(), problem.title.as_str()), ("untitled", "untitled"));
    assert_eq!(problem.reference.kind, ReferenceKind::Auto);
    assert_eq!((problem.network.width, problem.network.hidden_layers), (25, 5));
    let initial = problem.initial[0].evaluate_at(&[0.25], f64::NAN, &[]);
    assert!((initial - 1.0).abs() < 1e-15, "the exact solution gives the initial state: {initial}");
    assert_eq!((problem.distance, problem.lift), (None, None));
}

#[test]
fn an_unknown_of_another_name_and_long_coordinate_names_work() {
    let text = "format = 1\n[equation]\nunknown = \"phi\"\ntext = \"phi_t = phi_{r1 r2} + phi_r1\"\n\
                [domain]\nr1 = { range = [0, 1] }\nr2 = { range = [0, 1] }\n[time]\nend = 1\n\
                [initial]\nphi = 1\n";
    let problem = loaded(Problem::from_toml(text, &Overrides::new()));
    assert_eq!(problem.right_hand_side[0].to_text(&problem.names()), "phi_{r1 r2} + phi_{r1}");
}

/// Largest difference between the ansatz and the given values, over all sides.
fn side_error(problem: &Problem, shift: f64) -> f64 {
    let lift = problem.lift.as_ref().map_or(0.0.into(), |lift| lift[0].clone());
    let distance = problem.distance.clone().expect("a Dirichlet problem").remove(0);
    let values = problem.parameter_values();
    let random = Points::random(&problem.coordinates, 50, 9);
    let mut worst = 0.0f64;
    for (k, c) in problem.coordinates.iter().enumerate() {
        for (sides, [side, _]) in c.sides().into_iter().flatten() {
            let value = sides[0].value();
            for i in 0..random.len() {
                let (mut point, time) = (random.point(i).to_vec(), 0.02 * i as f64);
                point[k] = side;
                let at = |e: &Expression| e.evaluate_at(&point, time, &values);
                // Any network: its value is multiplied by zero.
                let ansatz = at(&lift) + at(&distance) * 1e3 + shift;
                worst = worst.max((ansatz - at(value)).abs());
            }
        }
    }
    worst
}

/// A box in which the given coordinates carry the values of `g` on their sides, the others are
/// periodic.
fn box_with_values(g: &str, coordinates: &[(&str, f64, f64, bool)]) -> String {
    let names = Names {
        unknowns: vec!["u".into()],
        coordinates: coordinates.iter().map(|c| c.0.to_owned()).collect(),
        parameters: vec!["c".into()],
        ..Names::default()
    };
    let g = parse_expression(g, &names, Role::Exact).expect("a valid formula");
    let mut domain = String::new();
    for (k, (name, lower, upper, dirichlet)) in coordinates.iter().enumerate() {
        let on = |side: f64| g.substitute_coordinate(k, &side.into()).to_text(&names);
        let boundary = match dirichlet {
            true => format!("lower = \"{}\", upper = \"{}\"", on(*lower), on(*upper)),
            false => "boundary = \"periodic\"".into(),
        };
        domain += &format!("{name} = {{ range = [{lower}, {upper}], {boundary} }}\n");
    }
    let initial = g.substitute_time(&0.0.into()).to_text(&names);
    file("u_t = u", &domain, &format!("[initial]\nu = \"{initial}\"\n[parameters]\nc = 0.3"))
}

#[test]
fn the_ansatz_takes_the_values_on_every_side() {
    let (x, y, z) = (("x", -1.0, 2.0, true), ("y", 0.1, 0.7, true), ("z", 3.0, 5.0, true));
    let periodic = ("y", 0.0, 1.0, false);
    for (g, coordinates) in [
        ("sin(x + t) + c*x^2", vec![x]),
        ("sin(x*y + t) + c*exp(y)", vec![x, y]),
        ("sin(x*y + t) + z^2*x - c*y*z", vec![x, y, z]),
        ("sin(x + t)*cos(2*pi*y) + z^2*x", vec![x, periodic, z]),
    ] {
        let text = box_with_values(g, &coordinates);
        let problem = loaded(Problem::from_toml(&text, &Overrides::new()));
        assert!(side_error(&problem, 0.0) < 1e-13, "{g}: {}", side_error(&problem, 0.0));
        assert!(side_error(&problem, 1e-9) > 1e-13, "a wrong lift passes");
        let middle: Vec<f64> =
            problem.coordinates.iter().map(|c| (c.lower + c.upper) / 2.0).collect();
        let distance = problem.distance.expect("a factor")[0].evaluate_at(&middle, 0.0, &[]);
        assert!((distance - 1.0).abs() < 1e-15, "one in the middle: {distance}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Err(errors) = Problem::from_bytes(&bytes, &Overrides::new()) {
            prop_assert!(!errors.errors.is_empty());
            prop_assert!(!errors.to_string().is_empty());
        }
    }

    /// Presets with pieces cut out, doubled or replaced reach much deeper than random bytes.
    #[test]
    fn damaged_files_are_read_or_refused(
        which in 0..presets().len() + residual_presets().len(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..20usize, "\\PC{0,6}|[-+*/^()0-9.=\\[\\]{}\"]{0,4}"), 1..6),
    ) {
        let all: Vec<_> = presets().iter().chain(residual_presets()).collect();
        let mut text = all[which].text.to_owned();
        for (place, length, piece) in edits {
            let boundary = |at: usize| (0..=at).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
            let start = boundary(place.index(text.len() + 1));
            let end = boundary((start + length).min(text.len())).max(start);
            text.replace_range(start..end, &piece);
        }
        match ProblemFile::from_bytes(text.as_bytes(), None, &Overrides::new()) {
            Ok(problem) => {
                let source = problem.source().as_bytes();
                let again = ProblemFile::from_bytes(source, None, &Overrides::new());
                prop_assert_eq!(again.as_ref(), Ok(&problem));
            }
            Err(errors) => {
                for error in &errors.errors {
                    prop_assert!(error.line >= 1 && error.column >= 1);
                    prop_assert!(!error.remedy().is_empty(), "{}", error);
                    prop_assert!(text.get(error.span.clone()).is_some());
                }
                prop_assert!(!errors.to_string().is_empty());
            }
        }
    }

    #[test]
    fn any_override_is_applied_or_refused(key in "[a-z.]{0,20}|method\\.(step|columns)|domain\\.x\\.range", value in "\\PC{0,12}") {
        let list = vec![(key, value)];
        if let Ok(problem) = Problem::from_toml(presets()[0].text, &list) {
            let again = Problem::from_toml(&problem.source, &Overrides::new());
            prop_assert_eq!(again.as_ref(), Ok(&problem));
        }
    }
}
