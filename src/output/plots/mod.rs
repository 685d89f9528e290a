//! Figures from plain data, as PNG and SVG.
//!
//! What moves is [`animation`] (an animated PNG) and [`interactive`] (a page for a browser).
//!
//! A figure is laid out once, as a [`drawing`] in logical pixels, by [`field`], [`curves`],
//! [`density`], [`training`] and [`comparison`] on top of [`frame`] and [`scale`]; [`raster`] and
//! [`svg`] render the same drawing.

pub mod animation;
mod apng;
pub mod comparison;
pub mod curves;
pub mod density;
pub mod drawing;
pub mod field;
pub mod frame;
pub mod interactive;
pub mod raster;
pub mod scale;
pub mod svg;
pub mod training;

pub use field::Names;

use std::path::{Path, PathBuf};

use super::{History, OutputError, SpaceTimeField, atomic, colours};
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

/// The page of a solution, for a browser.
pub const PAGE: &str = "solution.html";

/// The names of every figure that a run's results can have.
pub const NAMES: [&str; 12] = [
    "evolution",
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
    let mut files = save_animations(folder, field, names)?;
    files.extend(save_page(folder, field, names)?);
    files.extend(save_fields(folder, field, "final-state", names)?);
    let curves = [
        ("error", curves::error(history, names)),
        ("residual", curves::residual(history, names)),
        ("singular-values", curves::singular_values(history, names)),
    ];
    files.extend(save(folder, curves)?);
    Ok(files)
}

/// The moving pictures of an evolution, where it has the dimensions for them.
fn save_animations(
    folder: &Path,
    field: &SpaceTimeField,
    names: &Names<'_>,
) -> Result<Vec<PathBuf>, OutputError> {
    each_unknown(field, names, |part, names, name| {
        let Some(animation) = fitting(animation::Animation::of(part, names))? else {
            return Ok(Vec::new());
        };
        let path = folder.join(format!("{}.png", name("evolution")));
        atomic::write(&path, &animation.png())?;
        Ok(vec![path])
    })
}

/// The solution as a page, where it has the dimensions for it.
fn save_page(
    folder: &Path,
    field: &SpaceTimeField,
    names: &Names<'_>,
) -> Result<Option<PathBuf>, OutputError> {
    let Some(page) = fitting(interactive::page(field, names))? else { return Ok(None) };
    let path = folder.join(PAGE);
    atomic::write(&path, page.as_bytes())?;
    Ok(Some(path))
}

/// The figures of the solution: of several unknowns a set for each, with its name behind theirs.
fn save_fields(
    folder: &Path,
    field: &SpaceTimeField,
    last: &str,
    names: &Names<'_>,
) -> Result<Vec<PathBuf>, OutputError> {
    each_unknown(field, names, |part, names, name| {
        let figures = [
            (name("space-time"), field::space_time(part, names)),
            (name("slices"), field::slices(part, names)),
            (name(last), field::final_state(part, names)),
        ];
        save(folder, figures)
    })
}

/// Draws every unknown by itself: `draw` gets its field, its names, and how its figures are called.
fn each_unknown(
    field: &SpaceTimeField,
    names: &Names<'_>,
    draw: impl Fn(
        &SpaceTimeField,
        &Names<'_>,
        &dyn Fn(&str) -> String,
    ) -> Result<Vec<PathBuf>, OutputError>,
) -> Result<Vec<PathBuf>, OutputError> {
    let parts = field.apart();
    let several = parts.len() > 1;
    let mut files = Vec::new();
    for part in &parts {
        let unknown = if several { part.unknowns[0].as_str() } else { names.unknown };
        let name = |figure: &str| match several {
            true => format!("{figure}-{unknown}"),
            false => figure.to_owned(),
        };
        files.extend(draw(part, &Names { unknown, ..*names }, &name)?);
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
        if let Some(figure) = fitting(figure)? {
            files.extend(figure.save(folder, name)?);
        }
    }
    Ok(files)
}

/// What was drawn; none where the data do not allow it, which is no failure.
fn fitting<T>(drawn: Result<T, OutputError>) -> Result<Option<T>, OutputError> {
    match drawn {
        Ok(drawn) => Ok(Some(drawn)),
        Err(OutputError::Plot { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
