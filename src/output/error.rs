//! What can go wrong between memory and disk.

use std::io;
use std::path::PathBuf;

use super::checkpoint::CheckpointError;

/// A file that could not be written or read, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    #[error("cannot write {}: {source}{}", path.display(), remedy(source))]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is not an npz archive of numbers: {reason}", path.display())]
    Archive { path: PathBuf, reason: String },
    #[error("{} has no array \"{name}\": was it written by another program?", path.display())]
    MissingArray { path: PathBuf, name: String },
    #[error(
        "array \"{name}\" of {} has {found} numbers where {expected} are needed", path.display()
    )]
    ArrayLength { path: PathBuf, name: String, found: usize, expected: usize },
    #[error("{} is not a safetensors file of this network: {reason}", path.display())]
    Parameters { path: PathBuf, reason: String },
    #[error("{} is not valid JSON: {source}", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    #[error("{} {source}", path.display())]
    Checkpoint { path: PathBuf, source: CheckpointError },
    #[error("cannot draw {figure}: {reason}")]
    Plot { figure: &'static str, reason: String },
}

/// The way out, by the kind of failure.
fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space or choose another folder with --out (what was written before is intact)"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; choose a folder that you may write to with --out"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "; a file is in the way: choose another folder with --out"
        }
        _ => "; choose another folder with --out",
    }
}
