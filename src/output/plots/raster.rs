//! A drawing as pixels: anti-aliased lines by their distance, texts from glyph outlines.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, ScaleFont, point};

pub use sketchpde_assets::LETTERS;

use super::colours::{Colour, ColourMap};
use super::drawing::{Anchor, Drawing, Shape, dashes, runs};

/// Pixels per logical pixel: figures stay sharp on fine screens and in print.
pub const SCALE: f64 = 2.0;

fn font() -> Option<&'static FontRef<'static>> {
    static FONT: OnceLock<Option<FontRef<'static>>> = OnceLock::new();
    FONT.get_or_init(|| FontRef::try_from_slice(LETTERS).ok()).as_ref()
}

/// Width of a text in logical pixels.
#[must_use]
pub fn text_width(text: &str, size: f64) -> f64 {
    let Some(font) = font() else { return 0.0 };
    runs(text)
        .into_iter()
        .map(|(run, script)| {
            let scaled = font.as_scaled(glyph_scale(size * script.scale()));
            run.chars().map(|c| f64::from(scaled.h_advance(scaled.glyph_id(c)))).sum::<f64>()
        })
        .sum()
}

/// The font's own measure for text of `size` per em.
fn glyph_scale(size: f64) -> f32 {
    let ratio =
        font().map_or(1.0, |font| font.height_unscaled() / font.units_per_em().unwrap_or(1_000.0));
    size as f32 * ratio
}

/// The drawing as a PNG file.
#[must_use]
pub fn render(drawing: &Drawing) -> Vec<u8> {
    let Pixels { width, height, data, .. } = Pixels::of(drawing, SCALE);
    encode(width, height, png::ColorType::Rgb, None, &data)
}

/// An image of levels as a PNG file with a palette.
#[must_use]
pub fn indexed_png(columns: usize, levels: &[u8], map: ColourMap) -> Vec<u8> {
    let palette = map.levels().iter().flat_map(|c| [c.0, c.1, c.2]).collect();
    let rows = levels.len() / columns.max(1);
    encode(columns, rows, png::ColorType::Indexed, Some(palette), levels)
}

fn encode(
    width: usize,
    height: usize,
    colour: png::ColorType,
    palette: Option<Vec<u8>>,
    data: &[u8],
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_adaptive_filter(png::AdaptiveFilterType::Adaptive);
    if let Some(palette) = palette {
        encoder.set_palette(palette);
    }
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(data))
        .expect("writing to memory with the size of the data does not fail");
    file
}

/// A picture as bytes, red, green and blue.
#[derive(Clone, Debug)]
pub struct Pixels {
    width: usize,
    height: usize,
    /// Pixels per logical pixel.
    scale: f64,
    data: Vec<u8>,
}

impl Pixels {
    /// The drawing on white, with so many pixels per logical pixel.
    #[must_use]
    pub fn of(drawing: &Drawing, scale: f64) -> Self {
        let width = (drawing.width * scale).round() as usize;
        let height = (drawing.height * scale).round() as usize;
        let mut pixels = Self { width, height, scale, data: vec![255; 3 * width * height] };
        for shape in &drawing.shapes {
            pixels.draw(shape);
        }
        pixels
    }

    /// Red, green and blue, row by row from the top.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.data
    }

    /// Pixels across and down.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        [self.width, self.height]
    }

    fn blend(&mut self, x: i64, y: i64, Colour(r, g, b): Colour, cover: f64) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x >= self.width || y >= self.height {
            return;
        }
        let pixel = &mut self.data[3 * (y * self.width + x)..][..3];
        for (old, new) in pixel.iter_mut().zip([r, g, b]) {
            *old = (f64::from(*old) + cover * (f64::from(new) - f64::from(*old))).round() as u8;
        }
    }

    /// Draws a shape over what is there.
    pub fn draw(&mut self, shape: &Shape) {
        match shape {
            Shape::Line { points, colour, width, dash: None } => self.line(points, *colour, *width),
            Shape::Line { points, colour, width, dash: Some(dash) } => {
                for piece in dashes(points, *dash) {
                    self.line(&piece, *colour, *width);
                }
            }
            Shape::Rectangle { corner, size, fill } => {
                self.fill(*corner, *size, |_, _| *fill);
            }
            Shape::Image { corner, size, columns, levels, map } => {
                let (rows, colours) = (levels.len() / columns, map.levels());
                self.fill(*corner, *size, |across, down| {
                    let column = ((across * *columns as f64) as usize).min(columns - 1);
                    let row = ((down * rows as f64) as usize).min(rows - 1);
                    colours[usize::from(levels[row * columns + column])]
                });
            }
            Shape::Text { at, text, size, anchor, upright, colour } => {
                self.text(*at, text, *size, *anchor, *upright, *colour);
            }
        }
    }

    /// Paints whole pixels; `paint` gets the part of the width and of the height.
    fn fill(&mut self, corner: [f64; 2], size: [f64; 2], paint: impl Fn(f64, f64) -> Colour) {
        let edge = |k: usize, end: f64| ((corner[k] + end * size[k]) * self.scale).round() as i64;
        let (left, right, top, bottom) = (edge(0, 0.0), edge(0, 1.0), edge(1, 0.0), edge(1, 1.0));
        for y in top..bottom {
            for x in left..right {
                let across = ((x - left) as f64 + 0.5) / (right - left) as f64;
                let down = ((y - top) as f64 + 0.5) / (bottom - top) as f64;
                self.blend(x, y, paint(across, down), 1.0);
            }
        }
    }

    /// A round pen along the points: a pixel is covered by how near its centre is to the nearest
    /// segment, and once only, however many segments meet there.
    fn line(&mut self, points: &[[f64; 2]], colour: Colour, width: f64) {
        let points: Vec<[f64; 2]> = points.iter().map(|p| p.map(|v| v * self.scale)).collect();
        let reach = 0.5 * width * self.scale;
        let mut cover: std::collections::HashMap<(i64, i64), f64> =
            std::collections::HashMap::new();
        for pair in points.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            if !(a[0].is_finite() && a[1].is_finite() && b[0].is_finite() && b[1].is_finite()) {
                continue;
            }
            let range = |k: usize, most: usize| {
                let low = (a[k].min(b[k]) - reach - 1.0).floor().max(0.0) as i64;
                let high = (a[k].max(b[k]) + reach + 1.0).ceil().min(most as f64) as i64;
                low..high
            };
            for y in range(1, self.height) {
                for x in range(0, self.width) {
                    let here = [x as f64 + 0.5, y as f64 + 0.5];
                    let part = (reach + 0.5 - distance(here, a, b)).clamp(0.0, 1.0);
                    if part > 0.0 {
                        let pixel = cover.entry((x, y)).or_insert(0.0);
                        *pixel = pixel.max(part);
                    }
                }
            }
        }
        for ((x, y), part) in cover {
            self.blend(x, y, colour, part);
        }
    }

    fn text(
        &mut self,
        at: [f64; 2],
        text: &str,
        size: f64,
        anchor: Anchor,
        upright: bool,
        colour: Colour,
    ) {
        let Some(font) = font() else { return };
        let back = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => 0.5,
            Anchor::End => 1.0,
        };
        let mut pen = -back * text_width(text, size) * self.scale;
        let [at_x, at_y] = at.map(|v| (v * self.scale).round() as i64);
        for (run, script) in runs(text) {
            let scale = glyph_scale(size * script.scale() * self.scale);
            let scaled = font.as_scaled(scale);
            let baseline = (0.35 + script.shift()) * size * self.scale;
            for c in run.chars() {
                let id = scaled.glyph_id(c);
                let place = point(pen as f32, baseline as f32);
                pen += f64::from(scaled.h_advance(id));
                let Some(outline) = font.outline_glyph(id.with_scale_and_position(scale, place))
                else {
                    continue;
                };
                let bounds = outline.px_bounds();
                outline.draw(|x, y, cover| {
                    let x = i64::from(x) + bounds.min.x as i64;
                    let y = i64::from(y) + bounds.min.y as i64;
                    // The light font gets a little more ink.
                    let cover = f64::from(cover).clamp(0.0, 1.0).powf(0.7);
                    if upright {
                        self.blend(at_x + y, at_y - x - 1, colour, cover);
                    } else {
                        self.blend(at_x + x, at_y + y, colour, cover);
                    }
                });
            }
        }
    }
}

/// From a point to the segment between `a` and `b`.
fn distance(p: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let length = along[0] * along[0] + along[1] * along[1];
    let offset = [p[0] - a[0], p[1] - a[1]];
    let part = if length > 0.0 {
        ((offset[0] * along[0] + offset[1] * along[1]) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (offset[0] - part * along[0]).hypot(offset[1] - part * along[1])
}
