//! Problem files with tables, written out and from files.

use crate::{Overrides, ProblemErrors, ProblemFile};

const HEAD: &str = "format = 1\n[domain]\nx = { range = [0, 1] }\ny = { range = [0, 2] }\n\
    [residual.interior]\nequation = 'd(k(x, y)*u_x, x) + u_yy = 1'\n";
const EVOLUTION: &str = "format = 1\n[equation]\ntext = 'u_t = k(x)*u_xx'\n[domain]\n\
    x = { range = [0, 1] }\n[time]\nend = 1\n[initial]\nu = 'sin(2*pi*x)'\n";
const CSV: &str = "y,k,x\n0,1,0\n2,2,0\n2,6,1\n0,5,1\n1,4,1\n1,1.5,0\n";

/// An array of NumPy as its own files have it.
fn npy(shape: &str, values: &[f64]) -> Vec<u8> {
    let head = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape}), }}");
    let head = format!("{head:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((head.len() as u16).to_le_bytes());
    bytes.extend(head.into_bytes());
    bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

fn read(text: &str, files: &[(&str, &[u8])]) -> Result<ProblemFile, ProblemErrors> {
    let read = |name: &str| {
        let file = files.iter().find(|(known, _)| *known == name);
        file.map(|(_, bytes)| bytes.to_vec()).ok_or_else(|| "there is none".to_owned())
    };
    ProblemFile::read(text.as_bytes(), None, &Overrides::new(), &read)
}

fn table(problem: &ProblemFile) -> &crate::Tabulated {
    match problem {
        ProblemFile::Evolution(problem) => &problem.tables[0],
        ProblemFile::Residual(problem) => &problem.tables[0],
    }
}

fn said(result: Result<ProblemFile, ProblemErrors>, parts: &[&str]) {
    let said = result.expect_err("a mistake").to_string();
    for part in parts {
        assert!(said.contains(part), "no '{part}' in:\n{said}");
    }
}

/// The same table from rows in any order, from an array, and written out; and what a run keeps has
/// the numbers and needs no file.
#[test]
fn tables_are_the_same_from_every_source() {
    let values = [1.0, 1.5, 2.0, 5.0, 4.0, 6.0];
    let array = npy("2, 3", &values);
    let axes = "axes = { x = [0, 1], y = [0, 2] }";
    let of_rows = format!("{HEAD}[tables.k]\nfile = 'k.csv'\naxes = ['x', 'y']\n");
    let of_array = format!("{HEAD}[tables.k]\nfile = 'k.NPY'\n{axes}\n");
    let written = format!("{HEAD}[tables.k]\n{axes}\nvalues = [[1, 1.5, 2], [5, 4, 6]]\n");
    let problems = [
        read(&of_rows, &[("k.csv", CSV.as_bytes())]).expect("rows"),
        read(&of_array, &[("k.NPY", &array)]).expect("an array"),
        read(&written, &[]).expect("written out"),
    ];
    for problem in &problems {
        let table = table(problem);
        for (at, wanted) in [([0.0, 1.0], 1.5), ([0.5, 0.0], 3.0), ([1.0, 1.5], 5.0)] {
            assert_eq!(table.evaluate(0, &at), wanted);
        }
        let again = ProblemFile::from_bytes(problem.source().as_bytes(), None, &Overrides::new());
        let again = again.expect("what is kept needs no file");
        assert_eq!(self::table(&again), table);
        assert_eq!(again.source(), problem.source());
    }
    // Another content is another problem, for whoever keeps results by it.
    let other = CSV.replace("5,1", "5.5,1");
    let other = read(&of_rows, &[("k.csv", other.as_bytes())]).expect("rows");
    assert_ne!(other.source(), problems[0].source());
}

#[test]
fn files_are_named_by_overrides_and_variants_too() {
    let text = format!("{EVOLUTION}[tables.k]\naxes = {{ x = [0, 1] }}\nvalues = [1, 2]\n");
    let change = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    let file = |_: &str| Ok(b"x,k\n0,3\n1,4\n".to_vec());
    let changes = [
        change("tables.k", "{ file = 'k.csv' }"),
        change("tables.k", "{ axes = { x = [0, 1] }, values = [3, 4] }"),
    ];
    for changes in changes {
        let problem = ProblemFile::read(text.as_bytes(), None, &changes, &file).expect("a table");
        assert_eq!(table(&problem).evaluate(0, &[0.5]), 3.5);
    }
    let text =
        format!("{EVOLUTION}[tables.k]\nfile = 'a.csv'\n[variants.b]\n'tables.k.file' = 'b.csv'\n");
    let file = |name: &str| match name {
        "a.csv" => Ok(b"x,k\n0,1\n1,2\n".to_vec()),
        _ => Ok(b"x,k\n0,3\n1,4\n".to_vec()),
    };
    for (variant, wanted) in [(None, 1.5), (Some("b"), 3.5)] {
        let problem = ProblemFile::read(text.as_bytes(), variant, &Vec::new(), &file);
        let problem = problem.expect("a table");
        assert_eq!(table(&problem).evaluate(0, &[0.5]), wanted);
        ProblemFile::from_bytes(problem.source().as_bytes(), None, &Vec::new()).expect("whole");
    }
    let other = |name: &str| match name {
        "a.csv" => Ok(b"x,k\n0,1\n1,2\n".to_vec()),
        _ => Err("it is gone".to_owned()),
    };
    let gone = ProblemFile::read(text.as_bytes(), None, &Vec::new(), &other);
    said(gone, &["in the variant b: b.csv cannot be read: it is gone"]);
}

#[test]
fn columns_are_chosen_by_name() {
    let text = format!(
        "{EVOLUTION}[tables.k]\nfile = 'k.csv'\naxes = ['i']\ncolumn = 'b'\ninterpolation = 'nearest'\n"
    );
    let problem = read(&text, &[("k.csv", b"i, a, b\n0.25,7,3\n0.75,9,4\n")]).expect("a table");
    assert_eq!(table(&problem).evaluate(0, &[0.1]), 3.0);
    assert_eq!(table(&problem).range(0), [0.0, 1.0]);
}

#[test]
fn mistakes_in_files_are_told_with_what_to_do() {
    let text = format!("{HEAD}[tables.k]\nfile = 'k.csv'\naxes = ['x', 'y']\n");
    let with = |csv: &str| read(&text, &[("k.csv", csv.as_bytes())]);
    said(read(&text, &[]), &["line 8, column 8", "k.csv cannot be read: there is none", "folder"]);
    said(with("x,y,k\n0,0,1\n1,0"), &["k.csv: line 3 has 2 columns"]);
    said(with("x,y,k\n0,0,one"), &["line 2: `one` is no number"]);
    said(with("x,y,k\n0,0,nan"), &["row 1 of its numbers has NaN", "fill gaps"]);
    said(with("x,y,k\n0,0,1\n1,0,1\n0,1,1\n"), &["no value at x = 1, y = 1"]);
    said(with("x,y,k\n0,0,1\n0,0,2\n"), &["two values at x = 0, y = 0"]);
    said(with("x,z,k\n0,0,1\n"), &["it has no column y", "its columns are x, z, k"]);
    said(with("x,y,k\n0,0,1\n0,1,2\n"), &["the nodes of x of the table k"]);
    said(with("0,0,1\n0,1,2\n"), &["its columns have no names"]);
    let wide = text.replace("axes = ['x', 'y']\n", "");
    said(read(&wide, &[("k.csv", b"a,b,c,d,k\n0,0,0,0,1\n")]), &["column = \"k\" and axes"]);
    let long = vec![b' '; crate::tabulated::MAX_BYTES + 1];
    said(read(&text, &[("k.csv", &long)]), &["more than 16777216", "every second value"]);
    let no_files = ProblemFile::from_bytes(text.as_bytes(), None, &Vec::new());
    said(no_files, &["k.csv cannot be read here", "values = [[1, 2], [3, 4]]"]);
    let array = text.replace("k.csv", "k.npy");
    said(read(&array, &[("k.npy", b"no")]), &["k.npy: it is no NumPy array"]);
    let array = array.replace("axes = ['x', 'y']\n", "");
    said(read(&array, &[("k.npy", &npy("2,", &[1.0, 2.0]))]), &["write axes = {"]);
    let both = format!("{text}values = [[1, 2], [3, 4]]\n");
    said(read(&both, &[("k.csv", CSV.as_bytes())]), &["both values and a file"]);
}

#[test]
fn mistakes_in_tables_are_told_with_their_place() {
    let with = |table: &str| read(&format!("{HEAD}[tables.k]\n{table}\n"), &[]);
    let axes = "axes = { x = [0, 1], y = [0, 2] }\n";
    said(with(""), &["neither values nor a file"]);
    said(with("values = [[1, 2], [3, 4]]"), &["axes is missing in [tables.k]"]);
    let ragged = with(&format!("{axes}values = [[1, 2], [3, 4, 5]]"));
    said(ragged, &["line 9", "a list of 3 beside 2"]);
    said(with(&format!("{axes}values = [1, 2]")), &["lists of depth 1 for 2 axes"]);
    said(with(&format!("{axes}values = [[1, 'a'], [2, 3]]")), &["unknown symbol a"]);
    said(with(&format!("{axes}values = [[1, nan], [2, 3]]")), &["a finite number"]);
    said(with(&format!("{axes}values = [[1, 2], 3]")), &["a list of numbers"]);
    let nodes = "axes = { x = [0, 1, 2], y = [0, 2] }\nvalues = [[1, 2], [3, 4]]";
    said(with(nodes), &["x of the table k has 3 nodes, but there are 2 values along it"]);
    let order = "axes = { x = [1, 0], y = [0, 2] }\nvalues = [[1, 2], [3, 4]]";
    said(with(order), &["the nodes of x"]);
    let word = with(&format!("{axes}values = [[1, 2], [3, 4]]\ninterpolation = 'cubic'"));
    said(word, &["interpolation cannot be 'cubic'"]);
    // One mistake in a table is one: the formulas with it are not wrong besides.
    let once = with("values = [[1, 2], [3, 4]]").expect_err("a mistake");
    assert_eq!(once.errors.len(), 1, "{once}");
    let taken =
        read(&format!("{EVOLUTION}[tables.x]\naxes = {{ x = [0, 1] }}\nvalues = [1, 2]\n"), &[]);
    said(taken, &["x is already the name of a coordinate"]);
}

#[test]
fn a_table_covers_the_coordinates_that_it_is_used_with() {
    let with = |argument: &str, nodes: &str, kind: &str| {
        let text = EVOLUTION.replace("k(x)", &format!("k({argument})"));
        let table = format!(
            "{text}[tables.k]\naxes = {{ x = {nodes} }}\nvalues = [1, 2]\ninterpolation = '{kind}'\n"
        );
        read(&table, &[])
    };
    let says = ["covers x from 0 to 0.5, but x goes from 0 to 1", "extend the table", "[tables.k]"];
    said(with("x", "[0, 0.5]", "linear"), &says);
    said(with("t", "[0, 0.5]", "linear"), &["but t goes from 0 to 1"]);
    // Half a cell around each node; and what is no coordinate alone stays at the ends.
    assert!(with("x", "[0.25, 0.75]", "nearest").is_ok());
    assert!(with("x - t/2", "[0, 0.5]", "linear").is_ok());
    let text = HEAD.replace("u_yy = 1", "u_yy = k(x, 2*y)");
    let table = "[tables.k]\naxes = { x = [0, 1], y = [0.5, 2] }\nvalues = [[1, 2], [3, 4]]\n";
    said(read(&format!("{text}{table}"), &[]), &["covers y from 0.5 to 2, but y goes from 0 to 2"]);
}

const SENSORS: &str = "format = 1\n[domain]\nt = { range = [0, 1] }\nx = { range = [0, 2] }\n\
    [residual.interior]\nequation = 'u_t = u_xx'\n";

/// Rows by the names of the columns, whatever their order, against the same rows written out.
#[test]
fn measurements_and_references_come_from_files() {
    let written = "[residual.sensors]\ndata = [[0.5, 1.0, 7.0], [1.0, 2.0, 8.5]]\n\
                   [reference]\ndata = [[0.5, 1.0, 7.0], [1.0, 2.0, 8.5]]\n";
    let written = read(&format!("{SENSORS}{written}"), &[]).expect("rows");
    let (ProblemFile::Residual(written),) = (written,) else { panic!("a training") };
    let text = |data: &str| {
        format!(
            "{SENSORS}[residual.sensors]\ndata = {data}\n[reference]\ndata = {{ file = 'r.csv' }}\n"
        )
    };
    let reference: (&str, &[u8]) = ("r.csv", b"x,note,u,t\n1,0,7,0.5\n2,0,8.5,1\n");
    let array = npy("2, 3", &[0.5, 1.0, 7.0, 1.0, 2.0, 8.5]);
    let cases: [(&str, &str, &[u8]); 4] = [
        ("{ file = 'm.csv' }", "m.csv", b"u,x,t\n7,1,0.5\n8.5,2,1\n"),
        ("{ file = 'm.csv' }", "m.csv", b"x, t, kelvin\n1,0.5,7\n2,1,8.5\n"),
        (
            "{ file = 'm.txt', columns = ['time', 'x', 'b'] }",
            "m.txt",
            b"a b x time\n1 7 1 0.5\n2 8.5 2 1\n",
        ),
        ("{ file = 'm.npy' }", "m.npy", &array),
    ];
    for (data, name, bytes) in cases {
        let problem = read(&text(data), &[reference, (name, bytes)]).expect(data);
        let ProblemFile::Residual(problem) = problem else { panic!("a training") };
        assert_eq!(problem.blocks, written.blocks, "{data}");
        assert_eq!(problem.known, written.known, "{data}");
        let again = ProblemFile::from_bytes(problem.source.as_bytes(), None, &Vec::new());
        assert_eq!(again.expect("what is kept needs no file"), ProblemFile::Residual(problem));
    }
    let with = |data: &str, bytes: &[u8]| read(&text(data), &[reference, ("m.csv", bytes)]);
    said(with("{ file = 'm.csv' }", b"x,u\n1,7\n"), &["m.csv: it has no column t"]);
    said(
        with("{ file = 'm.csv' }", b"x,t,a,b\n1,1,7,8\n"),
        &["its columns are x, t, a, b", "columns = [\"t\", \"x\", \"..\"]"],
    );
    said(with("{ file = 'm.csv' }", b"3,1\n"), &["2 numbers without names"]);
    said(with("{ file = 'm.csv' }", b"t,x,u\n0.5,9,1\n"), &["x = 9 lies outside the domain"]);
    said(with("{ file = 'n.csv' }", b""), &["n.csv cannot be read: there is none"]);
    said(with("{ files = 'm.csv' }", b""), &["unknown key files"]);
    said(with("{ columns = ['t'] }", b""), &["file is missing in residual.sensors.data"]);
    let once = read(&text("{ file = 'm.csv' }"), &[]).expect_err("two files");
    assert_eq!(once.errors.len(), 2, "{once}");
}
