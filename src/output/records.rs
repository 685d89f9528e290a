//! What a run leaves behind, as plain data: histories, spectra, fields.

use serde::{Deserialize, Serialize};

/// One accepted time step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Number of the step, from 1.
    pub step: usize,
    /// Time after the step.
    pub time: f64,
    pub dt: f64,
    /// Relative residual of the step's least-squares problems.
    pub residual: f64,
    /// s: columns of the step's least-squares problems.
    pub columns: usize,
    /// Singular values above the cutoff.
    pub rank: usize,
    pub largest_singular_value: f64,
    /// Relative L2 error against the reference at that time.
    pub error: Option<f64>,
    /// Gauss-Newton corrections of the step's stage fits.
    pub corrections: usize,
    /// Whether its stages were implicit.
    pub implicit: bool,
    /// Attempts that were rejected before this step was accepted.
    pub rejected: usize,
    /// Relative L2 error of the fit of a fresh network, where one followed the step.
    pub refit_error: Option<f64>,
    /// Wall time since the first step began.
    pub wall_seconds: f64,
}

/// Singular values of the Jacobian at one time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spectrum {
    pub step: usize,
    pub time: f64,
    /// In descending order.
    pub singular_values: Vec<f64>,
    /// Those below `rcond` times the largest were left out.
    pub rcond: f64,
}

/// All steps of a run and a few spectra along it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    pub records: Vec<StepRecord>,
    pub spectra: Vec<Spectrum>,
}

/// One coordinate of a grid of evaluation points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    pub name: String,
    pub values: Vec<f64>,
}

/// A solution on a grid at several times, with the reference where there is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpaceTimeField {
    pub times: Vec<f64>,
    /// The grid; the last axis varies fastest.
    pub axes: Vec<Axis>,
    /// Names of the unknowns.
    pub unknowns: Vec<String>,
    /// Time by time, in each unknown by unknown: `times.len()` x unknowns x product of the axes'
    /// lengths.
    pub values: Vec<f64>,
    /// In the same order.
    pub reference: Option<Vec<f64>>,
}

impl SpaceTimeField {
    /// Grid points.
    #[must_use]
    pub fn points(&self) -> usize {
        self.axes.iter().map(|axis| axis.values.len()).product()
    }

    /// Every unknown as a field of its own.
    #[must_use]
    pub fn apart(&self) -> Vec<Self> {
        let (points, count) = (self.points().max(1), self.unknowns.len().max(1));
        let of = |values: &[f64], unknown: usize| -> Vec<f64> {
            let rows = values.chunks_exact(points).skip(unknown).step_by(count);
            rows.flatten().copied().collect()
        };
        let field = |(k, name): (usize, &String)| Self {
            times: self.times.clone(),
            axes: self.axes.clone(),
            unknowns: vec![name.clone()],
            values: of(&self.values, k),
            reference: self.reference.as_ref().map(|values| of(values, k)),
        };
        self.unknowns.iter().enumerate().map(field).collect()
    }

    /// The values at the time `index`.
    ///
    /// # Panics
    /// When there is no such time.
    #[must_use]
    pub fn at(&self, index: usize) -> &[f64] {
        let size = self.points() * self.unknowns.len();
        &self.values[index * size..(index + 1) * size]
    }

    /// The reference at the time `index`.
    #[must_use]
    pub fn reference_at(&self, index: usize) -> Option<&[f64]> {
        let size = self.points() * self.unknowns.len();
        self.reference.as_ref()?.get(index * size..(index + 1) * size)
    }

    /// |u - reference|, where there is a reference.
    #[must_use]
    pub fn absolute_error(&self) -> Option<Vec<f64>> {
        let reference = self.reference.as_ref()?;
        Some(self.values.iter().zip(reference).map(|(u, r)| (u - r).abs()).collect())
    }
}
