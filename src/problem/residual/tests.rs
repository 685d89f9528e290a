//! Files of residual problems, what is wrong with them, and the points that they ask for.

use super::*;
use crate::{
    Architecture, FourierSettings, Issue, Preset, Problem, ProblemFile, benchmarks,
    residual_presets,
};

/// A file with one coordinate pair and the given blocks.
fn file(blocks: &str) -> String {
    format!("format = 1\n[domain]\nt = {{ range = [0, 1] }}\nx = {{ range = [-1, 3] }}\n{blocks}\n")
}

const INTERIOR: &str = "[residual.interior]\nequation = \"u_t = u_xx\"\n";

fn read(text: &str) -> ResidualProblem {
    ResidualProblem::from_toml(text, &Overrides::new()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Line, column, message and remedy of every mistake.
fn mistakes(text: &str) -> Vec<(usize, usize, String, String)> {
    let errors = ResidualProblem::from_toml(text, &Overrides::new()).expect_err("mistakes");
    errors.errors.iter().map(|e| (e.line, e.column, e.message(), e.remedy())).collect()
}

fn mistake(blocks: &str) -> (usize, usize, String, String) {
    let found = mistakes(&file(blocks));
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().expect("one")
}

#[test]
fn presets_read_back_as_they_are_with_variants_and_overrides() {
    for preset in residual_presets() {
        let problem = read(preset.text);
        assert_eq!((problem.name.as_str(), problem.unknowns.len()), (preset.name, preset.unknowns));
        let overrides = vec![
            ("run.seed".to_owned(), "7".to_owned()),
            ("residual.interior.weight".to_owned(), "2.5".to_owned()),
        ];
        let changed = ResidualProblem::from_toml(preset.text, &overrides).expect("valid");
        assert_eq!((changed.seed, changed.blocks[0].weight), (7, 2.5));
        assert_eq!(read(&changed.source), changed);
        for variant in Problem::variants(preset.text).expect("valid").keys() {
            let bytes = preset.text.as_bytes();
            match ProblemFile::from_bytes(bytes, Some(variant), &Overrides::new()) {
                Ok(ProblemFile::Residual(varied)) => assert_eq!(read(&varied.source), varied),
                other => panic!("{variant}: {other:?}"),
            }
        }
    }
}

#[test]
fn every_mistake_is_located_and_has_a_remedy() {
    let text = file(
        r#"[residual.interior]
equation = "u_t = u_xx + u_z"
wieght = 2
[residual.left]
on = "y = 0"
equation = "u = 0"
[residual.right]
on = ["x = 3", "x = 4*pi"]
equation = "u - 1"
[residual.somewhere]
on = "nowhere"
equation = "t = 0"
points = { layout = "sobl" }
[residual.both]
on = "t = 0"
periodic = "x"
[residual.sensors]
data = [[0.5, 0, 1], [0.5, 1]]
[residual.thin]
on = "x = 3"
equation = "u = 0"
points = { count = 2, walls = false }
[network]
layers = [20, 30]"#,
    );
    let expected = [
        (6, 26, "u_z: no coordinate is called z", "the coordinates are t, x"),
        (7, 1, "unknown key wieght in [residual.interior]", "did you mean weight?"),
        (9, 6, "no coordinate is called y", "the coordinates are t, x"),
        (12, 16, "x = 12.566370614359172 lies outside", "change it, or the range"),
        (13, 13, "the equation has no '='", "write u - 1 = .."),
        (15, 6, "'nowhere' is no part of the domain", "write interior, boundary, or a side"),
        (16, 12, "the block somewhere does not contain u", "write an equation for u"),
        (17, 21, "residual.somewhere.points.layout cannot be 'sobl'", "did you mean sobol?"),
        (20, 12, "on and periodic exclude each other", "remove on or periodic"),
        (22, 22, "a row of 2 numbers where 3 are needed", "write all coordinates"),
        (26, 10, "the block thin has no points", "choose more points"),
        (28, 10, "the hidden layers have different widths", "give every hidden layer"),
    ];
    let found = mistakes(&text);
    for (line, column, message, remedy) in expected {
        let hit = found.iter().find(|(l, c, ..)| (*l, *c) == (line, column));
        let (_, _, m, r) = hit.unwrap_or_else(|| panic!("{line}:{column} in {found:#?}"));
        assert!(m.contains(message) && r.contains(remedy), "{m}; {r}");
    }
    // The block with two places also lacks what its first place needs.
    assert_eq!(found.len(), expected.len() + 1, "{found:#?}");
}

#[test]
fn as_many_coordinates_as_there_may_be_are_checked() {
    for count in [7, 8] {
        let axes = (1..=count).map(|k| format!("x{k} = {{ range = [0, 1] }}\n"));
        let text = format!(
            "format = 1\n[domain]\n{}[residual.interior]\nequation = \"laplace(u) = 0\"\n\
             [residual.sides]\non = \"boundary\"\nequation = \"u = x1*x{count}\"\n\
             [exact]\nu = \"x1*x{count}\"\n",
            axes.collect::<String>()
        );
        assert_eq!(read(&text).dimensions(), count);
        let wrong = text.replace(&format!("u = \"x1*x{count}\""), &format!("u = \"x{count}^2\""));
        assert!(wrong != text && !mistakes(&wrong).is_empty(), "{count}");
    }
}

#[test]
fn a_problem_without_an_interior_is_refused() {
    let (line, _, message, remedy) =
        mistake("[residual.ends]\non = \"x = 3\"\nequation = \"u = 0\"");
    assert_eq!((line, message.as_str()), (5, "no block states the equation inside the domain"));
    assert!(remedy.contains("[residual.interior]"));
}

#[test]
fn contradictions_are_found_before_any_work() {
    let (line, column, message, _) =
        mistake(&format!("{INTERIOR}points = {{ count = 5, resample = 3 }}"));
    assert_eq!((line, column), (7, 34));
    assert!(message.starts_with("resample and a layout that is always the same"), "{message}");
    let side = |name: &str, value: &str| {
        format!("[residual.{name}]\non = \"x = 3\"\nequation = \"2*u = {value}\"\n")
    };
    let (line, _, message, _) =
        mistake(&format!("{INTERIOR}{}{}", side("warm", "t"), side("cold", "t^2")));
    assert_eq!(line, 12);
    assert!(message.starts_with("warm and cold ask for different values at t = "), "{message}");
    read(&file(&format!("{INTERIOR}{}{}", side("warm", "t"), side("same", "t*1"))));
    let exact = "[exact]\nu = \"exp(-t)*sin(x)\"\n";
    read(&file(&format!("{INTERIOR}{exact}")));
    let (line, _, message, _) =
        mistake(&format!("[residual.interior]\nequation = \"u_t = 2*u_xx\"\n{exact}"));
    assert_eq!(line, 6);
    assert!(message.starts_with("the exact solution misses the block interior by"), "{message}");
    let seam = "[residual.seam]\nperiodic = \"x\"\nmatch = \"u\"\n";
    let (_, _, message, _) = mistake(&format!("{INTERIOR}{seam}{exact}"));
    assert!(message.contains("misses the block seam"), "{message}");
}

#[test]
fn baselines_are_read_with_their_defaults() {
    let settings = |text: &str| read(&file(&format!("{INTERIOR}{text}")));
    let plain = settings("");
    assert_eq!((plain.network.architecture, plain.method.causal), (Default::default(), None));
    let problem = settings(
        "[network]\narchitecture = \"modified-mlp\"\nfourier = { scale = 3 }\n\
         [method]\ncausal = { tolerance = 50 }",
    );
    assert_eq!(problem.network.architecture.kind, Architecture::ModifiedMlp);
    assert_eq!(
        problem.network.architecture.fourier,
        Some(FourierSettings { count: 32, scale: 3.0 })
    );
    let causal = problem.method.causal.clone().expect("weights along time");
    assert_eq!((causal.tolerance, causal.slices), (50.0, 32));
    assert_eq!(problem.axes[causal.along].name, "t");
    assert_eq!(settings("[method]\ncausal = { tolerance = 0 }").method.causal, None);
    // 20 units with 64 slopes and an offset each, three times; three layers; the output.
    let parameters = 3 * 20 * 65 + 3 * 420 + 21;
    assert_eq!(problem.network.parameters(0, 2, 1), parameters);
}

#[test]
fn baselines_that_make_no_sense_are_refused() {
    let refused = |text: &str| mistake(&format!("{INTERIOR}{text}"));
    let (.., message, remedy) = refused("[method]\ncausal = { along = \"s\" }");
    assert_eq!(message, "no coordinate is called s");
    assert_eq!(remedy, "the coordinates are t, x");
    let (.., message, _) = refused("[method]\ncausal = { tolerance = -1 }");
    assert!(message.starts_with("method.causal.tolerance is -1, but must be"), "{message}");
    let (.., message, _) = refused("[method]\ncausal = { slices = 1 }");
    assert!(message.starts_with("method.causal.slices is 1, but must be"), "{message}");
    let rational = "[network]\nactivation = \"rational\"\narchitecture = \"modified-mlp\"";
    let (line, column, message, _) = refused(rational);
    assert_eq!((line, column), (9, 16), "{message}");
    assert!(message.ends_with("a trainable activation exclude each other"), "{message}");
    let periodic = "format = 1\n[domain]\nx = { range = [0, 1], embedding = \"periodic\" }\n\
                    [residual.interior]\nequation = \"u_xx = sin(2*pi*x)\"\n\
                    [network]\nfourier = { count = 4 }";
    let found = mistakes(periodic);
    assert!(found[0].2.contains("coordinates all are periodic"), "{found:?}");
}

#[test]
fn a_file_of_the_other_family_says_so() {
    let residual = residual_presets()[0].text;
    let errors = Problem::from_toml(residual, &Overrides::new()).expect_err("a residual problem");
    let wanted = "an evolution problem";
    assert_eq!(errors.errors[0].issue, Issue::Residual(ResidualIssue::OtherFamily { wanted }));
    assert!(errors.errors[0].source_line.starts_with("[residual."), "{errors}");
    let evolution = Preset::find("burgers").expect("a preset").text;
    let errors = ResidualProblem::from_toml(evolution, &Overrides::new()).expect_err("evolution");
    assert!(errors.to_string().contains("does not state a residual problem"), "{errors}");
}

#[test]
fn time_is_a_coordinate_only_where_the_domain_has_it() {
    let text = "format = 1\n[domain]\nx = { range = [0, 1] }\n[residual.interior]\n\
                equation = \"u_t = u_xx + t\"";
    let found = mistakes(text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|(.., remedy)| remedy.contains("add t = { range = [0, 1] }")));
    // In space-time the Laplacian is that of space.
    let laplace = |text: &str| {
        let blocks = format!("[residual.interior]\nequation = \"{text}\"");
        read(&file(&blocks)).blocks[0].condition.clone()
    };
    assert_eq!(laplace("u_t = laplace(u)"), laplace("u_t = u_xx"));
}

fn points(blocks: &str, index: usize) -> BlockPoints {
    read(&file(&format!("{INTERIOR}{blocks}"))).block_points(index, 0)
}

#[test]
fn grids_have_walls_or_not_and_shared_corners_once() {
    let interior = "points = { count = [3, 5], walls = false }";
    let found = points(interior, 0);
    assert_eq!(found.coordinates, [0.5, 0.0, 0.5, 1.0, 0.5, 2.0]);
    assert_eq!(found.measure, 4.0);
    let found = points("points = { layout = \"midpoints\", count = [1, 2] }", 0);
    assert_eq!(found.coordinates, [0.5, 0.0, 0.5, 2.0]);
    let walls = "[residual.walls]\non = ['t = 0', 't = 1', 'x = -1', 'x = 3']\n\
                 equation = \"u = 0\"\npoints = { count = 5 }";
    let found = points(walls, 1);
    assert_eq!(found.coordinates.len(), 2 * (4 * 5 - 4));
    assert_eq!(found.measure, 2.0 * 4.0 + 2.0 * 1.0);
    // The boundary is that of space.
    let found = points(&walls.replace("['t = 0', 't = 1', 'x = -1', 'x = 3']", "'boundary'"), 1);
    assert_eq!((found.coordinates.len(), found.measure), (2 * 10, 2.0));
    let seam = "[residual.seam]\nperiodic = \"x\"\npoints = { count = 2 }";
    let found = points(seam, 1);
    assert_eq!(found.coordinates, [0.0, -1.0, 1.0, -1.0]);
    assert_eq!(found.partners, Some(vec![0.0, 3.0, 1.0, 3.0]));
}

#[test]
fn scattered_points_lie_where_they_should_and_never_repeat() {
    let blocks = |layout: &str| {
        format!(
            "points = {{ layout = \"{layout}\", count = 64 }}\n[residual.walls]\n\
             on = ['t = 0', 't = 1', 'x = -1', 'x = 3']\nequation = \"u = 0\"\n\
             points = {{ layout = \"{layout}\", count = 50 }}"
        )
    };
    for layout in ["random", "sobol", "latin-hypercube"] {
        let problem = read(&file(&format!("{INTERIOR}{}", blocks(layout))));
        let interior = problem.block_points(0, 0);
        assert_eq!(interior, problem.block_points(0, 0));
        assert_ne!(interior, problem.block_points(0, 1), "another draw");
        assert_eq!(interior.coordinates.len(), 128);
        for point in interior.coordinates.chunks(2) {
            assert!((0.0..=1.0).contains(&point[0]) && (-1.0..=3.0).contains(&point[1]));
        }
        // The two sides x = const have 1 of 10 parts of the boundary each, the others 4.
        let walls = problem.block_points(1, 0).coordinates;
        let on = |k: usize, at: f64| walls.chunks(2).filter(|p| p[k] == at).count();
        assert_eq!([on(1, -1.0), on(1, 3.0), on(0, 0.0), on(0, 1.0)], [5, 5, 20, 20], "{layout}");
        let mut all: Vec<u64> = interior.coordinates.iter().map(|x| x.to_bits()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 128, "{layout} repeats a number");
    }
    let lhs = read(&file(&format!("{INTERIOR}{}", blocks("latin-hypercube"))));
    let mut slices: Vec<usize> =
        lhs.block_points(0, 0).coordinates.chunks(2).map(|p| (64.0 * p[0]) as usize).collect();
    slices.sort_unstable();
    assert!(slices.into_iter().eq(0..64), "one point per slice");
}

/// n nodes integrate polynomials of degree 2 n - 1 exactly, and no further.
#[test]
fn gauss_points_integrate_polynomials() {
    let found = points("points = { layout = \"gauss\", count = [1, 6] }", 0);
    let weights = found.weights.expect("weights");
    let integral = |degree: i32| -> f64 {
        let values = found.coordinates.chunks(2).zip(&weights);
        found.measure / 6.0 * values.map(|(p, w)| w * p[1].powi(degree)).sum::<f64>()
    };
    let exact = |degree: i32| {
        let next = f64::from(degree + 1);
        (3f64.powi(degree + 1) - (-1f64).powi(degree + 1)) / next
    };
    for degree in 0..12 {
        let relative = (integral(degree) / exact(degree) - 1.0).abs();
        assert!(relative < 1e-13, "{degree}: {relative}");
    }
    assert!((integral(12) / exact(12) - 1.0).abs() > 1e-7, "a wrong node would be seen");
}

#[test]
fn the_solution_at_single_points_is_read() {
    let reference = |text: &str| format!("{INTERIOR}[reference]\n{text}");
    let known = read(&file(&reference("data = [[0, 1, 5], [1, -1, 6]]"))).known.expect("values");
    assert_eq!((known.points, known.values), (vec![0.0, 1.0, 1.0, -1.0], vec![5.0, 6.0]));
    let text = "data = [[5, 1, 0]]\ncolumns = ['u', 'x', 't']";
    let known = read(&file(&reference(text))).known.expect("values");
    assert_eq!((known.points, known.values), (vec![0.0, 1.0], vec![5.0]));
    for (text, message) in [
        ("data = [[0, 1]]", "a row of 2 numbers where 3 are needed"),
        ("data = [[0, 7, 1]]", "x = 7 lies outside the domain"),
        ("data = [[0, 1, 1]]\ncolumns = ['t', 'y', 'u']", "no coordinate is called y"),
        ("data = [[0, 1]]\ncolumns = ['t', 'x']", "a row of 2 numbers where 3 are needed"),
        ("data = []", "the block reference has no points"),
        ("data = [[0, 1, 1]]\ninitial = 'x'", "unknown key initial"),
    ] {
        let (.., found, _) = mistake(&reference(text));
        assert!(found.contains(message), "{found}");
    }
}

#[test]
fn benchmarks_are_valid_files_that_say_what_they_are_compared_with() {
    for preset in benchmarks() {
        let file = ProblemFile::from_bytes(preset.text.as_bytes(), None, &Overrides::new());
        let (name, unknowns) = match file.unwrap_or_else(|errors| panic!("{errors}")) {
            ProblemFile::Evolution(problem) => (problem.name, problem.unknowns.len()),
            ProblemFile::Residual(problem) => {
                let known = problem.known.map(|known| known.values.len());
                assert!(
                    problem.exact.is_some() != known.is_some_and(|n| n >= 700),
                    "{}",
                    preset.name
                );
                (problem.name, problem.unknowns.len())
            }
        };
        assert_eq!((name.as_str(), unknowns), (preset.name, preset.unknowns));
    }
}

/// A problem with a constant to be found and data.
fn sought(parameter: &str, blocks: &str) -> String {
    file(&format!(
        "[parameters]\nk = {{ {parameter} }}\n[residual.interior]\nequation = \"u_t = k*u_xx\"\n{blocks}"
    ))
}

const MEASURED: &str = "[residual.measured]\ndata = [[0.5, 1, 0.3]]\n";

#[test]
fn constants_to_be_found_are_said_so_and_change_the_defaults() {
    let problem = read(&sought("value = 2, find = true, range = [0, 10]", MEASURED));
    assert_eq!(problem.sought().collect::<Vec<_>>(), [0]);
    assert_eq!((problem.parameters[0].scale(), problem.parameters[0].value), (5.0, 2.0));
    assert!(!problem.method.correction, "noise is no residual to take away");
    // 1,341 parameters: 53 by 53 nodes inside the walls.
    assert_eq!(problem.blocks[0].samples.count, [54]);
    assert_eq!(read(&problem.source), problem);
    let known = read(&sought("value = 2", MEASURED));
    assert!(known.sought().next().is_none() && known.method.correction);
    assert_eq!(known.blocks[0].samples.count, [30]);
    // Whatever is trained in its place, it stays in its range.
    for z in [-30.0, -1.0, 0.0, 0.5, 2.0, 100.0] {
        assert!((0.0..=10.0).contains(&problem.values_at(&[z])[0]), "{z}");
    }
    // Unknowns behind u stand for it.
    let fixed = problem.fixed(&problem.blocks[0].condition.expressions()[0]);
    assert!(fixed.entries().iter().any(|entry| entry.unknown == 1));
    assert!(!fixed.names(0));
}

#[test]
fn constants_that_cannot_be_found_are_refused_where_they_stand() {
    let refused = |text: &str, message: &str, remedy: &str| {
        let found = mistakes(text);
        assert_eq!(found.len(), 1, "{found:?}");
        let (line, _, said, help) = &found[0];
        assert!(*line > 1 && said.contains(message) && help.contains(remedy), "{found:?}");
    };
    let text = sought("value = 2, find = true", "");
    refused(&text, "k is to be found, and there are no data", "a block of measurements");
    let text = sought("value = 11, find = true, range = [0, 10]", MEASURED);
    refused(&text, "k = 11 lies outside its range [0, 10]", "change the value");
    let text = sought("value = 0, find = true, range = [0, 10]", MEASURED);
    refused(&text, "k begins at 0, an end of its range", "begin inside");
    let text = sought("value = 1, find = 1", MEASURED);
    refused(&text, "parameters.k.find", "true or false");
    let elsewhere = [
        ("[exact]\nu = \"exp(-k*t)\"\n", "the exact solution names k"),
        ("[reference]\nequation = \"u_t = k*u_xx\"\ninitial = \"x\"\n", "the reference names k"),
        ("[shapes]\nhole.formula = \"x^2 - k\"\n", "a shape names k"),
    ];
    for (more, message) in elsewhere {
        let text = sought("value = 0.5, find = true", &format!("{MEASURED}{more}"));
        let text = match more.contains("shapes") {
            false => text,
            true => text.replace("[parameters]", "shape = \"box - hole\"\n[parameters]"),
        };
        let found = mistakes(&text);
        assert!(found.iter().any(|(_, _, said, _)| said.contains(message)), "{found:?}");
    }
    let text = sought("value = 1, find = true", MEASURED).replace("k*u_xx", "u_xx");
    refused(&text, "no block names it", "write k in an equation");
    let text =
        sought("value = 1, find = true", &format!("{MEASURED}[method]\ncorrection = true\n"));
    refused(&text, "method.correction and constants to be found", "remove");
    let energy = "[residual.more]\nenergy = \"u_x^2\"\n";
    let text = sought("value = 1, find = true", &format!("{MEASURED}{energy}"));
    refused(&text, "energy and constants to be found", "remove");
    let text = sought("value = 1, find = true", MEASURED).replace("[-1, 3]", "[-1, \"3*k\"]");
    assert!(!mistakes(&text).is_empty(), "ranges are numbers");
    let evolution = "format = 1\n[equation]\ntext = \"u_t = k*u_xx\"\n[domain]\n\
                     x = { range = [0, 1] }\n[time]\nend = 1\n[initial]\nu = \"sin(2*pi*x)\"\n\
                     [parameters]\nk = { value = 0.1, find = true }\n";
    let errors = Problem::from_toml(evolution, &Overrides::new()).expect_err("not in steps");
    assert!(errors.to_string().contains("which only trainings over the whole domain do"));
    assert!(errors.to_string().contains("with t among the coordinates"));
}

#[test]
fn data_count_by_their_noise() {
    let more = "[residual.first]\ndata = [[0.5, 1, 0.3], [0.5, 2, 0.3]]\nnoise = 0.1\n\
                [residual.second]\ndata = [[0.5, 1, 0.3]]\nnoise = 0.05\n\
                [residual.third]\ndata = [[0.5, 1, 0.3]]\nweight = 3\n";
    let problem = read(&sought("value = 1", more));
    let weights: Vec<f64> = problem.blocks.iter().map(|block| block.weight).collect();
    // N / s^2: 200, 400, and 100 of the one that counts as the noisiest and has a weight of its own.
    let share = |part: f64| 1e-4 * part / 700.0;
    for (found, wanted) in weights.iter().zip([1.0, share(200.0), share(400.0), 3.0]) {
        assert!((found - wanted).abs() < 1e-15, "{weights:?}");
    }
    // Without a noise, and nothing to be found, data count as any other block.
    assert_eq!(read(&sought("value = 1", MEASURED)).blocks[1].weight, 1.0);
    assert_eq!(read(&sought("value = 1, find = true", MEASURED)).blocks[1].weight, 1e-4);
    let found = mistake(&format!("{INTERIOR}{MEASURED}noise = 0\n"));
    assert!(found.2.contains("noise") && found.3.contains("positive"), "{found:?}");
}
