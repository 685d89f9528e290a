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
    let mut files = save_fields(folder, field, "final-state", names)?;
    let curves = [
        ("error", curves::error(history, names)),
        ("residual", curves::residual(history, names)),
        ("singular-values", curves::singular_values(history, names)),
    ];
    files.extend(save(folder, curves)?);
    Ok(files)
}

/// The figures of the solution: of several unknowns a set for each, with its name behind theirs.
fn save_fields(
    folder: &Path,
    field: &SpaceTimeField,
    last: &str,
    names: &Names<'_>,
) -> Result<Vec<PathBuf>, OutputError> {
    let parts = field.apart();
    let mut files = Vec::new();
    for part in &parts {
        let several = parts.len() > 1;
        let unknown = if several { part.unknowns[0].as_str() } else { names.unknown };
        let names = Names { unknown, ..*names };
        let name = |figure: &str| match several {
            true => format!("{figure}-{unknown}"),
            false => figure.to_owned(),
        };
        let figures = [
            (name("space-time"), field::space_time(part, &names)),
            (name("slices"), field::slices(part, &names)),
            (name(last), field::final_state(part, &names)),
        ];
        files.extend(save(folder, figures)?);
    }
    Ok(files)
}

/// Saves the figures that there are data for.
fn save<const N: usize, S: AsRef<str>>(
    folder: &Path,
    figures: [(S, Result<Figure, OutputError>); N],
) -> Result<Vec<PathBuf>, OutputError> {
    let mut files = Vec::new();
    for (name, figure) in figures {
        let name = name.as_ref();
        let known = NAMES.iter().any(|known| name.starts_with(known));
        debug_assert!(known, "{name} is no figure's name");
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
