//! The result folder of a run: what it holds, written and read back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::columns::{self, Column};
use super::density::{self, DensityRecord};
use super::disk::disk;
use super::npz::{self, Array};
use super::records::{Axis, History, SpaceTimeField, Spectrum, StepRecord};
use super::{OutputError, atomic, parameters};
use crate::network::Network;

/// A folder with the results of one run:
///
/// | file | contents |
/// | --- | --- |
/// | `fields.npz` | `t`, one array per coordinate, `u` and `reference` (time first) |
/// | `history.npz`, `history.csv` | one entry per time step; `history.npz` also holds spectra |
/// | `moments.npz`, `moments.csv` | of a density that points are drawn from: one entry per kept time |
/// | `parameters.safetensors` | the network, one tensor per named segment |
/// | `trajectory.npz` | of an evolution: `t`, and `parameters` at these times (time first) |
/// | `problem.toml` | the resolved configuration |
/// | `result.json` | the summary |
#[derive(Clone, Debug)]
pub struct ResultFolder {
    path: PathBuf,
}

/// Array names that a coordinate may not take over.
const RESERVED: [&str; 3] = ["t", "u", REFERENCE];
const REFERENCE: &str = "reference";
const AXIS_PREFIX: &str = "axis_";

impl ResultFolder {
    /// Makes the folder where it does not exist.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, OutputError> {
        let path = path.into();
        match disk(|| std::fs::create_dir_all(&path)) {
            Ok(()) => Ok(Self { path }),
            Err(source) => Err(OutputError::Write { path, source }),
        }
    }

    /// A folder to read from.
    #[must_use]
    pub fn open(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// `problem.toml`.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn write_problem(&self, source: &str) -> Result<(), OutputError> {
        atomic::write(&self.file("problem.toml"), source.as_bytes())
    }

    /// The text of `problem.toml`.
    ///
    /// # Errors
    /// [`OutputError::Read`].
    pub fn read_problem(&self) -> Result<String, OutputError> {
        let path = self.file("problem.toml");
        std::fs::read_to_string(&path).map_err(|source| OutputError::Read { path, source })
    }

    /// `result.json`, indented.
    ///
    /// # Errors
    /// [`OutputError::Write`]; [`OutputError::Json`] when the summary has no JSON form.
    pub fn write_result(&self, result: &impl Serialize) -> Result<(), OutputError> {
        let path = self.file("result.json");
        match serde_json::to_string_pretty(result) {
            Ok(text) => atomic::write(&path, (text + "\n").as_bytes()),
            Err(source) => Err(OutputError::Json { path, source }),
        }
    }

    /// # Errors
    /// [`OutputError::Read`], [`OutputError::Json`].
    pub fn read_result(&self) -> Result<serde_json::Value, OutputError> {
        let path = self.file("result.json");
        serde_json::from_slice(&atomic::read(&path)?)
            .map_err(|source| OutputError::Json { path, source })
    }

    /// `parameters.safetensors`.
    ///
    /// # Errors
    /// As [`parameters::write`].
    pub fn write_parameters(
        &self,
        network: &Network,
        values: &[f64],
        metadata: &BTreeMap<String, String>,
    ) -> Result<(), OutputError> {
        parameters::write(&self.file("parameters.safetensors"), network, values, metadata)
    }

    /// `parameters.safetensors` of a network, with its metadata.
    ///
    /// # Errors
    /// As [`parameters::read`].
    pub fn read_parameters(
        &self,
        network: &Network,
    ) -> Result<(Vec<f64>, BTreeMap<String, String>), OutputError> {
        parameters::read(&self.file("parameters.safetensors"), network)
    }

    /// `trajectory.npz`: parameters along a run, a row per time.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    ///
    /// # Panics
    /// When the rows are of different lengths.
    pub fn write_trajectory(&self, times: &[f64], parameters: &[f64]) -> Result<(), OutputError> {
        let width = parameters.len() / times.len().max(1);
        let arrays = [
            Array::vector("t", times.to_vec()),
            Array::new("parameters", &[times.len(), width], parameters.to_vec()),
        ];
        npz::write(&self.file("trajectory.npz"), &arrays)
    }

    /// The times and the parameters from `trajectory.npz`, of a network with `width` of them; none
    /// where the run kept no such file.
    ///
    /// # Errors
    /// As [`ResultFolder::read_fields`].
    pub fn read_trajectory(&self, width: usize) -> Result<(Vec<f64>, Vec<f64>), OutputError> {
        let path = self.file("trajectory.npz");
        if !path.exists() {
            return Ok((Vec::new(), Vec::new()));
        }
        let arrays = npz::read(&path)?;
        let times = npz::find(&arrays, "t", &path)?.values.clone();
        let expected = times.len() * width;
        let values = columns::of_length(&arrays, "parameters", expected, &path)?.to_vec();
        Ok((times, values))
    }

    /// `moments.npz` and `moments.csv`, of a density over coordinates of these names.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn write_moments(
        &self,
        coordinates: &[String],
        records: &[DensityRecord],
    ) -> Result<(), OutputError> {
        density::write(&self.path, coordinates, records)
    }

    /// The records from `moments.npz`; none where the run had no density.
    ///
    /// # Errors
    /// As [`ResultFolder::read_fields`].
    pub fn read_moments(&self, coordinates: &[String]) -> Result<Vec<DensityRecord>, OutputError> {
        density::read(&self.path, coordinates)
    }

    /// `fields.npz`.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn write_fields(&self, field: &SpaceTimeField) -> Result<(), OutputError> {
        let mut arrays = vec![Array::vector("t", field.times.clone())];
        let mut shape = vec![field.times.len()];
        for axis in &field.axes {
            // An axis may be called as no other array is.
            let taken = RESERVED.contains(&axis.name.as_str());
            let prefix = if taken { AXIS_PREFIX } else { "" };
            arrays.push(Array::vector(&format!("{prefix}{}", axis.name), axis.values.clone()));
            shape.push(axis.values.len());
        }
        let single = field.unknowns.len() == 1;
        for of_unknown in field.apart() {
            let name = of_unknown.unknowns[0].as_str();
            let (own, reference) = match single {
                true => ("u".to_owned(), REFERENCE.to_owned()),
                false => (name.to_owned(), format!("{REFERENCE}_{name}")),
            };
            arrays.push(Array::new(&own, &shape, of_unknown.values));
            if let Some(values) = of_unknown.reference {
                arrays.push(Array::new(&reference, &shape, values));
            }
        }
        if field.unknowns.is_empty() {
            arrays.push(Array::vector("u", Vec::new()));
        }
        npz::write(&self.file("fields.npz"), &arrays)
    }

    /// # Errors
    /// [`OutputError::Read`], [`OutputError::Archive`], [`OutputError::MissingArray`] and
    /// [`OutputError::ArrayLength`].
    pub fn read_fields(&self) -> Result<SpaceTimeField, OutputError> {
        let path = self.file("fields.npz");
        let arrays = npz::read(&path)?;
        let array = |name: &str| npz::find(&arrays, name, &path);
        let is_axis =
            |array: &&Array| array.shape.len() == 1 && !RESERVED.contains(&array.name.as_str());
        let axes = arrays
            .iter()
            .filter(is_axis)
            .map(|array| Axis {
                name: array.name.strip_prefix(AXIS_PREFIX).unwrap_or(&array.name).to_owned(),
                values: array.values.clone(),
            })
            .collect();
        // Without a point there is no unknown.
        let is_unknown = |array: &&Array| match array.name.as_str() {
            "u" => !array.values.is_empty() || array.shape.len() > 1,
            name => array.shape.len() > 1 && !name.starts_with(REFERENCE),
        };
        let unknowns: Vec<String> =
            arrays.iter().filter(is_unknown).map(|array| array.name.clone()).collect();
        if unknowns.is_empty() {
            array("u")?;
        }
        let references: Vec<String> = match unknowns.as_slice() {
            [_] => vec![REFERENCE.to_owned()],
            several => several.iter().map(|name| format!("{REFERENCE}_{name}")).collect(),
        };
        let times = array("t")?.values.clone();
        let known = references.iter().all(|name| array(name).is_ok());
        let field = SpaceTimeField { times, axes, unknowns, values: Vec::new(), reference: None };
        let expected = field.times.len() * field.points();
        // Time by time, in each unknown by unknown.
        let together = |names: &[String]| -> Result<Vec<f64>, OutputError> {
            let mut parts = Vec::new();
            for name in names {
                let values = &array(name)?.values;
                let (found, name, path) = (values.len(), name.clone(), path.clone());
                if found != expected {
                    return Err(OutputError::ArrayLength { path, name, found, expected });
                }
                parts.push(values.chunks_exact(field.points().max(1)));
            }
            let rows = (0..field.times.len()).flat_map(|_| {
                parts.iter_mut().filter_map(Iterator::next).flatten().collect::<Vec<_>>()
            });
            Ok(rows.copied().collect())
        };
        let values = together(&field.unknowns)?;
        // Fields without a point or a time are empty rather than malformed.
        let reference = (known && expected > 0).then(|| together(&references)).transpose()?;
        Ok(SpaceTimeField { values, reference, ..field })
    }

    /// `history.npz` and `history.csv`.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn write_history(&self, history: &History) -> Result<(), OutputError> {
        let mut arrays = history.columns();
        let spectra = |get: fn(&Spectrum) -> f64| history.spectra.iter().map(get).collect();
        arrays.extend([
            Array::vector("spectrum_step", spectra(|s| s.step as f64)),
            Array::vector("spectrum_time", spectra(|s| s.time)),
            Array::vector("spectrum_rcond", spectra(|s| s.rcond)),
            Array::vector("spectrum_length", spectra(|s| s.singular_values.len() as f64)),
            Array::vector(
                "singular_values",
                history.spectra.iter().flat_map(|s| s.singular_values.iter().copied()).collect(),
            ),
        ]);
        npz::write(&self.file("history.npz"), &arrays)?;
        let text = columns::csv(&COLUMNS, &history.records);
        atomic::write(&self.file("history.csv"), text.as_bytes())
    }

    /// The history, from `history.npz`.
    ///
    /// # Errors
    /// As [`ResultFolder::read_fields`].
    pub fn read_history(&self) -> Result<History, OutputError> {
        let path = self.file("history.npz");
        let arrays = npz::read(&path)?;
        let records = columns::records(&COLUMNS, &arrays, &path)?;
        let values = |name, count| columns::of_length(&arrays, name, count, &path);
        let lengths = &npz::find(&arrays, "spectrum_length", &path)?.values;
        let count = lengths.len();
        let total = lengths.iter().sum::<f64>() as usize;
        let mut rest = values("singular_values", total)?;
        let (step, time) = (values("spectrum_step", count)?, values("spectrum_time", count)?);
        let rcond = values("spectrum_rcond", count)?;
        let mut spectra = Vec::with_capacity(lengths.len());
        for (index, &length) in lengths.iter().enumerate() {
            let (singular_values, tail) = rest.split_at((length as usize).min(rest.len()));
            rest = tail;
            spectra.push(Spectrum {
                step: step[index] as usize,
                time: time[index],
                singular_values: singular_values.to_vec(),
                rcond: rcond[index],
            });
        }
        Ok(History { records, spectra })
    }
}

impl History {
    /// The steps as columns, under the names that they have in `history.npz`.
    #[must_use]
    pub fn columns(&self) -> Vec<Array> {
        columns::arrays(&COLUMNS, &self.records)
    }
}

const COLUMNS: [Column<StepRecord>; 13] = [
    Column { name: "step", get: |r| r.step as f64, set: |r, v| r.step = v as usize },
    Column { name: "time", get: |r| r.time, set: |r, v| r.time = v },
    Column { name: "dt", get: |r| r.dt, set: |r, v| r.dt = v },
    Column { name: "residual", get: |r| r.residual, set: |r, v| r.residual = v },
    Column { name: "rank", get: |r| r.rank as f64, set: |r, v| r.rank = v as usize },
    Column {
        name: "largest_singular_value",
        get: |r| r.largest_singular_value,
        set: |r, v| r.largest_singular_value = v,
    },
    Column {
        name: "error",
        get: |r| r.error.unwrap_or(f64::NAN),
        set: |r, v| r.error = (!v.is_nan()).then_some(v),
    },
    Column {
        name: "corrections",
        get: |r| r.corrections as f64,
        set: |r, v| r.corrections = v as usize,
    },
    Column { name: "rejected", get: |r| r.rejected as f64, set: |r, v| r.rejected = v as usize },
    Column {
        name: "refit_error",
        get: |r| r.refit_error.unwrap_or(f64::NAN),
        set: |r, v| r.refit_error = (!v.is_nan()).then_some(v),
    },
    Column { name: "wall_seconds", get: |r| r.wall_seconds, set: |r, v| r.wall_seconds = v },
    Column {
        name: "implicit",
        get: |r| f64::from(u8::from(r.implicit)),
        set: |r, v| r.implicit = v != 0.0,
    },
    Column { name: "columns", get: |r| r.columns as f64, set: |r, v| r.columns = v as usize },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Scratch, history};

    #[test]
    fn a_folder_reads_back_what_was_written() {
        let scratch = Scratch::new("folder");
        let folder = ResultFolder::create(scratch.path("run")).expect("creates");
        let field = SpaceTimeField {
            times: vec![0.0, 0.5],
            axes: vec![
                Axis { name: "x".into(), values: vec![0.0, 1.0, 2.0] },
                Axis { name: "u".into(), values: vec![-1.0, 1.0] },
            ],
            unknowns: vec!["u".into()],
            values: (0..12).map(f64::from).collect(),
            reference: Some(vec![0.25; 12]),
        };
        folder.write_fields(&field).expect("writes");
        assert_eq!(folder.read_fields().expect("reads"), field);
        let system = SpaceTimeField {
            unknowns: vec!["u".into(), "v".into()],
            values: (0..24).map(f64::from).collect(),
            reference: Some((0..24).map(|k| f64::from(k) / 3.0).collect()),
            ..field.clone()
        };
        assert_eq!(system.apart()[1].values[..7], [6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 18.0]);
        folder.write_fields(&system).expect("writes");
        assert_eq!(folder.read_fields().expect("reads"), system);
        let none = SpaceTimeField::default();
        folder.write_fields(&none).expect("writes");
        assert_eq!(folder.read_fields().expect("reads"), none);
        assert_eq!(field.at(1)[0], 6.0);
        assert_eq!(field.reference_at(1), Some([0.25; 6].as_slice()));
        folder.write_history(&history(7)).expect("writes");
        assert_eq!(folder.read_history().expect("reads"), history(7));
        folder.write_problem("format = 1\n").expect("writes");
        assert_eq!(folder.read_problem().expect("reads"), "format = 1\n");
        folder.write_result(&BTreeMap::from([("steps", 3)])).expect("writes");
        assert_eq!(folder.read_result().expect("reads")["steps"], 3);
    }

    #[test]
    fn the_table_has_a_line_per_step_and_reads_back_as_numbers() {
        let history = history(3);
        let text = columns::csv(&COLUMNS, &history.records);
        let mut lines = text.lines();
        assert!(lines.next().expect("header").starts_with("step,time,dt,residual,rank"));
        for (line, record) in lines.zip(&history.records) {
            let cells: Vec<&str> = line.split(',').collect();
            assert_eq!(cells.len(), COLUMNS.len());
            assert_eq!(cells[3].parse::<f64>().expect("a number"), record.residual);
            assert_eq!(cells[6].parse::<f64>().ok(), record.error);
        }
        assert_eq!(text.lines().count(), 4);
    }

    #[test]
    fn fields_of_the_wrong_size_are_refused() {
        let scratch = Scratch::new("folder-bad");
        let folder = ResultFolder::create(scratch.folder()).expect("creates");
        let arrays = [
            Array::vector("t", vec![0.0, 1.0]),
            Array::vector("x", vec![0.0; 3]),
            Array::vector("u", vec![0.0; 5]),
        ];
        npz::write(&folder.file("fields.npz"), &arrays).expect("writes");
        let error = folder.read_fields().expect_err("five is not six");
        assert!(matches!(error, OutputError::ArrayLength { found: 5, expected: 6, .. }));
        npz::write(&folder.file("fields.npz"), &arrays[..2]).expect("writes");
        let error = folder.read_fields().expect_err("no u");
        assert!(error.to_string().contains("no array \"u\""), "{error}");
    }
}
