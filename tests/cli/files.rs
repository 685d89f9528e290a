//! Folders and disks that do not take what is written to them.

use super::interruption::same_bits;
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

/// Whatever is done to the disk may fail, each time anew: the program says so, leaves nothing half
/// written, and comes to the same bits once the disk works again.
#[test]
fn every_change_of_the_disk_may_fail() {
    let place = Place::new("every-failure");
    place.run(&[&QUICK[..], &["unbroken"]].concat()).expect(0);
    let mut failed = 0;
    for number in 1.. {
        let out = format!("run-{number}");
        let mut command = place.command(&[&QUICK[..], &[out.as_str()]].concat());
        command
            .env("SKETCHPDE_DISK_FAILS_AT", number.to_string())
            // As a first run finds it.
            .env("SKETCHPDE_CACHE", place.path(&format!("cache-{number}")));
        let ran = Ran::of(&mut command);
        let told = ran.stderr.contains("SKETCHPDE_DISK_FAILS_AT says so");
        assert!(ran.code == Some(0) || (told && ran.code == Some(1)), "{number}: {ran:?}");
        if !told {
            break;
        }
        failed += 1;
        let kept = |name: &str| place.path(&format!("{out}/{name}")).exists();
        if place.path(&out).exists() {
            let part = |name: &String| name.ends_with(".part");
            assert!(!place.files(&out).iter().any(part), "{:?}", place.files(&out));
        }
        let checkpoints = ["checkpoint.bin", "checkpoint.incoming.bin"];
        let resumes = kept("result.json") || checkpoints.iter().any(|name| kept(name));
        let how = if resumes { "--resume" } else { "--force" };
        place.run(&[&QUICK[..], &[out.as_str(), how]].concat()).expect(0);
        same_bits(&place, "unbroken", &out);
    }
    println!("{failed} changes of the disk were made to fail");
    assert!(failed > 30, "{failed}");
}
