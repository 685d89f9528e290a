//! An evolution as a moving picture: an animated PNG (APNG), which browsers and the pages of
//! repositories play, and which is its first frame everywhere else.

use super::apng;
use super::colours::{Colour, ColourMap};
use super::drawing::{Anchor, Drawing, Shape};
use super::field::{
    self, NETWORK, Names, REFERENCE, check, image_size, panels, sample, span, unfit,
};
use super::frame::{Entry, Frame, LABEL, TITLE, colour_bar};
use super::raster;
use super::scale::{Scale, readable};
use crate::{OutputError, SpaceTimeField};

/// Instants at even distances, and the most frames.
const FRAMES: usize = 48;
/// Thousandths of a second that an instant takes, and that the last one stays besides.
const SHOWN: u16 = 70;
const LAST: u16 = 1_500;
/// Pixels per logical pixel: moving pictures are looked at where they are, and must be small.
const SCALE: f64 = 1.25;

/// What stands still and, frame by frame, what moves over it and for how many thousandths of a second.
#[derive(Clone, Debug)]
pub struct Animation {
    still: Drawing,
    frames: Vec<(Vec<Shape>, u16)>,
}

impl Animation {
    /// One space dimension: the solution over its reference, and beside it the picture over time
    /// and space as far as it has come. Two: the solution, the reference and the error.
    ///
    /// # Errors
    /// [`OutputError::Plot`] in other dimensions, and when the field has fewer than two times or
    /// points.
    pub fn of(field: &SpaceTimeField, names: &Names<'_>) -> Result<Self, OutputError> {
        check(field, FIGURE, 2)?;
        match field.axes.len() {
            1 => curve(field, names),
            2 => plane(field, names),
            _ => Err(unfit(FIGURE, "it needs one or two space dimensions")),
        }
    }

    /// How many frames there are.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.frames.len()
    }

    /// What stands still, as pixels.
    fn ground(&self) -> raster::Pixels {
        raster::Pixels::of(&self.still, SCALE)
    }

    /// A frame by itself.
    ///
    /// # Panics
    /// When there is no such frame.
    #[must_use]
    pub fn frame(&self, index: usize) -> raster::Pixels {
        drawn(self.ground(), &self.frames[index].0)
    }

    /// The bytes of an APNG file.
    #[must_use]
    pub fn png(&self) -> Vec<u8> {
        let ground = self.ground();
        let frames =
            self.frames.iter().map(|(shapes, shown)| (drawn(ground.clone(), shapes), *shown));
        apng::encode(frames, self.frames())
    }
}

/// The shapes over what is there.
fn drawn(mut pixels: raster::Pixels, shapes: &[Shape]) -> raster::Pixels {
    shapes.iter().for_each(|shape| pixels.draw(shape));
    pixels
}

const FIGURE: &str = "animation";

/// The times that are shown, and for how long: those nearest to instants at even distances, so that
/// the picture moves evenly however unevenly the times lie.
fn chosen(times: &[f64]) -> Vec<(usize, u16)> {
    let last = times.len() - 1;
    let mut chosen: Vec<(usize, u16)> = Vec::new();
    for k in 0..FRAMES {
        let index = field::nearest(times, k as f64 / (FRAMES - 1) as f64, last);
        match chosen.last_mut() {
            Some((before, shown)) if *before == index => *shown += SHOWN,
            _ => chosen.push((index, SHOWN)),
        }
    }
    if let Some((_, shown)) = chosen.last_mut() {
        *shown += LAST;
    }
    chosen
}

fn clock(drawing: &Drawing, time: f64) -> Shape {
    Shape::Text {
        at: [drawing.width - 12.0, 18.0],
        text: format!("t = {}", readable(time)),
        size: LABEL,
        anchor: Anchor::End,
        upright: false,
        colour: Colour::INK,
    }
}

fn curve(field: &SpaceTimeField, names: &Names<'_>) -> Result<Animation, OutputError> {
    let axis = &field.axes[0];
    let error = field.absolute_error();
    let of = format!("{}({}, t)", names.unknown, axis.name);
    let make = field::over_time(field);
    let images =
        panels(field, &field.values, field.reference.as_deref(), error.as_deref(), make, &of);
    let image = &images[0];
    let all = field.values.iter().chain(field.reference.iter().flatten()).copied();
    let (top, height) = (52.0, 220.0);
    let left = Frame {
        left: 70.0,
        top,
        width: 300.0,
        height,
        x: span(&axis.values),
        y: Scale::around(all),
    };
    let right = Frame {
        left: left.left + left.width + 66.0,
        top,
        width: 250.0,
        height,
        x: span(&field.times),
        y: span(&axis.values),
    };
    let mut still = Drawing::new(right.left + right.width + 84.0, top + height + 48.0);
    still.text([left.left, 18.0], names.title, TITLE, Anchor::Start);
    left.grid(&mut still);
    left.axes(&mut still, &axis.name, &of);
    right.axes(&mut still, "t", &axis.name);
    colour_bar(&mut still, right.left + right.width + 10.0, &right, image.scale, image.map);
    if field.reference.is_some() {
        let entry =
            |label: &str, colour, width, dash| Entry { label: label.into(), colour, width, dash };
        let (width, dash) = REFERENCE;
        let entries = [
            entry("network", Colour::BLUE, NETWORK, None),
            entry("reference", Colour::INK, width, Some(dash)),
        ];
        key(&mut still, &left, &entries);
    }
    let (columns, levels) = sample(image, &right);
    let frames = chosen(&field.times)
        .into_iter()
        .map(|(index, shown)| {
            // Shapes gather in a drawing without a ground: it lies over the one that stands still.
            let mut moving = Drawing { width: still.width, height: still.height, shapes: vec![] };
            let line = |values: &[f64]| -> Vec<(f64, f64)> {
                axis.values.iter().copied().zip(values.iter().copied()).collect()
            };
            let network = line(field.at(index)).into_iter();
            left.curve(&mut moving, network, Colour::BLUE, NETWORK, None);
            if let Some(reference) = field.reference_at(index) {
                let (width, dash) = REFERENCE;
                let reference = line(reference).into_iter();
                left.curve(&mut moving, reference, Colour::INK, width, Some(dash));
            }
            moving.shapes.extend(revealed(&right, columns, &levels, image.map, field.times[index]));
            moving.shapes.push(clock(&still, field.times[index]));
            (moving.shapes, shown)
        })
        .collect();
    Ok(Animation { still, frames })
}

/// The lines' names in a row above the frame.
fn key(drawing: &mut Drawing, above: &Frame, entries: &[Entry]) {
    let mut x = above.left + 2.0;
    let y = above.top - 12.0;
    for entry in entries {
        let line = vec![[x, y], [x + 26.0, y]];
        match entry.dash {
            Some(dash) => drawing.dashed(line, entry.colour, entry.width, dash),
            None => drawing.line(line, entry.colour, entry.width),
        }
        drawing.text([x + 32.0, y], &entry.label, LABEL, Anchor::Start);
        x += 56.0 + raster::text_width(&entry.label, LABEL);
    }
}

/// The part of an image over time that is behind us.
fn revealed(
    frame: &Frame,
    columns: usize,
    levels: &[u8],
    map: ColourMap,
    time: f64,
) -> Option<Shape> {
    let part = frame.x.part(time).clamp(0.0, 1.0);
    let kept = (part * columns as f64).round() as usize;
    let rows = levels.chunks_exact(columns);
    let levels: Vec<u8> = rows.flat_map(|row| row[..kept].iter().copied()).collect();
    let size = [frame.width * kept as f64 / columns as f64, frame.height];
    let image = Shape::Image { corner: [frame.left, frame.top], size, columns: kept, levels, map };
    (kept > 0).then_some(image)
}

fn plane(field: &SpaceTimeField, names: &Names<'_>) -> Result<Animation, OutputError> {
    let (first, second) = (&field.axes[0], &field.axes[1]);
    let size = image_size(first, second);
    let of = format!("{}({}, {})", names.unknown, first.name, second.name);
    let error = field.absolute_error();
    let points = field.points();
    let at = |index: usize, values: &[f64]| values[index * points..(index + 1) * points].to_vec();
    // One scale for all times.
    let whole = |index: usize| {
        let make = field::over_plane(first, second);
        let (u, r) = (at(index, &field.values), field.reference.as_ref().map(|r| at(index, r)));
        let e = error.as_ref().map(|e| at(index, e));
        panels(field, &u, r.as_deref(), e.as_deref(), make, &of)
    };
    let fixed = field::scales(field, error.as_deref());
    let (mut still, frames) =
        field::layout(names.title, &whole(0), &fixed, [&first.name, &second.name], size);
    still.width = still.width.max(200.0);
    let moving = chosen(&field.times)
        .into_iter()
        .map(|(index, shown)| {
            let mut shapes: Vec<Shape> = whole(index)
                .into_iter()
                .zip(&frames)
                .zip(&fixed)
                .map(|((mut panel, frame), &scale)| {
                    panel.scale = scale;
                    let (columns, levels) = sample(&panel, frame);
                    let (corner, size) = ([frame.left, frame.top], [frame.width, frame.height]);
                    Shape::Image { corner, size, columns, levels, map: panel.map }
                })
                .collect();
            shapes.push(clock(&still, field.times[index]));
            (shapes, shown)
        })
        .collect();
    Ok(Animation { still, frames: moving })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_crowd_at_the_start_are_shown_for_as_long_as_they_last() {
        // Steps that double: 0, 1, 3, 7, ... of 127.
        let times: Vec<f64> = (0..8).map(|k| f64::from((1 << k) - 1)).collect();
        let shown = chosen(&times);
        let indices: Vec<usize> = shown.iter().map(|(index, _)| *index).collect();
        // Between the first two instants lie three steps: the middle one is left out.
        assert_eq!(indices, [0, 2, 3, 4, 5, 6, 7]);
        let total: u32 = shown.iter().map(|(_, shown)| u32::from(*shown)).sum();
        assert_eq!(total, FRAMES as u32 * u32::from(SHOWN) + u32::from(LAST));
        // The last gap is half of all time: its two ends share it.
        assert!(shown[5].1 > 10 * SHOWN && shown[0].1 == SHOWN);
        // Many times: one frame an instant.
        let many: Vec<f64> = (0..1000).map(f64::from).collect();
        assert_eq!(chosen(&many).len(), FRAMES);
    }
}
