//! One run at a time in a folder.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::output::OutputError;

/// Holds a folder for one run until it is dropped; the system lets go of it with the process,
/// however that ends.
#[derive(Debug)]
pub struct Lock {
    /// None on file systems that know no locks: there runs are not kept apart.
    _file: Option<File>,
}

impl Lock {
    /// Takes a folder that is there; `None` where another run holds it.
    pub fn take(folder: &Path) -> Result<Option<Self>, OutputError> {
        let failed = |source| OutputError::Write { path: folder.to_owned(), source };
        let file = handle(folder).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: Some(file) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(_)) => Ok(Some(Self { _file: None })),
        }
    }

    /// Whether a run holds the folder now.
    pub fn is_held(folder: &Path) -> bool {
        folder.is_dir() && matches!(Self::take(folder), Ok(None))
    }
}

/// What is locked: the folder itself, which leaves no file behind, where that can be opened.
#[cfg(unix)]
fn handle(folder: &Path) -> std::io::Result<File> {
    File::open(folder)
}

#[cfg(not(unix))]
fn handle(folder: &Path) -> std::io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(folder.join(".lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one_at_a_time() {
        let folder = std::env::temp_dir().join(format!("sketchpde-lock-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let first = Lock::take(&folder).expect("opens").expect("is free");
        assert!(Lock::is_held(&folder) && Lock::take(&folder).expect("opens").is_none());
        drop(first);
        assert!(!Lock::is_held(&folder) && Lock::take(&folder).expect("opens").is_some());
        std::fs::remove_dir_all(&folder).expect("goes");
    }
}
