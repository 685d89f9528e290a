//! Folders and disks that do not take what is written to them.

use super::interruption::same_bits;
use super::support::{Place, Ran, count};

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

/// The kernel refuses to let any file grow beyond the limit, as a full disk does. Sizes in blocks of 1024
/// bytes or, in some shells, of 512: from one that takes nothing to one that takes all.
#[cfg(unix)]
#[test]
fn a_full_disk_loses_neither_the_error_nor_the_smaller_files() {
    let place = Place::new("full");
    let mut whole = 0;
    for (number, blocks) in [0, 2, 4, 8, 16, 4096].into_iter().enumerate() {
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}");
        let out = format!("run-{number}");
        let arguments = [&QUICK[..], &[out.as_str()]].concat();
        let ran = Ran::of(&mut place.shell(&limit, &arguments, ""));
        let files = if place.path(&out).exists() { place.files(&out) } else { Vec::new() };
        let has = |name: &str| files.iter().any(|file| file == name);
        assert!(!files.iter().any(|file| file.ends_with(".part")), "{blocks}: {files:?}");
        if ran.code == Some(0) {
            // Whatever is said to have succeeded is there.
            assert!(["result.json", "fields.npz", "problem.toml"].iter().all(|name| has(name)));
            whole += 1;
        } else {
            let ran = ran.expect(1).complains(&["cannot write"]);
            assert_eq!(ran.stdout, "", "{blocks}");
            assert!(!has("result.json") && !has("fields.npz"), "{blocks}: {files:?}");
        }
        if blocks == 16 {
            let smaller = ["history.csv", "history.npz", "parameters.safetensors", "problem.toml"];
            assert!(smaller.iter().all(|name| has(name)), "{files:?}");
        }
        // Once there is room it is done.
        place.run(&[&arguments[..], &["--force"]].concat()).expect(0);
    }
    assert_eq!(whole, 1, "the largest alone takes all");
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
/// written, and comes to the same bits once the disk works again. Every `stride`-th change is made to
/// fail, of a run that is solved with `more`.
fn every_change_may_fail(place: &Place, more: &[&str], stride: usize) -> usize {
    let arguments = |out: &str| {
        let words = [&QUICK[..], &[out], more].concat();
        words.into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    let command =
        |words: &[String]| place.command(&words.iter().map(String::as_str).collect::<Vec<&str>>());
    Ran::of(&mut command(&arguments("unbroken"))).expect(0);
    let mut failed = 0;
    for number in (1..).step_by(stride) {
        let out = format!("run-{number}");
        let mut broken = command(&arguments(&out));
        broken
            .env("SKETCHPDE_DISK_FAILS_AT", number.to_string())
            // As a first run finds it.
            .env("SKETCHPDE_CACHE", place.path(&format!("cache-{number}")));
        let ran = Ran::of(&mut broken);
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
        let checkpoints = ["checkpoint.bin", "checkpoint.previous.bin", "checkpoint.incoming.bin"];
        let resumes = kept("result.json") || checkpoints.iter().any(|name| kept(name));
        let mut words = arguments(&out);
        words.push(if resumes { "--resume" } else { "--force" }.to_owned());
        Ran::of(&mut command(&words)).expect(0);
        same_bits(place, "unbroken", &out);
    }
    println!("{failed} changes of the disk were made to fail");
    failed
}

#[test]
fn every_change_of_the_disk_may_fail() {
    let place = Place::new("every-failure");
    let failed = every_change_may_fail(&place, &[], 1);
    assert!(failed > 30, "{failed}");
}

/// As [`every_change_of_the_disk_may_fail`], with a checkpoint after about every step: files, names and the folder
/// of each.
#[test]
fn every_change_of_the_disk_by_a_checkpoint_may_fail() {
    let place = Place::new("every-checkpoint");
    let more = ["--checkpoint-every", "0.001", "--set", "method.step=5e-5"];
    let stride = count("SKETCHPDE_DISK_STRIDE", 11).max(1) as usize;
    let failed = every_change_may_fail(&place, &more, stride);
    // Without checkpoints there are fewer than 60.
    assert!(failed * stride > 70, "{failed}");
}
