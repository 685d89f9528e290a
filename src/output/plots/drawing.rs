//! A figure as a list of shapes, which [`super::svg`] and [`super::raster`] turn into files.

use super::colours::{Colour, ColourMap};

/// Where a text hangs on its point, along its reading direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A shape; lengths are in logical pixels, y points down.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A line through the points, with the lengths of dashes and gaps where it is dashed.
    Line {
        points: Vec<[f64; 2]>,
        colour: Colour,
        width: f64,
        dash: Option<[f64; 2]>,
    },
    Rectangle {
        corner: [f64; 2],
        size: [f64; 2],
        fill: Colour,
    },
    /// Levels of a colour map, row by row from the top, stretched over a rectangle.
    Image {
        corner: [f64; 2],
        size: [f64; 2],
        columns: usize,
        levels: Vec<u8>,
        map: ColourMap,
    },
    /// Text centred on the height of its point; `a^{b}` and `a_{b}` raise and lower b. Upright
    /// text reads from the bottom to the top.
    Text {
        at: [f64; 2],
        text: String,
        size: f64,
        anchor: Anchor,
        upright: bool,
        colour: Colour,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    pub width: f64,
    pub height: f64,
    pub shapes: Vec<Shape>,
}

/// Part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    Normal,
    Raised,
    Lowered,
}

impl Script {
    /// Size relative to normal text.
    #[must_use]
    pub fn scale(self) -> f64 {
        if self == Self::Normal { 1.0 } else { 0.72 }
    }

    /// How far down the baseline moves, in sizes of normal text.
    #[must_use]
    pub fn shift(self) -> f64 {
        match self {
            Self::Normal => 0.0,
            Self::Raised => -0.36,
            Self::Lowered => 0.18,
        }
    }
}

/// Takes `a^{b}c_{d}` apart.
#[must_use]
pub fn runs(text: &str) -> Vec<(&str, Script)> {
    let mut runs = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("^{").into_iter().chain(rest.find("_{")).min() {
        let Some(length) = rest[start..].find('}') else { break };
        let script = if rest[start..].starts_with('^') { Script::Raised } else { Script::Lowered };
        runs.push((&rest[..start], Script::Normal));
        runs.push((&rest[start + 2..start + length], script));
        rest = &rest[start + length + 1..];
    }
    runs.push((rest, Script::Normal));
    runs.retain(|(run, _)| !run.is_empty());
    runs
}

impl Drawing {
    /// An empty drawing on white.
    #[must_use]
    pub fn new(width: f64, height: f64) -> Self {
        let ground =
            Shape::Rectangle { corner: [0.0; 2], size: [width, height], fill: Colour::WHITE };
        Self { width, height, shapes: vec![ground] }
    }

    pub fn line(&mut self, points: Vec<[f64; 2]>, colour: Colour, width: f64) {
        self.shapes.push(Shape::Line { points, colour, width, dash: None });
    }

    pub fn dashed(&mut self, points: Vec<[f64; 2]>, colour: Colour, width: f64, dash: [f64; 2]) {
        self.shapes.push(Shape::Line { points, colour, width, dash: Some(dash) });
    }

    pub fn text(&mut self, at: [f64; 2], text: &str, size: f64, anchor: Anchor) {
        let (text, colour) = (text.to_owned(), Colour::INK);
        self.shapes.push(Shape::Text { at, text, size, anchor, upright: false, colour });
    }

    pub fn upright_text(&mut self, at: [f64; 2], text: &str, size: f64) {
        let (text, colour, anchor) = (text.to_owned(), Colour::INK, Anchor::Middle);
        self.shapes.push(Shape::Text { at, text, size, anchor, upright: true, colour });
    }
}

/// Cuts a line into dashes.
#[must_use]
pub fn dashes(points: &[[f64; 2]], [dash, gap]: [f64; 2]) -> Vec<Vec<[f64; 2]>> {
    let mut pieces = Vec::new();
    let mut piece: Vec<[f64; 2]> = points.first().map(|&p| vec![p]).unwrap_or_default();
    let (mut left, mut inked) = (dash, true);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let length = (to[0] - from[0]).hypot(to[1] - from[1]);
            if length <= left {
                left -= length;
                if inked {
                    piece.push(to);
                }
                break;
            }
            let part = left / length;
            from = [from[0] + part * (to[0] - from[0]), from[1] + part * (to[1] - from[1])];
            if inked {
                piece.push(from);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![from];
            }
            inked = !inked;
            left = if inked { dash } else { gap };
        }
    }
    if piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_apart_at_raised_and_lowered_parts() {
        assert_eq!(
            runs("10^{-5} u_{x}!"),
            vec![
                ("10", Script::Normal),
                ("-5", Script::Raised),
                (" u", Script::Normal),
                ("x", Script::Lowered),
                ("!", Script::Normal),
            ]
        );
        assert_eq!(runs("open ^{"), vec![("open ^{", Script::Normal)]);
        assert!(runs("").is_empty());
    }

    #[test]
    fn dashes_cover_their_share_of_the_line() {
        let line = [[0.0, 0.0], [3.0, 0.0], [3.0, 7.0]];
        let pieces = dashes(&line, [2.0, 1.0]);
        let length: f64 = pieces
            .iter()
            .flat_map(|piece| piece.windows(2))
            .map(|p| (p[1][0] - p[0][0]).hypot(p[1][1] - p[0][1]))
            .sum();
        // 10 = 3 x (2 + 1) + 1: seven parts are inked.
        assert!((length - 7.0).abs() < 1e-12, "{length}");
        assert_eq!(pieces.len(), 4);
    }
}
