//! Solutions asked after the run: `eval` and `export`.

use sketchpde::output::npz::{self, Array};

use super::support::{Place, Ran};

/// The evolution of the test problem in a folder `run`.
fn solved(test: &str) -> Place {
    let place = Place::new(test);
    place.run(&["solve", "heat.toml", "--no-plots", "--out", "run"]).expect(0);
    place
}

fn numbers(line: &str) -> Vec<f64> {
    line.split(',').map(|cell| cell.parse().expect("a number")).collect()
}

fn find<'a>(arrays: &'a [Array], name: &str) -> &'a Array {
    arrays.iter().find(|array| array.name == name).unwrap_or_else(|| panic!("no {name}"))
}

/// u = exp(-t) sin(x), which the network follows to some 1e-5.
#[test]
fn an_evolution_is_evaluated_at_points_of_a_file() {
    let place = solved("eval");
    place.write("points.csv", "# some\nx\n0.25\n1.5\n7.0\n");
    let arguments = ["eval", "run", "--at", "points.csv", "--derivatives", "u_x, u_xx,u_t"];
    let ran = place.run(&[&arguments[..], &["--times", "0.1,0.233"]].concat()).expect(0);
    let ran = ran.complains(&["--list-times"]);
    let mut lines = ran.stdout.lines();
    assert_eq!(lines.next(), Some("t,x,u,u_x,u_xx,u_t"));
    let mut count = 0;
    for line in lines {
        let [t, x, u, u_x, u_xx, u_t] = numbers(line)[..] else { panic!("{line}") };
        let decay = (-t).exp();
        assert!((u - decay * x.sin()).abs() < 1e-4, "{line}");
        assert!((u_x - decay * x.cos()).abs() < 1e-3, "{line}");
        assert!((u_xx + decay * x.sin()).abs() < 1e-2, "{line}");
        assert_eq!(u_t, u_xx, "the equation's own");
        count += 1;
    }
    assert_eq!(count, 6);
}

/// Where the run kept frames, the answers are their values.
#[test]
fn answers_at_the_grid_are_those_of_the_run() {
    let place = solved("eval-grid");
    let fields = npz::read(&place.path("run/fields.npz")).expect("an archive");
    let (x, t, u) = (find(&fields, "x"), find(&fields, "t"), find(&fields, "u"));
    let frame = t.values.len() / 2;
    let listed = place.run(&["eval", "run", "--list-times"]).expect(0).stdout;
    let listed: Vec<f64> = listed.lines().map(|line| line.parse().expect("a time")).collect();
    assert_eq!(listed, t.values);
    // Each point with a time of its own, in a NumPy archive.
    let rows = x.values.iter().map(|x| format!("{},{x}\n", t.values[frame]));
    place.write("points.csv", &format!("t,x\n{}", rows.collect::<String>()));
    place.run(&["eval", "run", "--at", "points.csv", "--out", "values.npz"]).expect(0);
    let values = npz::read(&place.path("values.npz")).expect("an archive");
    let (own, count) = (find(&values, "u"), x.values.len());
    assert_eq!(own.shape, [count]);
    for (a, b) in own.values.iter().zip(&u.values[frame * count..]) {
        assert!((a - b).abs() < 1e-13, "{a} and {b}");
    }
}

#[test]
fn what_cannot_be_answered_is_said_with_its_remedy() {
    let place = solved("eval-wrong");
    place.write("points.csv", "x\n0.25\n");
    place.write("other.csv", "y\n0.25\n");
    place.write("nan.csv", "x\n1\nnan\n");
    place.write("timed.csv", "x,t\n1,0.1\n");
    let eval = |more: &[&str]| place.run(&[&["eval", "run", "--at"], more].concat());
    eval(&["other.csv"]).expect(1).complains(&["other.csv", "column x is missing"]);
    eval(&["nan.csv"]).expect(1).complains(&["point 1", "NaN"]);
    eval(&["none.csv"]).expect(1).complains(&["none.csv"]);
    eval(&["timed.csv", "--times", "0.2"]).expect(2).complains(&["column t", "--times"]);
    eval(&["points.csv", "--times", "0.6"]).expect(2).complains(&["from 0 to 0.5"]);
    eval(&["points.csv", "--derivatives", "u_y"]).expect(2).complains(&["u_y", "help"]);
    eval(&["points.csv", "--out", "values.txt"]).expect(2).complains(&[".csv or .npz"]);
    let elsewhere = place.run(&["eval", "cache", "--at", "points.csv"]);
    elsewhere.expect(1).complains(&["no result in cache", "parameters.safetensors"]);
    // Parameters that say they are of a format to come.
    let mut bytes = place.read("run/parameters.safetensors");
    let at = bytes.windows(12).position(|w| w == b"parameters 1").expect("the format");
    bytes[at + 11] = b'7';
    std::fs::write(place.path("run/parameters.safetensors"), bytes).expect("writes");
    eval(&["points.csv"]).expect(1).complains(&["parameters 7", "version"]);
}

/// The whole-domain family: the sides of the domain are its own, times are any of the range.
#[test]
fn a_training_is_evaluated_and_its_domain_is_kept_to() {
    let place = Place::new("eval-training");
    let change = "method.iterations=30";
    let solve = ["solve", "poisson-2d", "--no-plots", "--set", change, "--out", "run"];
    place.run(&solve).expect(0);
    place.write("points.csv", "y,x\n0.5,0.25\n");
    place.write("outside.csv", "x,y\n0.5,0.25\n0.5,1.5\n");
    let eval = |more: &[&str]| place.run(&[&["eval", "run", "--at"], more].concat());
    let ran = eval(&["points.csv", "--derivatives", "laplace(u)"]).expect(0);
    let line = ran.stdout.lines().nth(1).expect("a point");
    assert!(ran.stdout.starts_with("x,y,u,laplace(u)\n0.25,0.5,"), "{}", ran.stdout);
    // u = sin(pi x) sin(pi y)
    let exact = (0.25 * std::f64::consts::PI).sin();
    let [_, _, u, laplacian] = numbers(line)[..] else { panic!("{line}") };
    assert!((u - exact).abs() < 1e-2, "{line}");
    assert!((laplacian + 2.0 * std::f64::consts::PI.powi(2) * exact).abs() < 0.5, "{line}");
    eval(&["outside.csv"]).expect(2).complains(&["point 1", "y = 1.5", "from 0 to 1"]);
    eval(&["points.csv", "--times", "0"]).expect(2).complains(&["has no time"]);
}

/// The numbers of the first array of a name in a VTK file, by its own few rules: inline base64 of
/// a length (u64) and little-endian doubles.
fn vtu_array(text: &str, name: &str) -> Vec<f64> {
    let tag = text.split("<DataArray ").find(|tag| tag.contains(&format!("Name=\"{name}\"")));
    let tag = tag.unwrap_or_else(|| panic!("no {name}"));
    assert!(tag.contains("type=\"Float64\"") && tag.contains("format=\"binary\""), "{tag}");
    let body = tag.split('>').nth(1).and_then(|rest| rest.split('<').next()).expect("a body");
    let digit = |c: u8| -> Option<u32> {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        alphabet.iter().position(|&a| a == c).map(|k| k as u32)
    };
    let digits: Vec<u32> = body.bytes().filter_map(digit).collect();
    let bytes: Vec<u8> = digits
        .chunks(4)
        .flat_map(|four| {
            let bits = four.iter().fold(0, |bits, d| bits << 6 | d) << (6 * (4 - four.len()));
            bits.to_be_bytes()[1..four.len()].to_vec()
        })
        .collect();
    let (length, data) = bytes.split_at(8);
    assert_eq!(u64::from_le_bytes(length.try_into().expect("8")) as usize, data.len());
    data.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().expect("8"))).collect()
}

#[test]
fn exported_files_hold_the_solution_for_who_reads_their_bytes() {
    let place = solved("export");
    let export = |more: &[&str]| place.run(&[&["export", "run", "--format"], more].concat());
    let ran = export(&["vtu", "--times", "0,0.5", "--grid", "33"]).expect(0);
    let files: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(files[0], "run/export/small-heat.pvd");
    assert_eq!(files.len(), 3);
    let list = String::from_utf8(place.read(files[0])).expect("text");
    assert!(list.contains("timestep=\"0.5\" part=\"0\" file=\"small-heat_0001.vtu\""), "{list}");
    let text = String::from_utf8(place.read(files[2])).expect("text");
    assert!(text.contains("NumberOfPoints=\"33\" NumberOfCells=\"32\""));
    let (points, u) = (vtu_array(&text, "Points"), vtu_array(&text, "u"));
    for (point, u) in points.chunks(3).zip(&u) {
        assert!((u - (-0.5_f64).exp() * point[0].sin()).abs() < 1e-4);
    }
    assert_eq!(u.len(), 33);

    export(&["npz", "--times", "0,0.5", "--grid", "33", "--derivatives", "u_x"]).expect(0);
    let arrays = npz::read(&place.path("run/export/small-heat.npz")).expect("an archive");
    assert_eq!(find(&arrays, "u_x").shape, [2, 33]);
    assert_eq!(find(&arrays, "u").values[33..], u[..]);
    export(&["csv", "--times", "0.5", "--grid", "33"]).expect(0);
    let csv = String::from_utf8(place.read("run/export/small-heat.csv")).expect("text");
    assert_eq!((csv.lines().count(), csv.lines().next()), (34, Some("t,x,u")));
    export(&["vtk", "--grid", "1"]).expect(2).complains(&["--grid", "at least 2"]);
    export(&["vtk", "--grid", "3,3"]).expect(2).complains(&["--grid", "1 coordinates"]);
}

/// By meshio and NumPy, where Python has them.
#[test]
fn python_reads_what_was_exported() {
    let python = std::env::var("SKETCHPDE_PYTHON").unwrap_or_else(|_| "python3".into());
    let imports = std::process::Command::new(&python).args(["-c", "import meshio, numpy"]).output();
    if !imports.is_ok_and(|output| output.status.success()) {
        eprintln!("{python} has no meshio: not tested");
        return;
    }
    let place = solved("export-python");
    place.run(&["export", "run", "--format", "vtu", "--times", "0.5"]).expect(0);
    place.run(&["export", "run", "--format", "vtk", "--times", "0.5"]).expect(0);
    place.write("points.csv", "x\n0.3\n2.5\n");
    place.run(&["eval", "run", "--at", "points.csv", "--out", "u.npz"]).expect(0);
    // A training that a correction ended, with its own network.
    let words = ["solve", "poisson-2d", "--no-plots", "--set", "method.iterations=8"];
    let ran = place.run(&[&words[..], &["--json", "--out", "trained"]].concat()).expect(0);
    assert!(ran.json()["correction"].is_object());
    place.write("plane.csv", "x,y\n0.3,0.4\n0.9,0.1\n");
    place.run(&["eval", "trained", "--at", "plane.csv", "--out", "plane.npz"]).expect(0);
    let loader = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/src");
    let script = format!(
        "import sys, meshio, numpy\nsys.path.insert(0, {loader:?})\nimport load_network\n\
         for name in ['vtu', 'vtk']:\n    \
         m = meshio.read('run/export/small-heat_0000.' + name)\n    \
         e = numpy.exp(-0.5) * numpy.sin(m.points[:, 0])\n    \
         assert abs(numpy.ravel(m.point_data['u']) - e).max() < 1e-4\n\
         z = numpy.load('u.npz')\n\
         u = load_network.load('run/parameters.safetensors')\n\
         assert abs(u({{'x': z['x']}}) - z['u'][0]).max() < 1e-12\n\
         z = numpy.load('plane.npz')\n\
         u = load_network.load('trained/parameters.safetensors')\n\
         off = abs(u({{'x': z['x'], 'y': z['y']}}) - numpy.ravel(z['u'])).max()\n\
         assert off < 1e-12, off\n"
    );
    let mut command = std::process::Command::new(&python);
    command.args(["-c", &script]).current_dir(place.path("."));
    Ran::of(&mut command).expect(0);
}
