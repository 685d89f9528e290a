//! Checkpoints: the exact state of a run as a file, versioned and checksummed.
//!
//! A file is the magic bytes, the format's version (u32), the payload's length (u64), the SHA-256
//! of the payload and the payload, which is whatever serde makes of the state in postcard's format;
//! numbers of the head are little-endian, reals keep every bit. What the state is stands above this
//! floor: here are the frame around it and the places in a folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::disk::disk;
use super::{OutputError, atomic};
use crate::bytes::Reader;

const MAGIC: &[u8; 16] = b"sketchpde resume";
/// The version that is written and read.
const FORMAT: u32 = 6;
const HEADER: usize = 16 + 4 + 8 + 32;
/// How the app's own files began before it wrote this format.
const EARLIER: [&[u8]; 2] = [b"sketchpde run ", b"sketchpde training "];

/// Why bytes are no checkpoint to go on from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    #[error("is not a checkpoint: name the result folder of an interrupted run, or a saved run")]
    Foreign,
    #[error(
        "was saved by an earlier version of this program, in a format that this one does not read: \
         go on with that version, or begin the run anew"
    )]
    Earlier,
    #[error(
        "is a checkpoint of format {found}; this program reads format {FORMAT}: resume it with the \
         version that wrote it"
    )]
    Later { found: u32 },
    #[error(
        "ends too early ({found} of {expected} bytes): the disk was full or the copy broke off; use \
         the checkpoint before it"
    )]
    Truncated { found: u64, expected: u64 },
    #[error("is damaged: its checksum does not match; use the checkpoint before it")]
    Damaged,
    #[error("holds a state that cannot be: {reason}; use the checkpoint before it")]
    Inconsistent { reason: String },
    #[error(
        "belongs to a run with other settings: resume with the problem file and options of that \
         run, or start anew without --resume"
    )]
    OtherProblem,
    #[error(
        "was written by version {program} on {device}, and this is version {own_program} on \
         {own_device}, which comes to other bits: go on with the --backend, --adapter and \
         --precision of that run, or start anew without --resume"
    )]
    OtherMaker { program: String, device: String, own_program: String, own_device: String },
}

/// SHA-256 of any bytes: what a cache keeps of its keys, and a checkpoint of its payload.
#[must_use]
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The newest checkpoint of a result folder.
#[must_use]
pub fn path(folder: &Path) -> PathBuf {
    folder.join("checkpoint.bin")
}

/// The one before it.
#[must_use]
pub fn previous_path(folder: &Path) -> PathBuf {
    folder.join("checkpoint.previous.bin")
}

/// A complete one that has not taken its place yet: there only while one is saved, or where the
/// program was killed on the way.
fn incoming_path(folder: &Path) -> PathBuf {
    folder.join("checkpoint.incoming.bin")
}

/// Every place of a checkpoint in a folder, the newest first.
fn places(folder: &Path) -> [PathBuf; 3] {
    // An incoming one is complete, and newer than what it replaces.
    [incoming_path(folder), path(folder), previous_path(folder)]
}

/// Whether a folder holds a state to go on from, wherever the writing of the last one was cut off.
#[must_use]
pub fn any(folder: &Path) -> bool {
    places(folder).iter().any(|place| place.exists())
}

/// Takes every checkpoint of a folder away, once everything else is written.
pub fn remove(folder: &Path) {
    for place in places(folder) {
        // One that stays does no harm.
        let _ = fs::remove_file(place);
    }
}

/// Makes an encoded state the folder's newest checkpoint; the one before it is kept until the next.
///
/// # Errors
/// [`OutputError::Write`]; the checkpoints that were there still are.
pub fn save(folder: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let (newest, previous) = (path(folder), previous_path(folder));
    let incoming = incoming_path(folder);
    atomic::write(&incoming, bytes)?;
    let error = |source| OutputError::Write { path: newest.clone(), source };
    if newest.exists() {
        disk(|| fs::rename(&newest, previous)).map_err(error)?;
    }
    disk(|| fs::rename(&incoming, &newest)).map_err(error)?;
    atomic::sync_folder(folder).map_err(error)
}

/// The folder's newest state that `accept` takes. When the newest file cannot be used, the one
/// before it is taken and the error says why.
///
/// # Errors
/// The newest file's, when no other can be used.
pub fn resume<T: DeserializeOwned>(
    folder: &Path,
    accept: &dyn Fn(&T) -> Result<(), CheckpointError>,
) -> Result<(T, Option<OutputError>), OutputError> {
    let load = |path: PathBuf| -> Result<T, OutputError> {
        let read = decode(&atomic::read(&path)?).and_then(|state| accept(&state).map(|()| state));
        read.map_err(|source| OutputError::Checkpoint { path, source })
    };
    // The first that is there and cannot be used says why.
    let mut refused = None;
    for place in places(folder) {
        if !place.exists() {
            continue;
        }
        match load(place) {
            Ok(found) => return Ok((found, refused)),
            Err(error) => {
                refused.get_or_insert(error);
            }
        }
    }
    Err(refused.unwrap_or_else(|| {
        let source = std::io::ErrorKind::NotFound.into();
        OutputError::Read { path: path(folder), source }
    }))
}

/// Whether the bytes begin as a checkpoint does, of whatever version.
#[must_use]
pub fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) || EARLIER.iter().any(|magic| bytes.starts_with(magic))
}

/// A state as the bytes of a checkpoint.
#[must_use]
pub fn encode(state: &impl Serialize) -> Vec<u8> {
    // Writing plain data into memory cannot fail.
    let payload = postcard::to_stdvec(state).unwrap_or_default();
    let mut file = MAGIC.to_vec();
    file.extend(FORMAT.to_le_bytes());
    file.extend((payload.len() as u64).to_le_bytes());
    file.extend(digest(&payload));
    file.extend(payload);
    file
}

/// The inverse of [`encode`].
///
/// # Errors
/// [`CheckpointError`], when the bytes are not a complete checkpoint of this version.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CheckpointError> {
    if !bytes.starts_with(MAGIC) {
        let earlier = is_one(bytes);
        return Err(if earlier { CheckpointError::Earlier } else { CheckpointError::Foreign });
    }
    let mut header = Reader::new(&bytes[MAGIC.len()..]);
    let (Some(version), Some(length), Some(checksum)) =
        (header.array().map(u32::from_le_bytes), header.count(), header.array::<32>())
    else {
        let (found, expected) = (bytes.len() as u64, HEADER as u64);
        return Err(CheckpointError::Truncated { found, expected });
    };
    match version {
        FORMAT => {}
        0..FORMAT => return Err(CheckpointError::Earlier),
        found => return Err(CheckpointError::Later { found }),
    }
    let payload = &bytes[HEADER..];
    if (payload.len() as u64) < length {
        let (found, expected) = (payload.len() as u64, length);
        return Err(CheckpointError::Truncated { found, expected });
    }
    if payload.len() as u64 > length || digest(payload) != checksum {
        return Err(CheckpointError::Damaged);
    }
    match postcard::take_from_bytes(payload) {
        Ok((state, [])) => Ok(state),
        _ => Err(CheckpointError::Damaged),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::records::History;
    use crate::tests::{Scratch, history};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct State {
        step: u64,
        parameters: Vec<f64>,
        lists: BTreeMap<String, Vec<f64>>,
        history: History,
    }

    fn state(step: u64) -> State {
        State {
            step,
            parameters: vec![1.0 / 3.0, -0.0, 5e-324],
            lists: BTreeMap::from([
                ("controller".to_owned(), vec![0.7, 1e300]),
                ("fields.values".to_owned(), vec![]),
            ]),
            history: history(5),
        }
    }

    fn keep(step: u64, folder: &Path) {
        save(folder, &encode(&state(step))).expect("saves");
    }

    fn load(path: &Path) -> State {
        decode(&fs::read(path).expect("reads")).expect("decodes")
    }

    fn any_state(_: &State) -> Result<(), CheckpointError> {
        Ok(())
    }

    #[test]
    fn a_checkpoint_comes_back_exactly_and_the_previous_one_is_kept() {
        let scratch = Scratch::new("checkpoint");
        for step in 1..=3 {
            keep(step, scratch.folder());
        }
        assert_eq!(load(&path(scratch.folder())), state(3));
        assert_eq!(load(&previous_path(scratch.folder())), state(2));
        let (resumed, warning) = resume(scratch.folder(), &any_state).expect("resumes");
        assert!(resumed == state(3) && warning.is_none());
        let none = |_: &State| Err(CheckpointError::OtherProblem);
        let other = resume(scratch.folder(), &none);
        let Err(OutputError::Checkpoint { source, .. }) = other else { panic!("{other:?}") };
        assert_eq!(source, CheckpointError::OtherProblem);
    }

    /// Killed at any moment of the saving, the folder holds a state to go on from.
    #[test]
    fn a_saving_that_is_cut_off_between_its_renames_loses_nothing() {
        let scratch = Scratch::new("checkpoint-cut");
        let folder = scratch.folder();
        assert!(!any(folder));
        keep(1, folder);
        keep(2, folder);
        let resumed = || {
            let (resumed, warning) = resume::<State>(folder, &any_state).expect("resumes");
            assert!(warning.is_none(), "nothing is damaged");
            resumed
        };
        // Before the first rename, and after it.
        atomic::write(&incoming_path(folder), &encode(&state(3))).expect("writes");
        assert!(resumed() == state(3));
        fs::rename(path(folder), previous_path(folder)).expect("renames");
        assert!(any(folder) && resumed() == state(3));
        // As older programs left it: nothing but the one before.
        fs::remove_file(incoming_path(folder)).expect("goes");
        assert!(any(folder) && resumed() == state(2));
        remove(folder);
        assert!(!any(folder));
    }

    #[test]
    fn every_kind_of_damage_is_told_apart_and_the_previous_checkpoint_is_used() {
        let scratch = Scratch::new("checkpoint-damage");
        keep(1, scratch.folder());
        keep(2, scratch.folder());
        let file = path(scratch.folder());
        let good = fs::read(&file).expect("reads");
        let load = |bytes: &[u8]| {
            fs::write(&file, bytes).expect("writes");
            let error = decode::<State>(bytes).expect_err("damaged");
            let (resumed, warning) =
                resume(scratch.folder(), &any_state).expect("the previous one");
            assert_eq!(resumed, state(1));
            assert!(warning.expect("a reason").to_string().ends_with(&error.to_string()));
            error
        };
        assert_eq!(load(b""), CheckpointError::Foreign);
        assert_eq!(load(b"PNG and so on, long enough"), CheckpointError::Foreign);
        assert_eq!(load(b"sketchpde run 3\n and what follows"), CheckpointError::Earlier);
        for length in [20, HEADER, good.len() - 1] {
            assert!(matches!(load(&good[..length]), CheckpointError::Truncated { .. }));
        }
        for position in [30, HEADER + 3, good.len() - 1] {
            let mut flipped = good.clone();
            flipped[position] ^= 1;
            assert_eq!(load(&flipped), CheckpointError::Damaged);
        }
        let mut other = good.clone();
        other[16] = 9;
        assert_eq!(load(&other), CheckpointError::Later { found: 9 });
        other[16] = 3;
        assert_eq!(load(&other), CheckpointError::Earlier);
        // A right checksum over what is no state.
        let foreign = encode(&vec![u64::MAX; 3]);
        assert_eq!(load(&foreign), CheckpointError::Damaged);
        remove(scratch.folder());
        assert!(matches!(resume(scratch.folder(), &any_state), Err(OutputError::Read { .. })));
    }
}
