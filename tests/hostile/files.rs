//! Result folders and caches.

use std::path::{Path, PathBuf};

use sketchpde::evolve::initial_fit::fit_key;
use sketchpde::output::{Cache, CachedFit, Lookup};
use sketchpde::session::{Activity, Start};
use sketchpde::{Outcome, ProblemFile};

use super::damage::{cases, try_all};
use super::states::{heat, poisson, session};

/// A folder of this test's own, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("sketchpde-hostile-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A run with all that it leaves.
fn folder(name: &str, problem: &ProblemFile) -> Scratch {
    let scratch = Scratch::new(name);
    let (_, mut session) = session(problem, Start::Beginning).expect("begins");
    while pollster::block_on(session.advance(f64::INFINITY)) == Activity::Busy {}
    Outcome::of(&session, None).expect("an outcome").save(&scratch.0).expect("saves");
    scratch
}

/// Everything that reads a folder reads it.
fn read(folder: &Path) {
    let shown = |error: String| assert!(!error.is_empty());
    match Outcome::open(folder) {
        Err(error) => shown(error.to_string()),
        Ok(outcome) => {
            let Ok(solution) = outcome.solution() else { return };
            let point = vec![0.25; solution.coordinates().len()];
            let _ = solution.at(0.01, &point).map_err(|error| shown(error.to_string()));
        }
    }
}

#[test]
fn result_folders() {
    for (name, problem) in [("evolution", heat()), ("training", poisson())] {
        let scratch = folder(name, &problem);
        let files: Vec<PathBuf> = std::fs::read_dir(&scratch.0)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.is_file())
            .collect();
        assert!(files.len() >= 5, "{files:?}");
        for path in files {
            let whole = std::fs::read(&path).expect("reads");
            try_all(cases() / 4, std::slice::from_ref(&whole), |bytes| {
                std::fs::write(&path, bytes).expect("writes");
                read(&scratch.0);
            });
            std::fs::write(&path, whole).expect("writes");
        }
    }
}

#[test]
fn caches() {
    let scratch = Scratch::new("cache");
    let cache = Cache::at(&scratch.0);
    let ProblemFile::Evolution(problem) = heat() else { panic!("an evolution") };
    let key = fit_key(&problem);
    let fit = CachedFit { parameters: vec![0.5; 13], error: 1e-7 };
    cache.store_fit(&key, &fit).expect("stores");
    let path = cache.path("fit", &key);
    let whole = std::fs::read(&path).expect("reads");
    try_all(cases(), &[whole], |bytes| {
        std::fs::write(&path, bytes).expect("writes");
        if let Lookup::Found(found) = cache.fit(&key) {
            assert_eq!(found, fit, "a damaged entry was taken for whole");
        }
    });
}
