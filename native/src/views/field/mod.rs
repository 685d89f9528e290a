//! Values as colours, coloured on the GPU.
//!
//! - `sheet`: the values in rows, of which only new ones are sent;
//! - `item`: a sheet as a part of a plot;
//! - `paint`: the GPU's side;
//! - here: which values stand in which sheet.

mod item;
mod paint;
mod sheet;
#[cfg(test)]
mod tests;

use egui::{Color32, ColorImage, Context, TextureHandle, TextureId, TextureOptions};
use sketchpde::output::colours::ColourMap;
use sketchpde::problem::Boundary;

use crate::app::state::Shade;
use crate::app::training::Training;
use crate::link::TrainingField;
use crate::mirror::Mirror;
use item::{FieldItem, Meaning, Side};
use sheet::{MOST, Shared, lock};

pub use paint::draw_onto;

/// Rows of the space-time picture, but for the first one.
const ROWS: usize = 400;

/// A picture of values and what it shows.
#[derive(Default)]
pub struct Picture {
    sheet: Shared,
    shown: Option<Shown>,
    /// Frames in it.
    frames: usize,
    /// Largest error that its colours reach to.
    largest: f64,
}

/// What a whole sheet depends on: where this is another one it is written anew.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shown {
    run: u64,
    generation: u64,
    shade: Shade,
}

impl Picture {
    /// Rows of time, downwards; what has not been computed is `empty`. Gives it as a part of a plot,
    /// and the range of the colours.
    pub fn space_time(
        &mut self,
        mirror: &Mirror,
        shade: Shade,
        empty: Color32,
    ) -> (FieldItem, [f64; 2]) {
        let known = frames_with(mirror, shade);
        let positions = &mirror.grid.axes()[0];
        let every = positions.len().div_ceil(MOST).max(1);
        let generation = mirror.frames.generation;
        let shown = Shown { run: mirror.run, generation, shade };
        if self.shown != Some(shown) || known < self.frames {
            lock(&self.sheet).clear(positions.len().div_ceil(every), ROWS + 1);
            self.shown = Some(shown);
            self.frames = 0;
            self.largest = 0.0;
        }
        let range = self.range(mirror, shade, self.frames..known);
        self.write_frames(mirror, shade, every, self.frames..known);
        self.frames = known;
        let coordinate = &mirror.problem.coordinates[0];
        let periodic = coordinate.boundary == Boundary::Periodic;
        let span = mirror.problem.time;
        let per_row = (span.end - span.start) / ROWS as f64;
        let meaning = Meaning {
            sides: [
                Side::of(positions, every, periodic),
                Side { first: span.start, spacing: per_row, periodic: false },
            ],
            bounds: [[coordinate.lower, coordinate.upper], [span.start, span.end]],
            range,
            map: map(shade),
            empty,
        };
        (FieldItem::new("space-time", &self.sheet, meaning), range)
    }

    /// Writes frames into their rows; a frame fills the rows since the one before.
    fn write_frames(
        &self,
        mirror: &Mirror,
        shade: Shade,
        every: usize,
        frames: std::ops::Range<usize>,
    ) {
        let span = mirror.problem.time;
        let times = &mirror.frames.times;
        let row = |time: f64| {
            let part = (time - span.start) / (span.end - span.start);
            ((part * ROWS as f64).round().max(0.0) as usize).min(ROWS)
        };
        let mut sheet = lock(&self.sheet);
        for frame in frames {
            let first = if frame == 0 { 0 } else { row(times[frame - 1]) + 1 };
            let Some(values) = frame_values(mirror, shade, frame) else { return };
            for row in first..=row(times[frame]) {
                sheet.write(row, values.iter().copied().step_by(every));
            }
        }
    }

    /// A field over two coordinates at the frame looked at, or now. Gives it as a part of a plot,
    /// and the range of the colours.
    pub fn plane(
        &mut self,
        mirror: &Mirror,
        scrub: Option<usize>,
        shade: Shade,
        empty: Color32,
    ) -> (FieldItem, [f64; 2]) {
        let values = now(mirror, scrub, shade);
        let range = match shade {
            Shade::Solution => mirror.range,
            Shade::Error => {
                let largest = values.iter().fold(0.0, |l: f64, v| l.max(*v));
                [0.0, self.grown(largest)]
            }
        };
        let [x, y] = [0, 1].map(|k| &mirror.problem.coordinates[k]);
        let every = self.fill(&values, [0, 1].map(|k| mirror.grid.axes()[k].len()), true);
        self.shown = None;
        let side = |k: usize| {
            let periodic = mirror.problem.coordinates[k].boundary == Boundary::Periodic;
            Side::of(&mirror.grid.axes()[k], every[k], periodic)
        };
        let meaning = Meaning {
            sides: [side(0), side(1)],
            bounds: [[x.lower, x.upper], [y.lower, y.upper]],
            range,
            map: map(shade),
            empty,
        };
        (FieldItem::new("field", &self.sheet, meaning), range)
    }

    /// The solution of a training over two coordinates, the first one to the right, or downwards
    /// where it is a time. Gives it as a part of a plot, and the range of the colours.
    pub fn trained(
        &mut self,
        training: &Training,
        field: &TrainingField,
        shade: Shade,
        timed: bool,
        empty: Color32,
    ) -> (FieldItem, [f64; 2]) {
        let values = match shade {
            Shade::Solution => field.values.clone(),
            Shade::Error => {
                field.values.iter().zip(&field.exact).map(|(u, v)| (u - v).abs()).collect()
            }
        };
        let range = match shade {
            // The truth's colours, so that a wrong solution looks wrong.
            Shade::Solution if !field.exact.is_empty() => extent(&field.exact),
            Shade::Solution => extent(&values),
            Shade::Error => [0.0, extent(&values)[1].max(1e-300)],
        };
        let axes = [0, 1].map(|k| field.axes[k].1.as_slice());
        let every = axes.map(|axis| axis.len().div_ceil(MOST).max(1));
        let shown = Shown { run: training.run, generation: training.pictures, shade };
        if self.shown != Some(shown) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            self.fill(&values, axes.map(<[f64]>::len), !timed);
            self.shown = Some(shown);
        }
        let mut sides = [0, 1].map(|k| Side::of(axes[k], every[k], false));
        let ends = |axis: &[f64]| [axis.first(), axis.last()].map(|v| v.copied().unwrap_or(0.0));
        let mut bounds = axes.map(ends);
        if timed {
            sides.reverse();
            bounds.reverse();
        }
        let meaning = Meaning { sides, bounds, range, map: map(shade), empty };
        (FieldItem::new("training", &self.sheet, meaning), range)
    }

    /// Fills the sheet with values over two coordinates, of which the second one runs fastest: along
    /// the rows, or turned, so that the first one does. Gives which of the positions are shown: all
    /// of them, unless there are more than a sheet has room for.
    fn fill(&self, values: &[f64], counts: [usize; 2], turned: bool) -> [usize; 2] {
        let every = counts.map(|count| count.div_ceil(MOST).max(1));
        let shown = |k: usize| (0..counts[k]).step_by(every[k]);
        let at = |i: usize, j: usize| values.get(i * counts[1] + j).map_or(f32::NAN, |&v| v as f32);
        let [columns, rows] = if turned { [0, 1] } else { [1, 0] };
        let mut sheet = lock(&self.sheet);
        let size = [columns, rows].map(|k| shown(k).len());
        if sheet.size() != size {
            sheet.clear(size[0], size[1]);
        }
        match turned {
            true => sheet.write(0, shown(1).flat_map(|j| shown(0).map(move |i| at(i, j)))),
            false => sheet.write(0, shown(0).flat_map(|i| shown(1).map(move |j| at(i, j)))),
        }
        every
    }

    fn range(&mut self, mirror: &Mirror, shade: Shade, new: std::ops::Range<usize>) -> [f64; 2] {
        match shade {
            Shade::Solution => mirror.range,
            Shade::Error => {
                let errors = new.filter_map(|frame| largest_error(mirror, frame));
                let largest = errors.fold(0.0, f64::max);
                [0.0, self.grown(largest)]
            }
        }
    }

    /// Grows by doubling, so that the numbers beside the colours can be read.
    fn grown(&mut self, largest: f64) -> f64 {
        if self.largest == 0.0 {
            self.largest = 1e-9;
        }
        while self.largest < largest && self.largest < 1e30 {
            self.largest *= 2.0;
        }
        self.largest
    }
}

/// A bar with all colours, the highest at the top: an image that never changes.
#[derive(Default)]
pub struct Bar {
    handle: Option<TextureHandle>,
    shown: Shade,
}

impl Bar {
    pub fn texture(&mut self, ctx: &Context, shade: Shade) -> TextureId {
        if self.shown != shade {
            self.handle = None;
        }
        self.shown = shade;
        let handle = self.handle.get_or_insert_with(|| {
            let levels = map(shade).levels();
            let pixels = levels.iter().rev().map(|c| Color32::from_rgb(c.0, c.1, c.2)).collect();
            let image = ColorImage::new([1, levels.len()], pixels);
            ctx.load_texture("colours", image, TextureOptions::LINEAR)
        });
        handle.id()
    }
}

fn map(shade: Shade) -> ColourMap {
    match shade {
        Shade::Solution => ColourMap::Viridis,
        Shade::Error => ColourMap::Magma,
    }
}

/// The smallest interval that holds every finite value.
fn extent(values: &[f32]) -> [f64; 2] {
    let finite = values.iter().filter(|v| v.is_finite()).map(|&v| f64::from(v));
    finite.fold([f64::MAX, f64::MIN], |[lower, upper], v| [lower.min(v), upper.max(v)])
}

/// How many frames have what the shade needs.
fn frames_with(mirror: &Mirror, shade: Shade) -> usize {
    match shade {
        Shade::Solution => mirror.frames.times.len(),
        Shade::Error => mirror.frames.reference.len() / mirror.grid.points().max(1),
    }
}

/// The values of a kept frame, or their errors.
fn frame_values(mirror: &Mirror, shade: Shade, frame: usize) -> Option<Vec<f32>> {
    let values = mirror.frames.values_at(frame)?;
    Some(match shade {
        Shade::Solution => values.to_vec(),
        Shade::Error => {
            let reference = mirror.frames.reference_at(frame)?;
            values.iter().zip(reference).map(|(u, v)| (u - v).abs()).collect()
        }
    })
}

fn largest_error(mirror: &Mirror, frame: usize) -> Option<f64> {
    let errors = frame_values(mirror, Shade::Error, frame)?;
    Some(errors.into_iter().fold(0.0, |largest, error| f64::max(largest, f64::from(error))))
}

/// The values of a field, or their errors.
fn now(mirror: &Mirror, scrub: Option<usize>, shade: Shade) -> Vec<f64> {
    let (values, reference) = mirror.shown(scrub);
    match (shade, reference) {
        (Shade::Solution, _) => values,
        (Shade::Error, Some(reference)) => {
            values.iter().zip(&reference).map(|(u, v)| (u - v).abs()).collect()
        }
        (Shade::Error, None) => vec![0.0; values.len()],
    }
}
