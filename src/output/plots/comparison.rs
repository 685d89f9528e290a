//! Several curves in one frame: the figures of a study.

use super::colours::Colour;
use super::drawing::{Anchor, Drawing, Shape};
use super::frame::{Entry, Frame, TITLE, legend, legend_width};
use super::raster::text_width;
use super::scale::Scale;
use super::{Figure, OutputError};

const SIZE: [f64; 2] = [430.0, 290.0];
const LEFT: f64 = 90.0;
const TOP: f64 = 40.0;
/// Beside a title that is wider than the frame.
const MARGIN: f64 = 16.0;
/// Side of a marker.
const MARKER: f64 = 6.0;
/// Curves with the same colour differ by their dashes.
const DASHES: [Option<[f64; 2]>; 3] = [None, Some([7.0, 4.0]), Some([2.0, 3.0])];

/// One curve with its place in the legend.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    pub label: String,
    pub points: Vec<(f64, f64)>,
}

/// What the axes say and how they count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axes<'a> {
    pub title: &'a str,
    pub x: &'a str,
    pub y: &'a str,
    pub logarithmic_x: bool,
    /// Marks every point: where each is a run of its own.
    pub markers: bool,
}

/// The curves over a common x, y on a logarithmic scale.
///
/// # Errors
/// [`OutputError::Plot`] when no curve has a positive value.
pub fn comparison(curves: &[Curve], axes: Axes<'_>) -> Result<Figure, OutputError> {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let positive = |y: f64| y > 0.0 && y.is_finite();
    if !points().any(|&(_, y)| positive(y)) {
        let reason = "no run has a positive value to show".into();
        return Err(OutputError::Plot { figure: "comparison", reason });
    }
    let along = points().filter(|point| positive(point.1)).map(|point| point.0);
    let x = if axes.logarithmic_x {
        Scale::logarithmic(along)
    } else if axes.markers {
        Scale::around(along)
    } else {
        let (low, high) = super::scale::extent(along);
        Scale::linear(low, high)
    };
    let y = Scale::logarithmic(points().map(|point| point.1));
    let entry = |(k, curve): (usize, &Curve)| Entry {
        label: curve.label.clone(),
        colour: colour(k),
        width: 1.8,
        dash: dash(k),
    };
    let entries: Vec<Entry> = curves.iter().enumerate().map(entry).collect();
    let title = text_width(axes.title, TITLE);
    let width = (LEFT + SIZE[0] + legend_width(&entries) + 8.0).max(title + 2.0 * MARGIN);
    let mut drawing = Drawing::new(width, TOP + SIZE[1] + 54.0);
    let frame = Frame { left: LEFT, top: TOP, width: SIZE[0], height: SIZE[1], x, y };
    frame.grid(&mut drawing);
    for (k, curve) in curves.iter().enumerate() {
        frame.curve(&mut drawing, curve.points.iter().copied(), colour(k), 1.8, dash(k));
        if axes.markers {
            curve.points.iter().for_each(|&point| mark(&mut drawing, &frame, point, colour(k)));
        }
    }
    frame.axes(&mut drawing, axes.x, axes.y);
    if title > SIZE[0] {
        drawing.text([MARGIN, TOP - 14.0], axes.title, TITLE, Anchor::Start);
    } else {
        frame.title(&mut drawing, axes.title);
    }
    legend(&mut drawing, &frame, &entries);
    Ok(Figure::of(drawing))
}

fn colour(k: usize) -> Colour {
    Colour::CURVES[k % Colour::CURVES.len()]
}

fn dash(k: usize) -> Option<[f64; 2]> {
    DASHES[k / Colour::CURVES.len() % DASHES.len()]
}

/// A square around a point inside the frame.
fn mark(drawing: &mut Drawing, frame: &Frame, (x, y): (f64, f64), fill: Colour) {
    let [left, top] = frame.place(x, y);
    let inside = (frame.left..=frame.left + frame.width).contains(&left)
        && (frame.top..=frame.top + frame.height).contains(&top);
    if inside && y > 0.0 {
        let corner = [left - 0.5 * MARKER, top - 0.5 * MARKER];
        drawing.shapes.push(Shape::Rectangle { corner, size: [MARKER, MARKER], fill });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(markers: bool) -> Axes<'static> {
        Axes { title: "Sizes", x: "s", y: "error", logarithmic_x: true, markers }
    }

    fn curve(label: &str, points: &[(f64, f64)]) -> Curve {
        Curve { label: label.into(), points: points.to_vec() }
    }

    /// A square for each point that can be drawn.
    #[test]
    fn every_point_of_a_sweep_has_its_marker() {
        let curves = [
            curve("sparse", &[(50.0, 1e-3), (100.0, 1e-5), (200.0, f64::NAN)]),
            curve("dense", &[(3000.0, 1e-4)]),
        ];
        let count = |markers: bool| {
            let figure = comparison(&curves, axes(markers)).expect("has data");
            let shapes = &figure.drawing().shapes;
            shapes.iter().filter(|shape| matches!(shape, Shape::Rectangle { .. })).count()
        };
        assert_eq!(count(true) - count(false), 3);
        let svg = comparison(&curves, axes(true)).expect("has data").svg();
        assert!(svg.contains("sparse") && svg.contains("dense") && svg.contains("Sizes"));
    }

    #[test]
    fn without_a_positive_value_there_is_no_figure() {
        let nothing = comparison(&[curve("a", &[(1.0, f64::NAN), (2.0, 0.0)])], axes(true));
        assert!(matches!(nothing, Err(OutputError::Plot { .. })));
    }
}
