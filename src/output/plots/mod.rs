//! Figures from plain data, as PNG and SVG.
//!
//! A figure is laid out once, as a [`drawing`] in logical pixels, by [`field`], [`curves`],
//! [`density`], [`training`] and [`comparison`] on top of [`frame`] and [`scale`]; [`raster`] and
//! [`svg`] render the same drawing.

pub mod colours;
pub mod comparison;
pub mod curves;
pub mod density;
pub mod drawing;
pub mod field;
pub mod frame;
pub mod raster;
pub mod scale;
pub mod svg;
pub mod training;

pub use field::Names;

use std::path::{Path, PathBuf};

use super::{History, OutputError, SpaceTimeField, atomic};
use drawing::Drawing;

/// A finished figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    drawing: Drawing,
}

impl Figure {
    #[must_use]
    pub fn of(drawing: Drawing) -> Self {
        Self { drawing }
    }

    #[must_use]
    pub fn drawing(&self) -> &Drawing {
        &self.drawing
    }

    /// The bytes of a PNG file, at two pixels per logical pixel.
    #[must_use]
    pub fn png(&self) -> Vec<u8> {
        raster::render(&self.drawing)
    }

    #[must_use]
    pub fn svg(&self) -> String {
        svg::render(&self.drawing)
    }

    /// Writes `name.png` and `name.svg` into a folder.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn save(&self, folder: &Path, name: &str) -> Result<[PathBuf; 2], OutputError> {
        let paths = [folder.join(format!("{name}.png")), folder.join(format!("{name}.svg"))];
        atomic::write(&paths[0], &self.png())?;
        atomic::write(&paths[1], self.svg().as_bytes())?;
        Ok(paths)
    }
}

/// The names of every figure that a run's results can have.
pub const NAMES: [&str; 11] = [
    "space-time",
    "slices",
    "final-state",
    "solution",
    "error",
    "loss",
    "residual",
    "singular-values",
    "means",
    "deviations",
    "moment-errors",
];

/// Draws every figure that the data allow into `folder`; returns the files. Figures without data
/// (no reference, no spectra, other dimensions) are left out.
///
/// # Errors
/// [`OutputError::Write`].
pub fn save_all(
    folder: &Path,
    field: &SpaceTimeField,
    history: &History,
    names: &Names<'_>,
) -> Result<Vec<PathBuf>, OutputError> {
    save(
        folder,
        [
            ("space-time", field::space_time(field, names)),
            ("slices", field::slices(field, names)),
            ("final-state", field::final_state(field, names)),
            ("error", curves::error(history, names)),
            ("residual", curves::residual(history, names)),
            ("singular-values", curves::singular_values(history, names)),
        ],
    )
}

/// Saves the figures that there are data for.
fn save<const N: usize>(
    folder: &Path,
    figures: [(&str, Result<Figure, OutputError>); N],
) -> Result<Vec<PathBuf>, OutputError> {
    let mut files = Vec::new();
    for (name, figure) in figures {
        debug_assert!(NAMES.contains(&name), "{name} is no figure's name");
        match figure {
            Ok(figure) => files.extend(figure.save(folder, name)?),
            Err(OutputError::Plot { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests;
