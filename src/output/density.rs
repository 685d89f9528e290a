//! A density along a run: its moments and its distance from the exact one, and their files.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::npz::{self, Array};
use super::{OutputError, atomic, columns};

/// A density at one time: its moments, those of the exact one, and how far apart they are. What is
/// not known is not a number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DensityRecord {
    pub time: f64,
    /// The density's integral.
    pub mass: f64,
    /// d entries.
    pub mean: Vec<f64>,
    /// d x d entries, row by row.
    pub covariance: Vec<f64>,
    pub exact_mass: f64,
    pub exact_mean: Vec<f64>,
    pub exact_covariance: Vec<f64>,
    /// Part of the draws that count: 1 where the density is a Gaussian.
    pub effective: f64,
    /// The mean's distance from the exact one, in standard deviations: the length of L^-1 (m - m*)
    /// with the exact covariance L L^T.
    pub mean_error: f64,
    /// |S - S*| / |S*| in the Frobenius norm.
    pub covariance_error: f64,
    /// Relative L2 error of the density's logarithm over points drawn from the exact one, which
    /// counts a point by the exact density there.
    pub log_error: f64,
    /// The same of the density itself.
    pub density_error: f64,
}

impl DensityRecord {
    /// What [`DensityRecord::row`] holds, for coordinates of these names.
    #[must_use]
    pub fn names(coordinates: &[String]) -> Vec<String> {
        let vector = |name: &str| -> Vec<String> {
            coordinates.iter().map(|x| format!("{name}_{x}")).collect()
        };
        let matrix = |name: &str| -> Vec<String> {
            let row = |x: &String| -> Vec<String> {
                coordinates.iter().map(|y| format!("{name}_{x}_{y}")).collect()
            };
            coordinates.iter().flat_map(row).collect()
        };
        let single = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        [
            single(&["time", "mass"]),
            vector("mean"),
            matrix("covariance"),
            single(&["exact_mass"]),
            vector("exact_mean"),
            matrix("exact_covariance"),
            single(&["effective", "mean_error", "covariance_error", "log_error", "density_error"]),
        ]
        .concat()
    }

    /// Every number.
    #[must_use]
    pub fn row(&self) -> Vec<f64> {
        let errors = [self.mean_error, self.covariance_error, self.log_error, self.density_error];
        [
            &[self.time, self.mass],
            self.mean.as_slice(),
            &self.covariance,
            &[self.exact_mass],
            &self.exact_mean,
            &self.exact_covariance,
            &[self.effective],
            &errors,
        ]
        .concat()
    }

    /// The inverse of [`DensityRecord::row`] in d dimensions; `None` where there are more or fewer
    /// numbers.
    #[must_use]
    pub fn from_row(row: &[f64], d: usize) -> Option<Self> {
        let mut left = row;
        let mut take = |count: usize| -> Option<&[f64]> {
            let (taken, rest) = left.split_at_checked(count)?;
            left = rest;
            Some(taken)
        };
        let &[time, mass] = take(2)? else { return None };
        let (mean, covariance) = (take(d)?.to_vec(), take(d * d)?.to_vec());
        let &[exact_mass] = take(1)? else { return None };
        let (exact_mean, exact_covariance) = (take(d)?.to_vec(), take(d * d)?.to_vec());
        let &[effective, mean_error, covariance_error, log_error, density_error] = take(5)? else {
            return None;
        };
        left.is_empty().then_some(Self {
            time,
            mass,
            mean,
            covariance,
            exact_mass,
            exact_mean,
            exact_covariance,
            effective,
            mean_error,
            covariance_error,
            log_error,
            density_error,
        })
    }

    /// Numbers of a row.
    #[must_use]
    pub fn width(d: usize) -> usize {
        2 * d * (d + 1) + 8
    }
}

/// Writes `moments.npz` (one array a column) and `moments.csv` into a folder.
pub(super) fn write(
    folder: &Path,
    coordinates: &[String],
    records: &[DensityRecord],
) -> Result<(), OutputError> {
    let names = DensityRecord::names(coordinates);
    let rows: Vec<Vec<f64>> = records.iter().map(DensityRecord::row).collect();
    let column = |(k, name): (usize, &String)| -> Array {
        Array::vector(name, rows.iter().map(|row| row[k]).collect())
    };
    let arrays: Vec<Array> = names.iter().enumerate().map(column).collect();
    npz::write(&folder.join("moments.npz"), &arrays)?;
    let mut text = names.join(",") + "\n";
    for row in &rows {
        let cells: Vec<String> = row.iter().map(|value| columns::cell(*value)).collect();
        text += &(cells.join(",") + "\n");
    }
    atomic::write(&folder.join("moments.csv"), text.as_bytes())
}

/// The records from `moments.npz`; none where there is no such file.
pub(super) fn read(
    folder: &Path,
    coordinates: &[String],
) -> Result<Vec<DensityRecord>, OutputError> {
    let path = folder.join("moments.npz");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let arrays = npz::read(&path)?;
    let names = DensityRecord::names(coordinates);
    let count = npz::find(&arrays, &names[0], &path)?.values.len();
    let columns: Vec<&[f64]> = names
        .iter()
        .map(|name| columns::of_length(&arrays, name, count, &path))
        .collect::<Result<_, _>>()?;
    let row = |i: usize| columns.iter().map(|column| column[i]).collect::<Vec<f64>>();
    Ok((0..count).filter_map(|i| DensityRecord::from_row(&row(i), coordinates.len())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Scratch;

    #[test]
    fn records_come_back_from_their_file() {
        let record = |time: f64| DensityRecord {
            time,
            mass: 1.0,
            mean: vec![2.0, 3.0],
            covariance: vec![4.0, 5.0, 6.0, 7.0],
            exact_mass: 1.5,
            exact_mean: vec![8.0, 9.0],
            exact_covariance: vec![10.0, 11.0, 12.0, 13.0],
            effective: 0.9,
            mean_error: 1e-3,
            covariance_error: 1e-4,
            log_error: 1e-5,
            density_error: 1e-6,
        };
        let records = [record(0.0), record(0.5)];
        assert_eq!(records[0].row().len(), DensityRecord::width(2));
        let scratch = Scratch::new("moments");
        let names = ["x".to_owned(), "y".to_owned()];
        assert_eq!(read(scratch.folder(), &names).expect("nothing"), []);
        write(scratch.folder(), &names, &records).expect("writes");
        assert_eq!(read(scratch.folder(), &names).expect("reads"), records);
        let text = std::fs::read_to_string(scratch.path("moments.csv")).expect("reads");
        assert!(text.starts_with("time,mass,mean_x,mean_y,covariance_x_x,covariance_x_y,"));
        assert_eq!(text.lines().count(), 3);
        assert_eq!(DensityRecord::from_row(&records[0].row()[1..], 2), None);
        // One coordinate more than the file has.
        let three = ["x".to_owned(), "y".to_owned(), "z".to_owned()];
        assert!(read(scratch.folder(), &three).is_err());
    }
}
