//! Results that are dear to compute, kept between runs under the hash of what they depend on.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::checkpoint::digest;
use super::{OutputError, atomic};
use crate::bytes::{Reader, Writer};
use crate::problem::{Problem, ReferenceKind};
use crate::reference::{
    self, Progress, Reference, ReferenceError, SpectralSettings, SpectralSolution,
};

/// The variable that moves the cache to another folder.
pub const FOLDER_VARIABLE: &str = "SKETCHPDE_CACHE";
const MAGIC: &[u8; 16] = b"sketchpde cache2";

/// A folder of entries, each a checksummed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    folder: PathBuf,
}

/// What a cache knows of a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    Found(T),
    Missing,
    /// The file is damaged or of another format; it will be written anew. Worth a warning.
    Damaged(PathBuf),
}

impl<T> Lookup<T> {
    fn and_then<U>(self, path: PathBuf, decode: impl FnOnce(T) -> Option<U>) -> Lookup<U> {
        match self {
            Self::Found(value) => decode(value).map_or(Lookup::Damaged(path), Lookup::Found),
            Self::Missing => Lookup::Missing,
            Self::Damaged(path) => Lookup::Damaged(path),
        }
    }
}

impl Cache {
    /// The user's cache: the folder named by `SKETCHPDE_CACHE`, else the system's place for
    /// caches; `None` where there is neither.
    #[must_use]
    pub fn of_user() -> Option<Self> {
        if let Some(folder) = std::env::var_os(FOLDER_VARIABLE).filter(|name| !name.is_empty()) {
            return Some(Self::at(folder));
        }
        let places = directories::ProjectDirs::from("", "", "sketchpde")?;
        Some(Self::at(places.cache_dir()))
    }

    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of an entry: `kind` (a plain word) and the hash of `key`.
    #[must_use]
    pub fn path(&self, kind: &str, key: &[u8]) -> PathBuf {
        // The format is part of the name: what an older version wrote is not there for this one.
        let hash = digest(&[MAGIC, key].concat())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        self.folder.join(format!("{kind}-{}.bin", &hash[..32]))
    }

    #[must_use]
    pub fn bytes(&self, kind: &str, key: &[u8]) -> Lookup<Vec<u8>> {
        let path = self.path(kind, key);
        let Ok(file) = std::fs::read(&path) else { return Lookup::Missing };
        match checked_contents(&file, key) {
            Some(contents) => Lookup::Found(contents.to_vec()),
            None => Lookup::Damaged(path),
        }
    }

    /// # Errors
    /// [`OutputError::Write`]; a run can go on without its cache.
    pub fn store_bytes(&self, kind: &str, key: &[u8], contents: &[u8]) -> Result<(), OutputError> {
        let mut entry = Writer::default();
        entry.count(key.len() as u64);
        entry.raw(key);
        entry.raw(contents);
        let entry = entry.finish();
        let file = [MAGIC, digest(&entry).as_slice(), &entry].concat();
        atomic::write(&self.path(kind, key), &file)
    }

    /// Fitted parameters with the fit's error; `key` names everything that the fit depends on.
    #[must_use]
    pub fn fit(&self, key: &[u8]) -> Lookup<CachedFit> {
        self.bytes("fit", key).and_then(self.path("fit", key), |bytes| {
            let mut reader = Reader::new(&bytes);
            let (error, parameters) = (reader.real()?, reader.reals()?);
            let finite = error.is_finite() && parameters.iter().all(|p| p.is_finite());
            (reader.is_empty() && finite).then_some(CachedFit { parameters, error })
        })
    }

    /// # Errors
    /// [`OutputError::Write`].
    pub fn store_fit(&self, key: &[u8], fit: &CachedFit) -> Result<(), OutputError> {
        let mut bytes = Writer::default();
        bytes.real(fit.error);
        bytes.reals(&fit.parameters);
        self.store_bytes("fit", key, &bytes.finish())
    }
}

/// The result of an initial fit.
#[derive(Clone, Debug, PartialEq)]
pub struct CachedFit {
    pub parameters: Vec<f64>,
    /// Relative L2 error of the fit.
    pub error: f64,
}

/// [`Reference::of`] with spectral solutions taken from the cache or put there. What went wrong
/// with the cache itself comes beside the reference, as text for a warning.
///
/// # Errors
/// As [`Reference::of`].
pub fn reference(
    cache: Option<&Cache>,
    problem: &Problem,
    observe: &dyn Fn(Progress) -> ControlFlow<()>,
) -> Result<(Option<Reference>, Option<String>), ReferenceError> {
    let (Some(cache), ReferenceKind::Spectral) = (cache, reference::kind(problem)) else {
        return Reference::of(problem, observe).map(|reference| (reference, None));
    };
    // Between insulated sides the solution is half of a periodic one.
    let whole = problem.mirrored();
    let problem = whole.as_ref().unwrap_or(problem);
    let settings = SpectralSettings::of(problem);
    let key = reference::spectral::identity(problem, &settings);
    let (kind, key) = ("reference", key.as_bytes());
    let found = cache
        .bytes(kind, key)
        .and_then(cache.path(kind, key), |bytes| SpectralSolution::decode(&bytes).ok());
    let mut warning = None;
    match found {
        Lookup::Found(solution) => return Ok((Some(Reference::Spectral(solution)), None)),
        Lookup::Damaged(path) => {
            warning = Some(format!("the cached {} is damaged: computed anew", path.display()));
        }
        Lookup::Missing => {}
    }
    let solution = reference::spectral::solve(problem, &settings, observe)?;
    if let Err(error) = cache.store_bytes(kind, key, &solution.encode()) {
        warning = Some(error.to_string());
    }
    Ok((Some(Reference::Spectral(solution)), warning))
}

/// The contents behind an entry's magic bytes, checksum and key, when all of them match: an entry
/// under another one's name is none of ours.
fn checked_contents<'a>(file: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let rest = file.strip_prefix(MAGIC)?;
    let (checksum, entry) = rest.split_first_chunk::<32>()?;
    let (length, rest) = entry.split_first_chunk::<8>()?;
    let contents = rest.strip_prefix(key)?;
    let whole = u64::from_le_bytes(*length) == key.len() as u64 && digest(entry) == *checksum;
    whole.then_some(contents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Overrides;
    use crate::tests::Scratch;

    #[test]
    fn entries_come_back_and_damaged_ones_are_replaced() {
        let scratch = Scratch::new("cache");
        let cache = Cache::at(scratch.path("not/yet/there"));
        let fit = CachedFit { parameters: vec![0.1, -0.0], error: 1e-6 };
        assert_eq!(cache.fit(b"key"), Lookup::Missing);
        cache.store_fit(b"key", &fit).expect("stores");
        assert_eq!(cache.fit(b"key"), Lookup::Found(fit.clone()));
        assert_eq!(cache.fit(b"another key"), Lookup::Missing);

        let path = cache.path("fit", b"key");
        let mut file = std::fs::read(&path).expect("reads");
        *file.last_mut().expect("bytes") ^= 1;
        for damaged in [&file[..], &file[..20], b""] {
            std::fs::write(&path, damaged).expect("writes");
            assert_eq!(cache.fit(b"key"), Lookup::Damaged(path.clone()));
        }
        cache.store_fit(b"key", &fit).expect("stores");
        assert_eq!(cache.fit(b"key"), Lookup::Found(fit));
    }

    #[test]
    fn an_entry_of_another_key_or_without_numbers_is_not_taken() {
        let scratch = Scratch::new("cache-renamed");
        let cache = Cache::at(scratch.folder());
        let fit = CachedFit { parameters: vec![0.1, 0.2], error: 1e-6 };
        cache.store_fit(b"key", &fit).expect("stores");
        let (mine, other) = (cache.path("fit", b"key"), cache.path("fit", b"another"));
        std::fs::copy(&mine, &other).expect("copies");
        assert_eq!(cache.fit(b"another"), Lookup::Damaged(other));
        // A key that begins with the other one, too.
        let longer = cache.path("fit", b"ke");
        std::fs::copy(&mine, &longer).expect("copies");
        assert_eq!(cache.fit(b"ke"), Lookup::Damaged(longer));
        for (bad, error) in [(f64::NAN, 1e-6), (0.1, f64::NAN), (f64::INFINITY, 0.0)] {
            let planted = CachedFit { parameters: vec![bad], error };
            cache.store_fit(b"key", &planted).expect("stores");
            assert_eq!(cache.fit(b"key"), Lookup::Damaged(mine.clone()));
        }
    }

    #[test]
    fn a_reference_is_computed_once_and_again_when_the_problem_changes() {
        let scratch = Scratch::new("cache-reference");
        let cache = Cache::at(scratch.folder());
        let text = "format = 1\n[equation]\ntext = \"u_t = u_xx + c*u_x\"\n[parameters]\nc = 1\n\
                    [domain]\nx = { range = [0, \"2*pi\"] }\n[time]\nend = 1\n\
                    [initial]\nu = \"sin(x)\"\n";
        let mut problem = Problem::from_toml(text, &Overrides::new()).expect("a problem");
        let calls = std::cell::Cell::new(0);
        let observe = |_: Progress| {
            calls.set(calls.get() + 1);
            ControlFlow::Continue(())
        };
        let first = reference(Some(&cache), &problem, &observe).expect("computes");
        let computed = calls.take();
        assert!(computed > 0 && first.1.is_none());
        assert_eq!(reference(Some(&cache), &problem, &observe).expect("reads"), first);
        assert_eq!(calls.take(), 0);
        problem.parameters[0].value = 2.0;
        assert_ne!(reference(Some(&cache), &problem, &observe).expect("computes"), first);
        assert!(calls.take() > 0);
    }
}
