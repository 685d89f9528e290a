//! Values as colours in a texture, painted only where they are new.

use egui::{Color32, ColorImage, Context, TextureHandle, TextureId, TextureOptions};
use sketchpde::output::plots::colours::ColourMap;

use crate::app::state::Shade;
use crate::app::training::Training;
use crate::link::TrainingField;
use crate::mirror::Mirror;

/// Rows of the space-time picture.
const ROWS: usize = 400;

/// A texture and what it shows.
#[derive(Default)]
pub struct Texture {
    handle: Option<TextureHandle>,
    shown: Option<Shown>,
    /// Frames in it.
    frames: usize,
    /// Largest error that its colours reach to.
    largest: f64,
}

/// What a whole texture depends on: where this is another one it is painted anew.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shown {
    run: u64,
    generation: u64,
    shade: Shade,
    range: [f64; 2],
    empty: Color32,
    columns: usize,
}

impl Texture {
    pub fn id(&self) -> Option<TextureId> {
        self.handle.as_ref().map(TextureHandle::id)
    }

    /// Rows of time from the top; what has not been computed is `empty`. Gives the range of the
    /// colours.
    pub fn space_time(
        &mut self,
        ctx: &Context,
        mirror: &Mirror,
        shade: Shade,
        empty: Color32,
    ) -> [f64; 2] {
        let known = frames_with(mirror, shade);
        let range = self.range(mirror, shade, self.frames.min(known)..known);
        let columns = mirror.grid.points();
        let generation = mirror.frames.generation;
        let shown = Shown { run: mirror.run, generation, shade, range, empty, columns };
        if self.shown != Some(shown) || known < self.frames || self.handle.is_none() {
            let image = ColorImage::filled([columns, ROWS + 1], empty);
            self.set(ctx, image, TextureOptions::LINEAR);
            self.shown = Some(shown);
            self.frames = 0;
        }
        if known > self.frames {
            self.paint(mirror, shown, self.frames..known);
            self.frames = known;
        }
        range
    }

    /// Paints frames into their rows, in one piece.
    fn paint(&mut self, mirror: &Mirror, shown: Shown, frames: std::ops::Range<usize>) {
        let Some(handle) = &mut self.handle else { return };
        let span = mirror.problem.time;
        let row = |time: f64| {
            let part = (time - span.start) / (span.end - span.start);
            ((part * ROWS as f64).round().max(0.0) as usize).min(ROWS)
        };
        let times = &mirror.frames.times;
        // A frame fills the rows since the one before.
        let top = |frame: usize| if frame == 0 { 0 } else { row(times[frame - 1]) + 1 };
        let first = top(frames.start);
        let mut pixels = Vec::new();
        let levels = levels(shown.shade);
        for frame in frames {
            let rows = (row(times[frame]) + 1).saturating_sub(top(frame));
            let Some(line) = colours(mirror, frame, shown, &levels) else { break };
            for _ in 0..rows {
                pixels.extend_from_slice(&line);
            }
        }
        if !pixels.is_empty() {
            let size = [shown.columns, pixels.len() / shown.columns];
            handle.set_partial([0, first], ColorImage::new(size, pixels), TextureOptions::LINEAR);
        }
    }

    /// A field over two coordinates at the frame looked at, or now. Gives the range of the colours.
    pub fn field(
        &mut self,
        ctx: &Context,
        mirror: &Mirror,
        scrub: Option<usize>,
        shade: Shade,
    ) -> [f64; 2] {
        let [x, y] = [0, 1].map(|k| mirror.grid.axes()[k].len());
        let values = now(mirror, scrub, shade);
        let range = match shade {
            Shade::Solution => mirror.range,
            Shade::Error => {
                let largest = values.iter().fold(0.0, |l: f64, v| l.max(*v));
                [0.0, self.grown(largest)]
            }
        };
        let levels = levels(shade);
        let pixel = |index: usize| {
            // The last coordinate runs fastest; rows go from the top.
            let (i, j) = (index % x, y - 1 - index / x);
            values.get(i * y + j).map_or(Color32::TRANSPARENT, |&v| level(&levels, v, range))
        };
        let pixels = (0..x * y).map(pixel).collect();
        self.set(ctx, ColorImage::new([x, y], pixels), TextureOptions::LINEAR);
        self.shown = None;
        range
    }

    /// The solution of a training over two coordinates, the first one to the right, or downwards
    /// where it is a time. Gives the range of the colours.
    pub fn trained(
        &mut self,
        ctx: &Context,
        training: &Training,
        field: &TrainingField,
        shade: Shade,
        timed: bool,
    ) -> [f64; 2] {
        let values: Vec<f64> = match shade {
            Shade::Solution => field.values.iter().map(|&v| f64::from(v)).collect(),
            Shade::Error => {
                let pairs = field.values.iter().zip(&field.exact);
                pairs.map(|(u, v)| f64::from((u - v).abs())).collect()
            }
        };
        let shown_of = |v: &[f64]| {
            v.iter()
                .filter(|v| v.is_finite())
                .fold([f64::MAX, f64::MIN], |[lower, upper], &v| [lower.min(v), upper.max(v)])
        };
        let truth: Vec<f64> = field.exact.iter().map(|&v| f64::from(v)).collect();
        let range = match shade {
            // The truth's colours, so that a wrong solution looks wrong.
            Shade::Solution if !truth.is_empty() => shown_of(&truth),
            Shade::Solution => shown_of(&values),
            Shade::Error => [0.0, shown_of(&values)[1].max(1e-300)],
        };
        let [first, second] = [0, 1].map(|k| field.axes[k].1.len());
        let [columns, rows] = if timed { [second, first] } else { [first, second] };
        let generation = training.pictures;
        let run = training.run;
        let shown = Shown { run, generation, shade, range, empty: Color32::TRANSPARENT, columns };
        if self.shown != Some(shown) {
            let levels = levels(shade);
            let pixel = |index: usize| {
                let (i, j) = (index % columns, index / columns);
                let at = if timed { j * second + i } else { i * second + rows - 1 - j };
                values.get(at).map_or(Color32::TRANSPARENT, |&v| level(&levels, v, range))
            };
            let pixels = (0..columns * rows).map(pixel).collect();
            self.set(ctx, ColorImage::new([columns, rows], pixels), TextureOptions::LINEAR);
            self.shown = Some(shown);
        }
        range
    }

    /// A bar with all colours, the highest at the top.
    pub fn bar(&mut self, ctx: &Context, shade: Shade) {
        let shown = Shown {
            run: 0,
            generation: 0,
            shade,
            range: [0.0, 1.0],
            empty: Color32::TRANSPARENT,
            columns: 1,
        };
        if self.shown != Some(shown) {
            let pixels = levels(shade).iter().rev().copied().collect();
            self.set(ctx, ColorImage::new([1, 256], pixels), TextureOptions::LINEAR);
            self.shown = Some(shown);
        }
    }

    fn set(&mut self, ctx: &Context, image: ColorImage, options: TextureOptions) {
        match &mut self.handle {
            Some(handle) => handle.set(image, options),
            None => self.handle = Some(ctx.load_texture("values", image, options)),
        }
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

    /// Grows by doubling, so that a growing error does not repaint everything at every frame.
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

/// How many frames have what the shade needs.
fn frames_with(mirror: &Mirror, shade: Shade) -> usize {
    match shade {
        Shade::Solution => mirror.frames.times.len(),
        Shade::Error => mirror.frames.reference.len() / mirror.grid.points().max(1),
    }
}

fn largest_error(mirror: &Mirror, frame: usize) -> Option<f64> {
    let (u, v) = (mirror.frames.values_at(frame)?, mirror.frames.reference_at(frame)?);
    Some(u.iter().zip(v).fold(0.0, |l, (a, b)| f64::max(l, f64::from((a - b).abs()))))
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

/// One row of pixels.
fn colours(
    mirror: &Mirror,
    frame: usize,
    shown: Shown,
    levels: &[Color32; 256],
) -> Option<Vec<Color32>> {
    let values = mirror.frames.values_at(frame)?;
    let colour = |value: f64| level(levels, value, shown.range);
    Some(match shown.shade {
        Shade::Solution => values.iter().map(|&v| colour(f64::from(v))).collect(),
        Shade::Error => {
            let reference = mirror.frames.reference_at(frame)?;
            let pairs = values.iter().zip(reference);
            pairs.map(|(u, v)| colour(f64::from((u - v).abs()))).collect()
        }
    })
}

fn level(levels: &[Color32; 256], value: f64, [lower, upper]: [f64; 2]) -> Color32 {
    let part = (value - lower) / (upper - lower);
    // Not a number becomes 0.
    levels[(part.clamp(0.0, 1.0) * 255.0) as usize]
}

fn levels(shade: Shade) -> [Color32; 256] {
    let map = match shade {
        Shade::Solution => ColourMap::Viridis,
        Shade::Error => ColourMap::Magma,
    };
    map.levels().map(|colour| Color32::from_rgb(colour.0, colour.1, colour.2))
}
