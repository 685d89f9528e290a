//! `list`, `show`, `check`, `devices`, and wrong usage.

use super::support::{HEAT, Place, Ran};

#[test]
fn every_listed_problem_can_be_shown_checked_and_copied() {
    let place = Place::new("list");
    let list = place.run(&["list", "--json"]).expect(0).json();
    let names: Vec<&str> =
        list.as_array().expect("an array").iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"allen-cahn") && names.contains(&"burgers"), "{names:?}");
    for name in names {
        let text = place.run(&["show", name]).expect(0).stdout;
        place.write("copy.toml", &text);
        let original = place.run(&["check", name]).expect(0).stdout;
        assert_eq!(place.run(&["check", "copy.toml"]).expect(0).stdout, original);
        assert!(place.run(&["list"]).expect(0).stdout.contains(name));
    }
}

#[test]
fn a_resolved_problem_holds_its_changes_and_needs_no_more_of_them() {
    let place = Place::new("show");
    let changes = ["--set", "method.columns=40", "--seed", "7"];
    let shown = place.run(&[&["show", "heat.toml"][..], &changes].concat()).expect(0).stdout;
    place.write("resolved.toml", &shown);
    let check = |arguments: &[&str]| place.run(arguments).expect(0).json();
    let changed = check(&[&["check", "heat.toml", "--json"][..], &changes].concat());
    assert_eq!(check(&["check", "resolved.toml", "--json"]), changed);
    assert_eq!(changed["columns"], 40);
    // By hand: embedding 3 x 6, two layers of 6 x 6 + 6, output 6 + 1.
    assert_eq!(changed["parameters"], 18 + 2 * 42 + 7);
    assert_eq!(changed["steps"], 50);
    assert_eq!(changed["points"], 64);
}

#[test]
fn every_mistake_of_a_file_is_reported_with_its_place() {
    let place = Place::new("check");
    let wrong = HEAT.replace("kappa*u_xx", "kapa*u_xx").replace("count = 64", "count = -1");
    place.write("wrong.toml", &wrong);
    let line = |text: &str| 1 + wrong[..wrong.find(text).unwrap()].matches('\n').count();
    let ran = place.run(&["check", "wrong.toml"]).expect(1).complains(&[
        &format!("line {}, column 15", line("kapa")),
        "kapa",
        &format!("line {}", line("count")),
        "2 mistakes",
    ]);
    assert_eq!(ran.stdout, "");
    place.write("bytes.toml", "");
    std::fs::write(place.path("bytes.toml"), [0xff, 0xfe, 0x00]).unwrap();
    place.run(&["check", "bytes.toml"]).expect(1).complains(&["UTF-8"]);
}

/// The numbers of a table go with the run: its folder needs no file, and another content is another
/// problem.
#[test]
fn a_table_from_a_file_stays_with_the_run() {
    let place = Place::new("table");
    let text = HEAT
        .replace("kappa*u_xx", "k(x)*u_xx")
        .replace("kappa = 1\n", "kappa = 1\n[tables.k]\nfile = \"k.csv\"\n");
    std::fs::create_dir(place.path("inner")).expect("a folder");
    place.write("inner/table.toml", &text);
    // The exact solution is that of k = 1.
    place.write("inner/k.csv", "x,k\n0,1\n7,1\n3,1\n");
    let arguments =
        ["--no-plots", "--no-cache", "--set", "time.end=0.02", "--out", "run", "--json"];
    let solve =
        |more: &[&str]| place.run(&[&["solve", "inner/table.toml"], &arguments[..], more].concat());
    let before = solve(&[]).expect(0).json();
    assert!(before["relative_l2"].as_f64().is_some_and(|error| error < 1e-4), "{before}");
    let kept = String::from_utf8(place.read("run/problem.toml")).expect("text");
    assert!(kept.contains("values = [1.0, 1.0, 1.0]") && !kept.contains("file ="), "{kept}");

    place.write("inner/k.csv", "x,k\n0,1\n7,1\n3,1\n5,1\n");
    solve(&["--resume"]).expect(1).complains(&["begun with other settings"]);
    let over = ["tables.k.file=k.csv,other.csv", "--set", "time.end=0.02", "--dry-run"];
    let sweep = [&["sweep", "inner/table.toml", "--out", "sweep", "--over"], &over[..]].concat();
    place.run(&sweep).expect(1).complains(&["other.csv cannot be read"]);
    place.write("inner/other.csv", "x,k\n0,1\n7,1\n");
    assert_eq!(place.run(&sweep).expect(0).stdout.lines().count(), 2);

    std::fs::remove_file(place.path("inner/k.csv")).expect("removes");
    place.run(&["check", "inner/table.toml"]).expect(1).complains(&["k.csv cannot be read"]);
    place.run(&["check", "run/problem.toml"]).expect(0);
    place.write("points.csv", "x\n1\n2.5\n");
    let ask = ["eval", "run", "--at", "points.csv", "--derivatives", "u_x,2*k(x)*u_x"];
    let asked = place.run(&ask).expect(0).stdout;
    for line in asked.lines().skip(1) {
        let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().expect("a number")).collect();
        let [.., slope, flux] = cells[..] else { panic!("{asked}") };
        assert!((flux - 2.0 * slope).abs() < 1e-12, "{asked}");
    }
}

/// Complex unknowns against their exact solutions: a free particle between walls in time steps and as a
/// training, and a soliton of the cubic equation; and what can be asked of a run.
#[test]
fn complex_unknowns_are_solved_for() {
    let place = Place::new("complex");
    let particle = "[exact]\npsi = '(1 + 2i)*sin(pi*x)*exp(i*pi^2*t)'\n";
    let evolution = "format = 1\n[equation]\ncomplex = 'psi'\ntext = ";
    let steps = format!(
        "{evolution}'i*psi_t = psi_xx'\n[domain]\nx = {{ range = [0, 1], lower = '0', upper = '0' }}\n\
         [time]\nend = 0.02\n{particle}[network]\nwidth = 12\nhidden_layers = 3\n[points]\n\
         count = 150\n[fit]\ntolerance = 2e-9\n[method]\ntolerance = 1e-8\n"
    );
    let whole = format!(
        "format = 1\ncomplex = 'psi'\n[domain]\nt = {{ range = [0, 0.5] }}\nx = {{ range = [0, 1] }}\n\
         [residual.interior]\nequation = 'i*psi_t = psi_xx'\n[residual.start]\non = 't = 0'\n\
         equation = 'psi = (1 + 2i)*sin(pi*x)'\n[residual.ends]\non = 'boundary'\n\
         equation = 'psi = 0'\n{particle}[network]\nlayers = [10, 10]\n"
    );
    let soliton = format!(
        "{evolution}'i*psi_t = -psi_xx - 2*abs(psi)^2*psi'\n[domain]\n\
         x = {{ range = ['-6*pi', '6*pi'] }}\n[time]\nend = 0.05\n\
         [exact]\npsi = 'exp(i*x)/cosh(x - 2*t)'\n"
    );
    for (name, text, bound) in
        [("steps", steps, 3e-8), ("whole", whole, 1e-12), ("soliton", soliton, 2e-6)]
    {
        let file = format!("{name}.toml");
        place.write(&file, &text);
        let solve = ["solve", &file, "--no-plots", "--no-cache", "--json", "--out", name];
        let result = place.run(&solve).expect(0).json();
        assert!(result["relative_l2"].as_f64().is_some_and(|error| error < bound), "{result}");
        let each = result["relative_l2_of_each"].as_object().expect("both parts");
        assert_eq!(each.keys().collect::<Vec<_>>(), ["psi_im", "psi_re"]);
    }
    place.write("points.csv", "x\n0.5\n");
    let ask = ["eval", "steps", "--at", "points.csv", "--derivatives", "abs(psi)^2,psi_im_t"];
    let asked = place.run(&ask).expect(0).stdout;
    let line = asked.lines().nth(1).expect("a point");
    let square = line.split(',').nth(4).expect("a cell").parse::<f64>().expect("a number");
    assert!((square - 5.0).abs() < 1e-6, "{asked}");
    let ask = ["eval", "steps", "--at", "points.csv", "--derivatives", "psi"];
    place.run(&ask).expect(2).complains(&["this is complex", "abs(..)"]);
}

/// Three gigabytes of nothing, under a limit of one.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_no_problem_is_not_read_to_its_end() {
    let place = Place::new("long-file");
    let file = std::fs::File::create(place.path("long.toml")).expect("a file");
    file.set_len(3 << 30).expect("a sparse file");
    for command in ["check", "solve"] {
        let ran = Ran::of(&mut place.shell("ulimit -v 1000000", &[command, "long.toml"], ""));
        ran.expect(1).complains(&["long.toml", "settings, not data"]);
    }
}

#[test]
fn wrong_usage_ends_with_two_and_says_what_to_write() {
    let place = Place::new("usage");
    place.run(&["sovle", "allen-cahn"]).expect(2).complains(&["solve"]);
    place.run(&["check", "allen-can"]).expect(2).complains(&["did you mean allen-cahn"]);
    place.run(&["check", "missing.toml"]).expect(1).complains(&["missing.toml"]);
    place.run(&["solve", "heat.toml", "--set", "columns"]).expect(2).complains(&["KEY=VALUE"]);
    place.run(&["solve", "heat.toml", "--max-error", "-1"]).expect(2).complains(&["positive"]);
    place.run(&["check", "burgers", "--variant", "fast"]).expect(1).complains(&["published-fast"]);
    assert_eq!(place.files("."), ["heat.toml"], "nothing was solved");
}

#[test]
fn devices_says_what_auto_picks() {
    let place = Place::new("devices");
    let report = place.run(&["devices", "--json"]).expect(0).json();
    assert!(report["cpu"]["threads"].as_u64().unwrap() >= 1);
    let hardware: Vec<&str> = report["adapters"]
        .as_array()
        .expect("an array")
        .iter()
        .filter(|adapter| adapter["hardware"] == true)
        .map(|adapter| adapter["name"].as_str().unwrap())
        .collect();
    match report["auto"]["adapter"].as_str() {
        Some(picked) => assert!(hardware.contains(&picked)),
        None => assert_eq!(hardware, [""; 0]),
    }
    assert!(place.run(&["devices"]).expect(0).stdout.contains("--backend auto picks"));
}

/// A disk without room behind standard output, and a reader that has read enough.
#[cfg(target_os = "linux")]
#[test]
fn standard_output_that_cannot_be_written_is_no_panic() {
    let place = Place::new("stdout");
    Ran::of(&mut place.shell("", &["list"], "> /dev/full"))
        .expect(1)
        .complains(&["cannot write to standard output", "No space left"]);
    let mut closed = place.shell("", &["show", "burgers"], "| true");
    assert_eq!(Ran::of(&mut closed).expect(0).stderr, "");
}
