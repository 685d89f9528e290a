//! Folders and disks that do not take what is written to them.

use super::support::{Place, Ran};

const QUICK: [&str; 6] = ["solve", "heat.toml", "--no-plots", "--set", "time.end=0.02", "--out"];

#[test]
fn a_folder_that_cannot_be_made_is_found_out_before_any_work() {
    let place = Place::new("unwritable");
    place.write("file", "in the way");
    let run = |out: &str| place.run(&[&QUICK[..], &[out]].concat());
    run("file/run").expect(1).complains(&["cannot write", "file/run", "--out"]);
    run("file").expect(1).complains(&["cannot write", "--out"]);
    assert_eq!(place.read("file"), b"in the way");
    if cfg!(target_os = "linux") {
        // A file system that takes no folders, even from the superuser.
        run("/proc/run").expect(1).complains(&["cannot write /proc/run", "--out"]);
    }
    assert!(!place.path("cache").exists(), "nothing was fitted");
}

/// The kernel refuses to let any file grow beyond the limit, as a full disk does.
#[cfg(unix)]
#[test]
fn a_full_disk_loses_neither_the_error_nor_the_smaller_files() {
    let place = Place::new("full");
    let limit = "trap '' XFSZ; ulimit -f 16";
    let arguments = [&QUICK[..], &["run"]].concat();
    let ran = Ran::of(&mut place.shell(limit, &arguments, ""))
        .expect(1)
        .complains(&["cannot write", "fields.npz"]);
    assert_eq!(ran.stdout, "");
    let files = place.files("run");
    for kept in ["history.csv", "history.npz", "parameters.safetensors", "problem.toml"] {
        assert!(files.iter().any(|file| file == kept), "no {kept} in {files:?}");
    }
    assert!(!files.iter().any(|f| f.contains("fields") || f == "result.json"), "{files:?}");
}

/// The results are on disk before they are printed.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_costs_only_the_output() {
    let place = Place::new("full-stdout");
    let arguments = [&QUICK[..], &["run", "--json"]].concat();
    Ran::of(&mut place.shell("", &arguments, "> /dev/full"))
        .expect(1)
        .complains(&["cannot write to standard output"]);
    assert!(place.path("run/result.json").exists());
}

/// A cache that cannot be used slows the next run down, no more.
#[test]
fn a_cache_that_cannot_be_written_is_only_a_warning() {
    let place = Place::new("no-cache");
    place.write("file", "in the way");
    let arguments = [&QUICK[..], &["run"]].concat();
    let mut command = place.command(&arguments);
    command.env("SKETCHPDE_CACHE", place.path("file/cache"));
    Ran::of(&mut command).expect(0).complains(&["warning", "not cached"]);
}
