//! A plot's frame: axes with ticks and labels, curves and images inside, colour bars beside.

use super::colours::{Colour, ColourMap};
use super::drawing::{Anchor, Drawing, Shape};
use super::scale::Scale;

/// Sizes of texts, in logical pixels.
pub const TITLE: f64 = 15.0;
pub const LABEL: f64 = 14.0;
pub const TICK: f64 = 12.5;

const TICK_LENGTH: f64 = 4.0;
const THIN: f64 = 0.8;

/// A rectangle with two scales.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    pub x: Scale,
    pub y: Scale,
}

impl Frame {
    /// The place of a value pair.
    #[must_use]
    pub fn place(&self, x: f64, y: f64) -> [f64; 2] {
        [self.left + self.width * self.x.part(x), self.top + self.height * (1.0 - self.y.part(y))]
    }

    fn corner(&self, across: f64, down: f64) -> [f64; 2] {
        [self.left + across * self.width, self.top + down * self.height]
    }

    pub fn title(&self, drawing: &mut Drawing, text: &str) {
        let [x, y] = self.corner(0.5, 0.0);
        drawing.text([x, y - 14.0], text, TITLE, Anchor::Middle);
    }

    /// Grid lines at the labelled ticks; drawn before the curves.
    pub fn grid(&self, drawing: &mut Drawing) {
        for tick in self.x_ticks().0.iter().filter(|tick| !tick.label.is_empty()) {
            let x = self.place(tick.value, self.y.low)[0];
            let line = vec![[x, self.top], [x, self.top + self.height]];
            drawing.line(line, Colour::FAINT, THIN);
        }
        for tick in self.y_ticks().0.iter().filter(|tick| !tick.label.is_empty()) {
            let y = self.place(self.x.low, tick.value)[1];
            let line = vec![[self.left, y], [self.left + self.width, y]];
            drawing.line(line, Colour::FAINT, THIN);
        }
    }

    fn x_ticks(&self) -> (Vec<super::scale::Tick>, i32) {
        self.x.ticks((self.width / 55.0) as usize)
    }

    fn y_ticks(&self) -> (Vec<super::scale::Tick>, i32) {
        self.y.ticks((self.height / 42.0) as usize)
    }

    /// Border, ticks, tick labels and axis labels; an empty `y_label` leaves the labels of the y
    /// axis to the neighbour on the left. Drawn after the contents.
    pub fn axes(&self, drawing: &mut Drawing, x_label: &str, y_label: &str) {
        let border = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)];
        drawing.line(border.map(|(a, d)| self.corner(a, d)).to_vec(), Colour::INK, THIN);
        let (ticks, power) = self.x_ticks();
        let bottom = self.top + self.height;
        for tick in ticks {
            let x = self.place(tick.value, self.y.low)[0];
            let length = if tick.label.is_empty() { 0.6 * TICK_LENGTH } else { TICK_LENGTH };
            drawing.line(vec![[x, bottom], [x, bottom + length]], Colour::INK, THIN);
            drawing.text([x, bottom + 14.0], &tick.label, TICK, Anchor::Middle);
        }
        let [middle, _] = self.corner(0.5, 1.0);
        drawing.text([middle, bottom + 34.0], &scaled(x_label, power), LABEL, Anchor::Middle);

        let (ticks, power) = self.y_ticks();
        let mut widest: f64 = 0.0;
        for tick in ticks {
            let y = self.place(self.x.low, tick.value)[1];
            let length = if tick.label.is_empty() { 0.6 * TICK_LENGTH } else { TICK_LENGTH };
            drawing.line(vec![[self.left - length, y], [self.left, y]], Colour::INK, THIN);
            if !y_label.is_empty() {
                drawing.text([self.left - 8.0, y], &tick.label, TICK, Anchor::End);
                widest = widest.max(super::raster::text_width(&tick.label, TICK));
            }
        }
        if !y_label.is_empty() {
            let at = [self.left - widest - 24.0, self.top + 0.5 * self.height];
            drawing.upright_text(at, &scaled(y_label, power), LABEL);
        }
    }

    /// A curve through the points; what is not finite or, on a logarithmic scale, not positive
    /// interrupts it, and what lies outside is cut off.
    pub fn curve(
        &self,
        drawing: &mut Drawing,
        points: impl Iterator<Item = (f64, f64)>,
        colour: Colour,
        width: f64,
        dash: Option<[f64; 2]>,
    ) {
        let mut piece: Vec<[f64; 2]> = Vec::new();
        let mut pieces: Vec<Vec<[f64; 2]>> = Vec::new();
        let mut last: Option<[f64; 2]> = None;
        for (x, y) in points {
            let drawable = x.is_finite()
                && y.is_finite()
                && (!self.x.logarithmic || x > 0.0)
                && (!self.y.logarithmic || y > 0.0);
            let here = drawable.then(|| self.place(x, y));
            if let (Some(from), Some(to)) = (last, here)
                && let Some([a, b]) = self.clip(from, to)
            {
                if piece.last() != Some(&a) {
                    pieces.push(std::mem::replace(&mut piece, vec![a]));
                }
                piece.push(b);
            }
            last = here;
        }
        pieces.push(piece);
        for points in pieces.into_iter().filter(|piece| piece.len() > 1) {
            let points = thinned(points);
            drawing.shapes.push(Shape::Line { points, colour, width, dash });
        }
    }

    /// The part of a segment inside the frame (Liang and Barsky, 1984).
    fn clip(&self, from: [f64; 2], to: [f64; 2]) -> Option<[[f64; 2]; 2]> {
        let (low, high) = ([self.left, self.top], self.corner(1.0, 1.0));
        let (mut enter, mut leave) = (0.0f64, 1.0f64);
        for k in 0..2 {
            let (step, to_low, to_high) = (to[k] - from[k], low[k] - from[k], high[k] - from[k]);
            if step == 0.0 {
                if to_low > 0.0 || to_high < 0.0 {
                    return None;
                }
                continue;
            }
            let (a, b) = (to_low / step, to_high / step);
            enter = enter.max(a.min(b));
            leave = leave.min(a.max(b));
        }
        let at = |part: f64| -> [f64; 2] {
            match part {
                0.0 => from,
                1.0 => to,
                _ => std::array::from_fn(|k| from[k] + part * (to[k] - from[k])),
            }
        };
        (enter <= leave).then(|| [at(enter), at(leave)])
    }

    /// An image that fills the frame.
    pub fn image(&self, drawing: &mut Drawing, columns: usize, levels: Vec<u8>, map: ColourMap) {
        let (corner, size) = ([self.left, self.top], [self.width, self.height]);
        drawing.shapes.push(Shape::Image { corner, size, columns, levels, map });
    }
}

/// A colour bar with its scale's ticks on the right, over the height of a neighbouring frame.
pub fn colour_bar(drawing: &mut Drawing, left: f64, beside: &Frame, scale: Scale, map: ColourMap) {
    let bar = Frame { left, width: 13.0, x: Scale::linear(0.0, 1.0), y: scale, ..*beside };
    bar.image(drawing, 1, (1..=255).rev().collect(), map);
    let edges = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)];
    drawing.line(edges.map(|(a, d)| bar.corner(a, d)).to_vec(), Colour::INK, THIN);
    let (ticks, power) = bar.y_ticks();
    for tick in ticks {
        let [x, y] = bar.place(1.0, tick.value);
        let length = if tick.label.is_empty() { 0.6 * TICK_LENGTH } else { TICK_LENGTH };
        drawing.line(vec![[x, y], [x + length, y]], Colour::INK, THIN);
        drawing.text([x + 8.0, y], &tick.label, TICK, Anchor::Start);
    }
    if power != 0 {
        let text = format!("×{}", super::scale::power_of_ten(power));
        drawing.text([bar.left, bar.top - 14.0], &text, TICK, Anchor::Start);
    }
}

/// An axis label with the power of ten that the tick labels leave out.
fn scaled(label: &str, power: i32) -> String {
    match power {
        0 => label.to_owned(),
        _ => format!("{label}  (×{})", super::scale::power_of_ten(power)),
    }
}

/// Drops points that no eye could see: those nearer than a fifth of a pixel to the last kept one.
fn thinned(points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let last = points.len() - 1;
    let mut kept: Vec<[f64; 2]> = Vec::with_capacity(points.len());
    for (index, point) in points.into_iter().enumerate() {
        let far = kept
            .last()
            .is_none_or(|k| (k[0] - point[0]).abs() > 0.2 || (k[1] - point[1]).abs() > 0.2);
        if far || index == last {
            kept.push(point);
        }
    }
    kept
}

/// One line of a legend.
pub struct Entry {
    pub label: String,
    pub colour: Colour,
    pub width: f64,
    pub dash: Option<[f64; 2]>,
}

/// A legend on the right of a frame, outside, where it covers nothing.
pub fn legend(drawing: &mut Drawing, beside: &Frame, entries: &[Entry]) {
    let left = beside.left + beside.width + 16.0;
    for (index, entry) in entries.iter().enumerate() {
        let y = beside.top + 12.0 + 21.0 * index as f64;
        let points = vec![[left, y], [left + 26.0, y]];
        let (colour, width, dash) = (entry.colour, entry.width, entry.dash);
        drawing.shapes.push(Shape::Line { points, colour, width, dash });
        drawing.text([left + 34.0, y], &entry.label, TICK, Anchor::Start);
    }
}

/// Width that a legend needs on the right of its frame.
#[must_use]
pub fn legend_width(entries: &[Entry]) -> f64 {
    let widest = entries
        .iter()
        .map(|entry| super::raster::text_width(&entry.label, TICK))
        .fold(0.0, f64::max);
    if entries.is_empty() { 0.0 } else { 16.0 + 34.0 + widest + 8.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        let (x, y) = (Scale::linear(0.0, 10.0), Scale::linear(0.0, 1.0));
        Frame { left: 50.0, top: 20.0, width: 100.0, height: 200.0, x, y }
    }

    fn lines(drawing: &Drawing) -> Vec<&Vec<[f64; 2]>> {
        drawing
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Line { points, .. } => Some(points),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn curves_are_cut_at_the_frame_and_interrupted_by_what_is_not_finite() {
        let mut drawing = Drawing::new(300.0, 300.0);
        let points = [(0.0, 0.5), (2.0, 2.5), (4.0, 0.5), (5.0, f64::NAN), (6.0, 0.1), (8.0, 0.2)];
        frame().curve(&mut drawing, points.into_iter(), Colour::BLUE, 1.0, None);
        let lines = lines(&drawing);
        assert_eq!(lines.len(), 3);
        // It leaves through the upper side a quarter of the way up and comes back there.
        assert_eq!(lines[0].last(), Some(&[55.0, 20.0]));
        assert_eq!(lines[1].first(), Some(&[85.0, 20.0]));
        for [x, y] in lines.into_iter().flatten() {
            assert!((50.0..=150.0).contains(x) && (20.0..=220.0).contains(y));
        }
    }

    #[test]
    fn long_curves_lose_the_points_that_nobody_sees() {
        let mut drawing = Drawing::new(300.0, 300.0);
        let points = (0..100_000).map(|k| (f64::from(k) * 1e-4, 0.5));
        frame().curve(&mut drawing, points, Colour::BLUE, 1.0, None);
        let line = lines(&drawing)[0];
        assert!(line.len() < 600, "{}", line.len());
        assert!((line[line.len() - 1][0] - 149.999).abs() < 1e-9);
    }
}
