//! Shapes against what is known of them: areas, lengths, normals, where points lie.

use std::f64::consts::{PI, TAU};

use super::*;
use crate::residual::{BlockPoints, Part, ResidualProblem};
use crate::{Overrides, ProblemErrors};

fn read(domain: &str, shapes: &str, rest: &str) -> Result<ResidualProblem, ProblemErrors> {
    let text = format!("format = 1\n[domain]\n{domain}\n[shapes]\n{shapes}\n{rest}");
    ResidualProblem::from_toml(&text, &Overrides::new())
}

/// In the square from -1 to 1.
fn square(shape: &str, shapes: &str) -> ResidualProblem {
    let domain = format!("x = {{ range = [-1, 1] }}\ny = {{ range = [-1, 1] }}\nshape = '{shape}'");
    let rest = "[residual.interior]\nequation = 'laplace(u) = 1'\n\
                [residual.walls]\non = 'boundary'\nequation = 'u = 0'\n";
    read(&domain, shapes, rest).unwrap_or_else(|errors| panic!("{errors}"))
}

fn shape(problem: &ResidualProblem) -> &Shape {
    problem.shape.as_ref().expect("a shape")
}

/// Volume of the domain, and the measure of what each piece bounds of it.
fn measures(problem: &ResidualProblem) -> (f64, Vec<f64>) {
    let shape = shape(problem);
    (shape.volume(), (0..shape.pieces()).map(|piece| shape.measure(piece)).collect())
}

fn close(found: f64, exact: f64, tolerance: f64) {
    assert!((found / exact - 1.0).abs() < tolerance, "{found} for {exact}");
}

/// A corner that is taken away takes the sides of the box behind it away as well.
#[test]
fn what_is_taken_away_at_a_side_leaves_no_line_of_it() {
    let problem = square("box - corner", "corner.box = { x = [0, 1], y = [0, 1] }");
    let shape = shape(&problem);
    for (point, inside) in [
        ([1.0, 0.5], false),
        ([1.0, 1.0], false),
        ([0.5, 1.0], false),
        ([1.0, -0.5], true),
        ([-1.0, 1.0], true),
        ([0.0, 0.5], true),
    ] {
        assert_eq!(shape.contains(&point), inside, "{point:?}");
    }
    let points = problem.evaluation_points();
    assert!(points.chunks_exact(2).all(|p| !(p[0] > 0.0 && p[1] > 0.0)));
}

#[test]
fn whole_discs_polygons_and_boxes_have_their_lengths_exactly() {
    let disc = square("box - a", "a.disc = { centre = [0.2, 0.1], radius = 0.3 }");
    let (area, lengths) = measures(&disc);
    close(area, 4.0 - PI * 0.09, 2e-4);
    close(lengths[0], TAU * 0.3, 1e-14);
    let triangle = square("a", "a.polygon = [[0, 0], [0.6, 0], [0.6, 0.8], [0, 0]]");
    let (area, lengths) = measures(&triangle);
    close(area, 0.24, 2e-3);
    close(lengths[0], 2.4, 1e-14);
    let (area, lengths) = measures(&square("a", "a.box = { x = [0, 0.5], y = [-0.5, 0.25] }"));
    close(area, 0.375, 2e-3);
    close(lengths[0], 2.5, 1e-14);
}

/// Half a circle is cut off by a line, the line by the circle; a box that lies on the side bounds
/// the domain by three of its sides only.
#[test]
fn only_what_bounds_the_domain_counts() {
    let half = square(
        "disc & half",
        "disc.disc = { centre = [0, 0], radius = 0.5 }\n\
         half.half-plane = { point = [0, 0], normal = [0.3, 0.4] }",
    );
    let (area, lengths) = measures(&half);
    close(area, PI / 8.0, 2e-3);
    close(lengths[0], PI / 2.0, 1e-3);
    close(lengths[1], 1.0, 2e-3);
    let step = square("box - a", "a.box = { x = [0, 1], y = [0, 1] }");
    let (area, lengths) = measures(&step);
    close(area, 3.0, 1e-14);
    close(lengths[0], 2.0, 1e-14);
    // Two overlapping discs, and one in their middle that bounds nothing.
    let two = square(
        "box - a - b",
        "a.disc = { centre = [-0.2, 0], radius = 0.4 }\nb.disc = { centre = [0.2, 0], radius = 0.4 }",
    );
    let (_, lengths) = measures(&two);
    let hidden = 2.0 * (0.2f64 / 0.4).acos() * 0.4;
    lengths.iter().for_each(|length| close(*length, TAU * 0.4 - hidden, 1e-3));
}

/// Surfaces that are known by a function alone, and what they measure.
#[test]
fn formulas_and_ellipses_are_measured() {
    let circle = square("box - a", "a.formula = 'x^2 + y^2 - 0.25'");
    close(measures(&circle).1[0], PI, 1e-3);
    // Perimeter of the ellipse with half axes 0.8 and 0.3, by Ramanujan's second formula (1e-7).
    let ellipse = square("a", "a.ellipse = { centre = [0, 0], axes = [0.8, 0.3], angle = 'pi/6' }");
    let (area, lengths) = measures(&ellipse);
    close(area, PI * 0.24, 2e-3);
    let h: f64 = (0.5f64 / 1.1).powi(2);
    let perimeter = PI * 1.1 * (1.0 + 3.0 * h / (10.0 + (4.0 - 3.0 * h).sqrt()));
    close(lengths[0], perimeter, 1e-3);
}

#[test]
fn balls_in_any_dimension_and_time_beside_space() {
    for (d, volume, area) in
        [(3, 4.0 / 3.0 * PI, 4.0 * PI), (5, 8.0 * PI * PI / 15.0, 8.0 * PI * PI / 3.0)]
    {
        let axes: Vec<String> = (1..=d).map(|k| format!("x{k} = {{ range = [-1, 1] }}")).collect();
        let domain = format!("t = {{ range = [0, 2] }}\n{}\nshape = 'a'", axes.join("\n"));
        let shapes = format!("a.ball = {{ centre = {:?}, radius = 1 }}", vec![0; d]);
        let rest = "[residual.interior]\nequation = 'u_t = laplace(u)'\n\
            points = { count = 300 }\n[residual.sphere]\non = 'a'\n\
            equation = 'u_n + n_x1 = 1'\npoints = { count = 200 }\n\
            [residual.start]\non = 't = 0'\nequation = 'u = 1'\npoints = { count = 100 }";
        let problem = read(&domain, &shapes, rest).unwrap_or_else(|errors| panic!("{errors}"));
        let [interior, sphere, start] = [0, 1, 2].map(|block| problem.block_points(block, 0));
        close(interior.measure, 2.0 * volume, 1e-2);
        close(sphere.measure, 2.0 * area, 1e-14);
        close(start.measure, volume, 1e-2);
        let points = |points: &BlockPoints| -> Vec<Vec<f64>> {
            points.coordinates.chunks(d + 1).map(<[f64]>::to_vec).collect()
        };
        let radius = |point: &[f64]| point[1..].iter().map(|x| x * x).sum::<f64>().sqrt();
        assert_eq!([&interior, &sphere, &start].map(|p| points(p).len()), [300, 200, 100]);
        assert!(points(&interior).iter().all(|p| radius(p) < 1.0 && (0.0..=2.0).contains(&p[0])));
        assert!(points(&start).iter().all(|p| radius(p) < 1.0 && p[0] == 0.0));
        assert!(points(&sphere).iter().all(|p| (radius(p) - 1.0).abs() < 1e-12));
        let mean = points(&sphere).iter().map(|p| p[0]).sum::<f64>() / 200.0;
        assert!((mean - 1.0).abs() < 0.05, "spread over time: {mean}");
        let normals = problem.domain().normals(&[Part::Piece(0)], &sphere.coordinates);
        for (i, point) in points(&sphere).iter().enumerate() {
            assert_eq!(normals[0][i], 0.0, "no normal along the time");
            (1..=d).for_each(|k| assert!((normals[k][i] - point[k]).abs() < 1e-12));
        }
    }
}

/// Normals against differences of the distance, on every kind of surface and both sides of it.
#[test]
fn normals_lead_out_of_the_domain() {
    let kinds = [
        ("box - a", "a.disc = { centre = [0.1, 0.2], radius = 0.5 }"),
        ("a", "a.disc = { centre = [0.1, 0.2], radius = 0.5 }"),
        ("box - a", "a.ellipse = { centre = [0.1, 0.2], axes = [0.7, 0.2], angle = 0.4 }"),
        ("box - a", "a.polygon = [[-0.5, -0.5], [0.5, -0.3], [0, 0], [0.2, 0.7]]"),
        ("box - a", "a.polygon = [[0.2, 0.7], [0, 0], [0.5, -0.3], [-0.5, -0.5]]"),
        ("a", "a.box = { x = [-0.3, 0.5], y = [-0.4, 0.1] }"),
        ("box & a", "a.half-plane = { point = [0.1, 0], normal = [1, 2] }"),
        ("box - a", "a.formula = 'x^4 + 3*y^2 - 0.3 + 0.1*x*y'"),
    ];
    for (tree, body) in kinds {
        let problem = square(tree, body);
        let shape = shape(&problem);
        let points = problem.domain().points_of_part(&Part::Piece(0), 200);
        assert_eq!(points.len(), 200);
        let sign = if tree == "box - a" { -1.0 } else { 1.0 };
        let mut checked = 0;
        for point in &points {
            let normal = shape.normal(0, point).expect("bounds the domain");
            let at = |k: usize, step: f64| {
                let mut moved = point.clone();
                moved[k] += step;
                shape.pieces[0].signed(&moved)
            };
            // One-sided differences agree away from corners.
            let slope = |k: usize, h: f64| (at(k, h) - at(k, -h)) / (2.0 * h);
            let gradient: Vec<f64> = (0..2).map(|k| slope(k, 1e-5)).collect();
            let wide: Vec<f64> = (0..2).map(|k| slope(k, 2e-5)).collect();
            let size = piece::norm(&gradient);
            if gradient.iter().zip(&wide).any(|(a, b)| (a - b).abs() > 1e-3 * size) {
                continue;
            }
            checked += 1;
            for (n, g) in normal.iter().zip(&gradient) {
                assert!((n - sign * g / size).abs() < 1e-3, "{tree} {body}: {normal:?}");
            }
            let wrong: Vec<f64> = normal.iter().map(|n| -n).collect();
            let agrees =
                wrong.iter().zip(&gradient).all(|(n, g)| (n - sign * g / size).abs() < 1e-3);
            assert!(!agrees, "a wrong sign would be seen");
        }
        assert!(checked > 150, "{body}: {checked}");
    }
}

/// Points on each kind of surface are uniform by length: the mean of a function over them is its
/// integral over the length; of points that are denser somewhere it would not be.
#[test]
fn points_on_surfaces_are_uniform() {
    let mean = |tree: &str, body: &str, f: &dyn Fn(&[f64]) -> f64| {
        let points = square(tree, body).domain().points_of_part(&Part::Piece(0), 4096);
        points.iter().map(|p| f(p)).sum::<f64>() / 4096.0
    };
    // The same circle by its angle and by lines; a flat ellipse by lines, which are wrong by 6
    // per cent where crossings are kept whatever their angle.
    for body in ["a.disc = { centre = [0, 0], radius = 0.5 }", "a.formula = 'x^2 + y^2 - 0.25'"] {
        assert!((mean("a", body, &|p| p[0] * p[0]) - 0.125).abs() < 2e-3);
        assert!((mean("a", body, &|p| (p[0] * p[1]).powi(2)) - 1.0 / 128.0).abs() < 2e-4);
    }
    let ellipse = "a.ellipse = { centre = [0, 0], axes = [0.9, 0.3] }";
    let element = |s: f64| (0.9 * s.sin()).hypot(0.3 * s.cos());
    let sum =
        |f: &dyn Fn(f64) -> f64| (0..4000).map(|i| f(TAU * f64::from(i) / 4000.0)).sum::<f64>();
    let exact = sum(&|s| element(s) * (0.9 * s.cos()).powi(2)) / sum(&element);
    let by_angle = sum(&|s| (0.9 * s.cos()).powi(2)) / 4000.0;
    let found = mean("a", ellipse, &|p| p[0] * p[0]);
    assert!((found - exact).abs() < 4e-3, "{found} for {exact}");
    assert!((by_angle - exact).abs() > 0.02, "points that are uniform by angle would be seen");
    let corner = mean("a", "a.polygon = [[0, 0], [0.6, 0], [0, 0.8]]", &|p| p[0]);
    close(corner, (0.6 * 0.3 + 1.0 * 0.3) / 2.4, 2e-3);
}

#[test]
fn trees_are_read_from_left_to_right() {
    let names: Vec<String> = ["a", "b", "c"].map(Into::into).to_vec();
    let holds = |text: &str, inside: &[usize]| {
        Tree::parse(text, &names).expect("a tree").holds(&|name| inside.contains(&name))
    };
    assert!(holds("box - a + b", &[0, 1]) && !holds("box - (a + b)", &[1]));
    assert!(holds("a + b & c", &[0]) && !holds("(a + b) & c", &[0]));
    assert!(!holds("a - b - c", &[0, 2]) && holds("a - (b - c)", &[0, 1, 2]));
    for (text, span, issue) in [
        ("box - hole", 6..10, TreeIssue::Unknown("hole".into())),
        ("box -", 5..5, TreeIssue::Missing("the end".into())),
        ("(a", 0..1, TreeIssue::Unclosed),
        ("a b", 2..3, TreeIssue::Unexpected("'b'".into())),
        ("- a", 0..1, TreeIssue::Missing("'-'".into())),
    ] {
        assert_eq!(Tree::parse(text, &names), Err((span, issue)));
    }
    assert!(Tree::parse(&"(".repeat(10_000), &names).is_err(), "no overflow");
}

#[test]
fn mistakes_are_located_and_have_a_remedy() {
    let said = |shape: &str, shapes: &str, walls: &str| -> String {
        let domain =
            format!("x = {{ range = [0, 1] }}\ny = {{ range = [0, 1] }}\nshape = '{shape}'");
        let rest = format!(
            "[residual.interior]\nequation = 'laplace(u) = 1'\n[residual.walls]\non = {walls}\n\
             equation = 'u = 0'"
        );
        read(&domain, shapes, &rest).expect_err("a mistake").to_string()
    };
    let disc = "hole.disc = { centre = [0.5, 0.5], radius = 0.2 }";
    let cases = [
        ("box - hoel", disc, "'boundary'", "no shape is called hoel", "did you mean hole?"),
        ("hole - box", disc, "'boundary'", "the domain is empty", "places"),
        (
            "box - hole",
            "hole.disc = { centre = [2, 2], radius = 0.2 }",
            "'boundary'",
            "no part of hole bounds the domain",
            "move it",
        ),
        ("box - hole", "hole.polygon = [[0, 0], [1, 1]]", "'boundary'", "has 2 corners", "three"),
        (
            "box - hole",
            "hole.polygon = [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]",
            "'boundary'",
            "crosses or touches itself, at the sides after corners 1 and 3",
            "walks around",
        ),
        ("box - hole", disc, "'box'", "no block has a condition on hole", "on = \"hole\""),
        ("box - hole", disc, "'hole'", "no block has a condition on x = 0", "boundary"),
        ("box - hole", disc, "'rim'", "'rim' is no part of the domain", "a shape (hole)"),
        ("box", disc, "'boundary'", "hole does not occur", "remove it"),
        ("box - hole", "hole = { }", "'boundary'", "hole says 0 shapes", "write one of disc"),
        (
            "box - hole",
            "hole.disc = { centre = [0.5], radius = 0.2 }",
            "'boundary'",
            "1 numbers where space has 2",
            "one for each",
        ),
        ("box - hole", "hole.formula = 'log(x - 2)'", "'boundary'", "no finite value", "finite"),
        ("box - hole", "hole.formula = 'x - z'", "'boundary'", "unknown symbol z", "parameter"),
        (
            "box - hole",
            "hole.disc = { centre = [0.5, 0.5], radius = -1 }",
            "'boundary'",
            "radius is -1",
            "positive",
        ),
    ];
    for (tree, shapes, walls, message, remedy) in cases {
        let said = said(tree, shapes, walls);
        assert!(said.contains(message) && said.contains(remedy), "{message}; {remedy} in:\n{said}");
    }
    let grid = "[residual.interior]\nequation = 'laplace(u) = 1'\n[residual.walls]\n\
                on = 'boundary'\nequation = 'u = 0'\npoints = { layout = 'grid' }";
    let domain = "x = { range = [0, 1] }\ny = { range = [0, 1] }\nshape = 'box - hole'";
    let errors = read(domain, disc, grid).expect_err("a grid on a circle").to_string();
    assert!(errors.contains("walls has no points of the layout grid"), "{errors}");
    let normal = "[residual.interior]\nequation = 'laplace(u) = u_n'\n[residual.walls]\n\
                on = 'boundary'\nequation = 'u = n_y'";
    let errors = read(domain, disc, normal).expect_err("no normal inside").to_string();
    assert!(errors.contains("u_n: there is no outward normal here"), "{errors}");
}

#[test]
fn evolutions_refuse_shapes() {
    let text = "format = 1\n[equation]\ntext = 'u_t = u_xx'\n[domain]\n\
        x = { range = [0, 1] }\nshape = 'box'\n[time]\nend = 1\n[initial]\nu = '0'";
    let errors = crate::Problem::from_toml(text, &Overrides::new()).expect_err("a shape");
    assert_eq!(errors.errors[0].line, 6, "{errors}");
    assert!(errors.to_string().contains("whole boxes only"), "{errors}");
    let named = text.replace("shape = 'box'\n", "") + "\n[shapes]\na.formula = 'x'";
    let errors = crate::Problem::from_toml(&named, &Overrides::new()).expect_err("a shape");
    assert_eq!(errors.errors.len(), 1, "{errors}");
    assert!(errors.to_string().contains("whole boxes only"), "{errors}");
}

/// The exact solution is held against the conditions with their normals: a wrong sign is found.
#[test]
fn exact_solutions_are_checked_on_shapes() {
    let annulus = |outer: &str| {
        let domain = "x = { range = [-1, 1] }\ny = { range = [-1, 1] }\nshape = 'outer - inner'";
        let shapes = "outer.disc = { centre = [0, 0], radius = 1 }\n\
                      inner.disc = { centre = [0, 0], radius = 0.5 }";
        let rest = format!(
            "[residual.interior]\nequation = 'laplace(u) = 0'\n[residual.inner]\non = 'inner'\n\
             equation = 'u_n + u = log(0.5) - 2'\n[residual.outer]\non = 'outer'\n\
             equation = '{outer}'\n[exact]\nu = 'log(x^2 + y^2)/2'"
        );
        read(domain, shapes, &rest)
    };
    annulus("u_n + 3*u = 1").expect("right");
    annulus("u_x*n_x + u_y*n_y = 1").expect("right");
    let wrong = annulus("-u_n + 3*u = 1").expect_err("a wrong sign").to_string();
    assert!(wrong.contains("misses the block outer by"), "{wrong}");
}
