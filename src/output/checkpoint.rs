//! Checkpoints: the exact state of a run, versioned and checksummed.
//!
//! A file is the magic bytes, the format's version (u32), the payload's length (u64), the SHA-256
//! of the payload and the payload; numbers are little-endian, reals keep every bit.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::records::{History, Spectrum, StepRecord};
use super::{OutputError, atomic};
use crate::bytes::{Reader, Writer};

const MAGIC: &[u8; 16] = b"sketchpde resume";
const VERSION: u32 = 3;
const HEADER: usize = 16 + 4 + 8 + 32;

/// The state from which a run continues to the same bits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// SHA-256 of the resolved configuration.
    pub configuration: [u8; 32],
    pub seed: u64,
    /// Steps done.
    pub step: u64,
    pub time: f64,
    pub parameters: Vec<f64>,
    /// Everything else, by name: the step controller's state, fields kept so far.
    pub state: BTreeMap<String, Vec<f64>>,
    pub history: History,
}

/// SHA-256 of any bytes: what a checkpoint keeps of the configuration and a cache of its keys.
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

impl Checkpoint {
    /// Writes the folder's newest checkpoint; the one before it is kept until the next.
    ///
    /// # Errors
    /// [`OutputError::Write`]; the checkpoints that were there still are.
    pub fn save(&self, folder: &Path) -> Result<(), OutputError> {
        let (newest, previous) = (path(folder), previous_path(folder));
        let incoming = incoming_path(folder);
        atomic::write(&incoming, &self.encode())?;
        let error = |source| OutputError::Write { path: newest.clone(), source };
        if newest.exists() {
            fs::rename(&newest, previous).map_err(error)?;
        }
        fs::rename(&incoming, &newest).map_err(error)?;
        atomic::sync_folder(folder).map_err(error)
    }

    /// Reads one file.
    ///
    /// # Errors
    /// [`OutputError::Read`], and one of the checkpoint errors when the file is not a complete
    /// checkpoint of this version.
    pub fn load(path: &Path) -> Result<Self, OutputError> {
        Self::decode(&atomic::read(path)?, path)
    }

    /// The folder's newest readable checkpoint of the run with this configuration. When the newest
    /// file cannot be used, the one before it is taken and the error says why.
    ///
    /// # Errors
    /// The newest file's, when no other can be used;
    /// [`OutputError::CheckpointOfAnotherRun`] when the configuration differs.
    pub fn resume(
        folder: &Path,
        configuration: [u8; 32],
    ) -> Result<(Self, Option<OutputError>), OutputError> {
        let load = |path: PathBuf| {
            let checkpoint = Self::load(&path)?;
            if checkpoint.configuration == configuration {
                Ok(checkpoint)
            } else {
                Err(OutputError::CheckpointOfAnotherRun { path })
            }
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

    fn encode(&self) -> Vec<u8> {
        let mut payload = Writer::default();
        payload.raw(&self.configuration);
        payload.count(self.seed);
        payload.count(self.step);
        payload.real(self.time);
        payload.reals(&self.parameters);
        payload.count(self.state.len() as u64);
        for (name, values) in &self.state {
            payload.text(name);
            payload.reals(values);
        }
        payload.count(self.history.records.len() as u64);
        for record in &self.history.records {
            encode_record(&mut payload, record);
        }
        payload.count(self.history.spectra.len() as u64);
        for spectrum in &self.history.spectra {
            payload.count(spectrum.step as u64);
            payload.real(spectrum.time);
            payload.real(spectrum.rcond);
            payload.reals(&spectrum.singular_values);
        }
        let payload = payload.finish();
        let mut file = MAGIC.to_vec();
        file.extend(VERSION.to_le_bytes());
        file.extend((payload.len() as u64).to_le_bytes());
        file.extend(digest(&payload));
        file.extend(payload);
        file
    }

    fn decode(bytes: &[u8], path: &Path) -> Result<Self, OutputError> {
        let path = path.to_owned();
        if bytes.get(..MAGIC.len()) != Some(MAGIC.as_slice()) {
            return Err(OutputError::NotACheckpoint { path });
        }
        let mut header = Reader::new(&bytes[MAGIC.len()..]);
        let (Some(version), Some(length), Some(checksum)) =
            (header.array().map(u32::from_le_bytes), header.count(), header.array::<32>())
        else {
            let (found, expected) = (bytes.len() as u64, HEADER as u64);
            return Err(OutputError::CheckpointTruncated { path, found, expected });
        };
        if version != VERSION {
            let (found, supported) = (version, VERSION);
            return Err(OutputError::CheckpointVersion { path, found, supported });
        }
        let payload = &bytes[HEADER..];
        if (payload.len() as u64) < length {
            let (found, expected) = (payload.len() as u64, length);
            return Err(OutputError::CheckpointTruncated { path, found, expected });
        }
        if payload.len() as u64 > length || digest(payload) != checksum {
            return Err(OutputError::CheckpointDamaged { path });
        }
        Self::decode_payload(payload).ok_or(OutputError::CheckpointDamaged { path })
    }

    fn decode_payload(payload: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(payload);
        let configuration = reader.array()?;
        let (seed, step, time) = (reader.count()?, reader.count()?, reader.real()?);
        let parameters = reader.reals()?;
        let state = (0..reader.count()?)
            .map(|_| Some((reader.text()?, reader.reals()?)))
            .collect::<Option<_>>()?;
        let records =
            (0..reader.count()?).map(|_| decode_record(&mut reader)).collect::<Option<_>>()?;
        let spectra = (0..reader.count()?)
            .map(|_| {
                let (step, time, rcond) = (reader.size()?, reader.real()?, reader.real()?);
                Some(Spectrum { step, time, rcond, singular_values: reader.reals()? })
            })
            .collect::<Option<_>>()?;
        let history = History { records, spectra };
        let checkpoint = Self { configuration, seed, step, time, parameters, state, history };
        (reader.is_empty() && checkpoint.is_finite()).then_some(checkpoint)
    }

    /// From parameters or a time that are no numbers no run goes on, whatever the checksum says.
    fn is_finite(&self) -> bool {
        self.time.is_finite() && self.parameters.iter().all(|value| value.is_finite())
    }
}

fn encode_record(payload: &mut Writer, record: &StepRecord) {
    let StepRecord { step, columns, rank, corrections, rejected, .. } = *record;
    for count in [step, columns, rank, corrections, rejected] {
        payload.count(count as u64);
    }
    for real in [
        record.time,
        record.dt,
        record.residual,
        record.largest_singular_value,
        record.wall_seconds,
    ] {
        payload.real(real);
    }
    for optional in [record.error, record.refit_error] {
        payload.count(u64::from(optional.is_some()));
        payload.real(optional.unwrap_or_default());
    }
}

fn decode_record(reader: &mut Reader<'_>) -> Option<StepRecord> {
    let (step, columns, rank) = (reader.size()?, reader.size()?, reader.size()?);
    let (corrections, rejected) = (reader.size()?, reader.size()?);
    let (time, dt, residual) = (reader.real()?, reader.real()?, reader.real()?);
    let (largest_singular_value, wall_seconds) = (reader.real()?, reader.real()?);
    let mut optional = || {
        let (known, value) = (reader.count()?, reader.real()?);
        Some((known == 1).then_some(value))
    };
    let (error, refit_error) = (optional()?, optional()?);
    Some(StepRecord {
        step,
        time,
        dt,
        residual,
        columns,
        rank,
        largest_singular_value,
        error,
        corrections,
        rejected,
        refit_error,
        wall_seconds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Scratch, history};

    fn checkpoint(step: u64) -> Checkpoint {
        Checkpoint {
            configuration: digest(b"settings"),
            seed: u64::MAX,
            step,
            time: 0.1 + 0.2,
            parameters: vec![1.0 / 3.0, -0.0, 5e-324],
            state: BTreeMap::from([
                ("controller".to_owned(), vec![0.7, 1e300]),
                ("fields.values".to_owned(), vec![]),
            ]),
            history: history(5),
        }
    }

    #[test]
    fn a_checkpoint_comes_back_exactly_and_the_previous_one_is_kept() {
        let scratch = Scratch::new("checkpoint");
        for step in 1..=3 {
            checkpoint(step).save(scratch.folder()).expect("saves");
        }
        assert_eq!(Checkpoint::load(&path(scratch.folder())).expect("loads"), checkpoint(3));
        let previous = Checkpoint::load(&previous_path(scratch.folder())).expect("loads");
        assert_eq!(previous, checkpoint(2));
        let (resumed, warning) =
            Checkpoint::resume(scratch.folder(), digest(b"settings")).expect("resumes");
        assert!(resumed == checkpoint(3) && warning.is_none());
        let other = Checkpoint::resume(scratch.folder(), digest(b"other"));
        assert!(matches!(other, Err(OutputError::CheckpointOfAnotherRun { .. })));
    }

    /// Killed at any moment of the saving, the folder holds a state to go on from.
    #[test]
    fn a_saving_that_is_cut_off_between_its_renames_loses_nothing() {
        let scratch = Scratch::new("checkpoint-cut");
        let folder = scratch.folder();
        assert!(!any(folder));
        checkpoint(1).save(folder).expect("saves");
        checkpoint(2).save(folder).expect("saves");
        let bytes = checkpoint(3).encode();
        let resumed = || {
            let resumed = Checkpoint::resume(folder, digest(b"settings")).expect("resumes");
            assert!(resumed.1.is_none(), "nothing is damaged");
            resumed.0
        };
        // Before the first rename, and after it.
        atomic::write(&incoming_path(folder), &bytes).expect("writes");
        assert!(resumed() == checkpoint(3));
        fs::rename(path(folder), previous_path(folder)).expect("renames");
        assert!(any(folder) && resumed() == checkpoint(3));
        // As older programs left it: nothing but the one before.
        fs::remove_file(incoming_path(folder)).expect("goes");
        assert!(any(folder) && resumed() == checkpoint(2));
        remove(folder);
        assert!(!any(folder));
    }

    #[test]
    fn a_state_that_is_no_number_is_damaged_whatever_its_checksum() {
        let scratch = Scratch::new("checkpoint-nan");
        checkpoint(1).save(scratch.folder()).expect("saves");
        let planted = Checkpoint { parameters: vec![1.0, f64::NAN], ..checkpoint(2) };
        planted.save(scratch.folder()).expect("saves");
        let (resumed, warning) =
            Checkpoint::resume(scratch.folder(), digest(b"settings")).expect("the one before");
        assert!(resumed == checkpoint(1) && warning.is_some());
        for time in [f64::NAN, f64::INFINITY] {
            let bytes = Checkpoint { time, ..checkpoint(2) }.encode();
            let error = Checkpoint::decode(&bytes, Path::new("x")).expect_err("damaged");
            assert!(matches!(error, OutputError::CheckpointDamaged { .. }));
        }
    }

    #[test]
    fn every_kind_of_damage_is_told_apart_and_the_previous_checkpoint_is_used() {
        let scratch = Scratch::new("checkpoint-damage");
        checkpoint(1).save(scratch.folder()).expect("saves");
        checkpoint(2).save(scratch.folder()).expect("saves");
        let file = path(scratch.folder());
        let good = std::fs::read(&file).expect("reads");
        let load = |bytes: &[u8]| {
            std::fs::write(&file, bytes).expect("writes");
            let error = Checkpoint::load(&file).expect_err("damaged");
            let resumed = Checkpoint::resume(scratch.folder(), digest(b"settings"));
            let (resumed, warning) = resumed.expect("the previous one");
            assert_eq!(resumed.step, 1);
            assert_eq!(warning.expect("a reason").to_string(), error.to_string());
            error
        };
        assert!(matches!(load(b""), OutputError::NotACheckpoint { .. }));
        assert!(matches!(load(b"PNG and so on, long enough"), OutputError::NotACheckpoint { .. }));
        for length in [20, HEADER, good.len() - 1] {
            assert!(matches!(load(&good[..length]), OutputError::CheckpointTruncated { .. }));
        }
        for position in [30, HEADER + 3, good.len() - 1] {
            let mut flipped = good.clone();
            flipped[position] ^= 1;
            assert!(matches!(load(&flipped), OutputError::CheckpointDamaged { .. }));
        }
        let mut newer = good.clone();
        newer[16] = 9;
        assert!(matches!(load(&newer), OutputError::CheckpointVersion { found: 9, .. }));
    }
}
