//! Figures of fields: space-time images, slices, and final states in two dimensions.

use super::colours::{Colour, ColourMap};
use super::drawing::Drawing;
use super::frame::{Entry, Frame, colour_bar, legend, legend_width};
use super::scale::{Scale, extent, readable};
use super::{Figure, OutputError};
use crate::{Axis, SpaceTimeField};

/// Decades below the largest error that its image shows.
const ERROR_DECADES: i32 = 4;
/// Width of the network's line in slices, and the reference's with its dashes.
pub(super) const NETWORK: f64 = 3.2;
pub(super) const REFERENCE: (f64, [f64; 2]) = (1.2, [4.0, 3.5]);

/// What figures say about a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Names<'a> {
    /// The problem, for titles.
    pub title: &'a str,
    /// The unknown, for labels.
    pub unknown: &'a str,
}

/// Values on a rectangle, as an image sees them.
pub(super) struct Plane<'a> {
    across: &'a [f64],
    up: &'a [f64],
    /// The value at (index across, index up).
    value: Box<dyn Fn(usize, usize) -> f64 + 'a>,
}

/// One image of a figure.
pub(super) struct Panel<'a> {
    pub title: String,
    plane: Plane<'a>,
    pub map: ColourMap,
    pub scale: Scale,
    /// The scale is explained by a colour bar here; otherwise by the next panel's.
    bar: bool,
}

/// The solution over time and space, beside the reference and the absolute error where there is a
/// reference. One space dimension.
///
/// # Errors
/// [`OutputError::Plot`] when the field has another dimension, or fewer than two times or points.
pub fn space_time(field: &SpaceTimeField, names: &Names<'_>) -> Result<Figure, OutputError> {
    let [axis] = field.axes.as_slice() else {
        return Err(unfit("space-time field", "it needs one space dimension"));
    };
    check(field, "space-time field", 2)?;
    let error = field.absolute_error();
    let plane = over_time(field);
    let of = format!("{}({}, t)", names.unknown, axis.name);
    let panels =
        panels(field, &field.values, field.reference.as_deref(), error.as_deref(), plane, &of);
    Ok(images(names.title, &panels, "t", &axis.name, [250.0, 220.0]))
}

/// The solution in two space dimensions at the last time, beside the reference and the error.
///
/// # Errors
/// [`OutputError::Plot`] when the field has another dimension, no time or fewer than two points
/// along an axis.
pub fn final_state(field: &SpaceTimeField, names: &Names<'_>) -> Result<Figure, OutputError> {
    let [first, second] = field.axes.as_slice() else {
        return Err(unfit("final state", "it needs two space dimensions"));
    };
    check(field, "final state", 1)?;
    let last = field.times.len() - 1;
    let error = field.absolute_error();
    let slice = |values: &[f64]| values[last * field.points()..].to_vec();
    let values = slice(&field.values);
    let (reference, error) = (field.reference.as_deref().map(slice), error.as_deref().map(slice));
    let plane = over_plane(first, second);
    // A single time is that of a stationary solution.
    let time = format!(", t = {}", readable(field.times[last]));
    let time = if last > 0 { time.as_str() } else { "" };
    let of = format!("{}({}, {}){time}", names.unknown, first.name, second.name);
    let panels = panels(field, &values, reference.as_deref(), error.as_deref(), plane, &of);
    let size = image_size(first, second);
    Ok(images(names.title, &panels, &first.name, &second.name, size))
}

/// Values over time and one space dimension, time first.
pub(super) fn over_time<'a>(field: &'a SpaceTimeField) -> impl Fn(&[f64]) -> Plane<'a> {
    over(&field.times, &field.axes[0].values)
}

/// Values over two space dimensions.
pub(super) fn over_plane<'a>(first: &'a Axis, second: &'a Axis) -> impl Fn(&[f64]) -> Plane<'a> {
    over(&first.values, &second.values)
}

fn over<'a>(across: &'a [f64], up: &'a [f64]) -> impl Fn(&[f64]) -> Plane<'a> {
    move |values| {
        let (values, count) = (values.to_vec(), up.len());
        Plane { across, up, value: Box::new(move |i, j| values[i * count + j]) }
    }
}

/// Both axes in the same units, within bounds.
pub(super) fn image_size(first: &Axis, second: &Axis) -> [f64; 2] {
    let span = |axis: &Axis| {
        let (low, high) = extent(axis.values.iter().copied());
        high - low
    };
    let ratio = (span(second) / span(first)).clamp(0.5, 1.6);
    if ratio.is_finite() { [240.0, 240.0 * ratio] } else { [240.0, 240.0] }
}

pub(super) fn unfit(figure: &'static str, reason: &str) -> OutputError {
    OutputError::Plot { figure, reason: reason.to_owned() }
}

pub(super) fn check(
    field: &SpaceTimeField,
    figure: &'static str,
    times: usize,
) -> Result<(), OutputError> {
    let complete = field.values.len() == field.times.len() * field.points()
        && field.reference.as_ref().is_none_or(|r| r.len() == field.values.len());
    if !complete {
        return Err(unfit(figure, "the field's values do not fit its times and points"));
    }
    if field.times.len() < times || field.axes.iter().any(|axis| axis.values.len() < 2) {
        return Err(unfit(figure, "it has too few times or points"));
    }
    Ok(())
}

/// Network, reference and error; the first two share a scale.
pub(super) fn panels<'a>(
    field: &'a SpaceTimeField,
    values: &[f64],
    reference: Option<&[f64]>,
    error: Option<&[f64]>,
    plane: impl Fn(&[f64]) -> Plane<'a>,
    of: &str,
) -> Vec<Panel<'a>> {
    debug_assert!(!field.axes.is_empty());
    let scale = common(values, reference);
    let map = ColourMap::Viridis;
    let mut panels = vec![Panel {
        title: format!("network {of}"),
        plane: plane(values),
        map,
        scale,
        bar: reference.is_none(),
    }];
    if let (Some(reference), Some(error)) = (reference, error) {
        let plane_of_reference = plane(reference);
        panels.push(Panel {
            title: "reference".into(),
            plane: plane_of_reference,
            map,
            scale,
            bar: true,
        });
        let (scale, plane) = (decades(error), plane(error));
        panels.push(Panel {
            title: "absolute error".into(),
            plane,
            map: ColourMap::Magma,
            scale,
            bar: true,
        });
    }
    panels
}

/// The scale of the network and the reference.
fn common(values: &[f64], reference: Option<&[f64]>) -> Scale {
    let (low, high) = extent(values.iter().chain(reference.unwrap_or(&[])).copied());
    Scale::linear(low, high)
}

/// The scale of an error.
fn decades(error: &[f64]) -> Scale {
    let high = extent(error.iter().copied()).1.max(f64::MIN_POSITIVE);
    Scale { low: high * 10f64.powi(-ERROR_DECADES), high, logarithmic: true }
}

/// The scales of the panels of a field at all of its times together.
pub(super) fn scales(field: &SpaceTimeField, error: Option<&[f64]>) -> Vec<Scale> {
    let both = common(&field.values, field.reference.as_deref());
    match error {
        Some(error) => vec![both, both, decades(error)],
        None => vec![both],
    }
}

/// Panels side by side with colour bars.
fn images(
    title: &str,
    panels: &[Panel<'_>],
    x_label: &str,
    y_label: &str,
    size: [f64; 2],
) -> Figure {
    let (mut drawing, frames) = place(title, panels, size);
    for (index, (panel, frame)) in panels.iter().zip(&frames).enumerate() {
        let (columns, levels) = sample(panel, frame);
        frame.image(&mut drawing, columns, levels, panel.map);
        let y_label = if index == 0 { y_label } else { "" };
        annotate(&mut drawing, panel, frame, panel.scale, [x_label, y_label]);
    }
    Figure::of(drawing)
}

/// Where panels go side by side, without their images: axes, titles and colour bars of these scales,
/// and the frames that the images fill.
pub(super) fn layout(
    title: &str,
    panels: &[Panel<'_>],
    scales: &[Scale],
    [x_label, y_label]: [&str; 2],
    size: [f64; 2],
) -> (Drawing, Vec<Frame>) {
    let (mut drawing, frames) = place(title, panels, size);
    for (index, (panel, frame)) in panels.iter().zip(&frames).enumerate() {
        let y_label = if index == 0 { y_label } else { "" };
        annotate(&mut drawing, panel, frame, scales[index], [x_label, y_label]);
    }
    (drawing, frames)
}

/// Room for a colour bar, and between panels.
const BAR: f64 = 76.0;
const GAP: f64 = 22.0;

/// A drawing with its title, and the panels' frames in it.
fn place(title: &str, panels: &[Panel<'_>], size: [f64; 2]) -> (Drawing, Vec<Frame>) {
    let top = if title.is_empty() { 34.0 } else { 64.0 };
    let bars = panels.iter().filter(|panel| panel.bar).count() as f64;
    let width = 72.0 + panels.len() as f64 * (size[0] + GAP) + bars * BAR - GAP;
    let mut drawing = Drawing::new(width, top + size[1] + 50.0);
    if !title.is_empty() {
        drawing.text([0.5 * width, 20.0], title, 17.0, super::drawing::Anchor::Middle);
    }
    let mut left = 64.0;
    let mut frames = Vec::with_capacity(panels.len());
    for panel in panels {
        let (x, y) = (span(panel.plane.across), span(panel.plane.up));
        frames.push(Frame { left, top, width: size[0], height: size[1], x, y });
        left += size[0] + GAP + if panel.bar { BAR } else { 0.0 };
    }
    (drawing, frames)
}

/// Axes, title and colour bar of a panel.
fn annotate(
    drawing: &mut Drawing,
    panel: &Panel<'_>,
    frame: &Frame,
    scale: Scale,
    [x_label, y_label]: [&str; 2],
) {
    frame.axes(drawing, x_label, y_label);
    frame.title(drawing, &panel.title);
    if panel.bar {
        colour_bar(drawing, frame.left + frame.width + 10.0, frame, scale, panel.map);
    }
}

pub(super) fn span(values: &[f64]) -> Scale {
    let (low, high) = extent(values.iter().copied());
    Scale::linear(low, high)
}

/// The plane at the pixels of its frame, by linear interpolation between the samples; where one of
/// these is no number, as outside a shape, nothing is drawn.
pub(super) fn sample(panel: &Panel<'_>, frame: &Frame) -> (usize, Vec<u8>) {
    let resolution = super::raster::SCALE;
    let columns = (frame.width * resolution).round() as usize;
    let rows = (frame.height * resolution).round() as usize;
    let plane = &panel.plane;
    let at = |scale: &Scale, index: usize, count: usize| {
        scale.low + (scale.high - scale.low) * (index as f64 + 0.5) / count as f64
    };
    let across: Vec<_> =
        (0..columns).map(|i| bracket(plane.across, at(&frame.x, i, columns))).collect();
    let up: Vec<_> =
        (0..rows).map(|j| bracket(plane.up, at(&frame.y, rows - 1 - j, rows))).collect();
    let mut levels = Vec::with_capacity(columns * rows);
    for &(j, v) in &up {
        for &(i, u) in &across {
            let corner = |di: usize, dj: usize| (plane.value)(i + di, j + dj);
            let low = corner(0, 0) + u * (corner(1, 0) - corner(0, 0));
            let high = corner(0, 1) + u * (corner(1, 1) - corner(0, 1));
            let value = low + v * (high - low);
            levels.push(ColourMap::level(panel.scale.part(value)));
        }
    }
    (columns, levels)
}

/// The interval of ascending `nodes` around `value` and the part of the way through it.
fn bracket(nodes: &[f64], value: f64) -> (usize, f64) {
    let index = nodes.partition_point(|&node| node <= value).saturating_sub(1);
    let index = index.min(nodes.len() - 2);
    let part = (value - nodes[index]) / (nodes[index + 1] - nodes[index]);
    (index, if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 })
}

/// The solution at five times, the reference dashed over it. One space dimension.
///
/// # Errors
/// As [`space_time`].
pub fn slices(field: &SpaceTimeField, names: &Names<'_>) -> Result<Figure, OutputError> {
    let [axis] = field.axes.as_slice() else {
        return Err(unfit("slices", "they need one space dimension"));
    };
    check(field, "slices", 1)?;
    let last = field.times.len() - 1;
    let mut shown: Vec<usize> =
        (0..5).map(|k| nearest(&field.times, k as f64 / 4.0, last)).collect();
    shown.dedup();
    let colour =
        |k: usize| ColourMap::Viridis.at(0.25 + 0.7 * k as f64 / (shown.len().max(2) - 1) as f64);
    let mut entries: Vec<Entry> = shown
        .iter()
        .enumerate()
        .map(|(k, &index)| Entry {
            label: format!("t = {}", readable(field.times[index])),
            colour: colour(k),
            width: NETWORK,
            dash: None,
        })
        .collect();
    if field.reference.is_some() {
        let label = "reference".into();
        let (width, dash) = REFERENCE;
        entries.push(Entry { label, colour: Colour::INK, width, dash: Some(dash) });
    }
    let (left, width) = (78.0, 430.0);
    let mut drawing = Drawing::new(left + width + legend_width(&entries) + 8.0, 370.0);
    let all = shown.iter().flat_map(|&index| {
        field.at(index).iter().chain(field.reference_at(index).unwrap_or(&[])).copied()
    });
    let (x, y) = (span(&axis.values), Scale::around(all));
    let frame = Frame { left, top: 40.0, width, height: 270.0, x, y };
    frame.grid(&mut drawing);
    let along = |values: &[f64]| -> Vec<(f64, f64)> {
        axis.values.iter().copied().zip(values.iter().copied()).collect()
    };
    for (k, &index) in shown.iter().enumerate() {
        frame.curve(&mut drawing, along(field.at(index)).into_iter(), colour(k), NETWORK, None);
    }
    for reference in shown.iter().filter_map(|&index| field.reference_at(index)) {
        let (width, dash) = REFERENCE;
        frame.curve(&mut drawing, along(reference).into_iter(), Colour::INK, width, Some(dash));
    }
    frame.axes(&mut drawing, &axis.name, &format!("{}({}, t)", names.unknown, axis.name));
    frame.title(&mut drawing, names.title);
    legend(&mut drawing, &frame, &entries);
    Ok(Figure::of(drawing))
}

/// The index of the time nearest to `part` of the way.
pub(super) fn nearest(times: &[f64], part: f64, last: usize) -> usize {
    let wanted = times[0] + part * (times[last] - times[0]);
    let after = times.partition_point(|&t| t < wanted).min(last);
    let before = after.saturating_sub(1);
    if wanted - times[before] < times[after] - wanted { before } else { after }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_lie_where_the_values_are() {
        // u = t + 10 x is linear, so interpolation is exact.
        let (times, x) = ([0.0, 0.1, 0.5, 1.0], [0.0, 0.2, 1.0]);
        let value = |i: usize, j: usize| times[i] + 10.0 * x[j];
        let plane = Plane { across: &times, up: &x, value: Box::new(value) };
        let scale = Scale::linear(0.0, 11.0);
        let map = ColourMap::Viridis;
        let panel = Panel { title: String::new(), plane, map, scale, bar: true };
        let (x, y) = (Scale::linear(0.0, 1.0), Scale::linear(0.0, 1.0));
        let frame = Frame { left: 0.0, top: 0.0, width: 5.0, height: 10.0, x, y };
        let (columns, levels) = sample(&panel, &frame);
        assert_eq!((columns, levels.len()), (10, 200));
        for (index, &level) in levels.iter().enumerate() {
            let t = ((index % 10) as f64 + 0.5) / 10.0;
            let x = 1.0 - ((index / 10) as f64 + 0.5) / 20.0;
            let exact = 1.0 + 254.0 * (t + 10.0 * x) / 11.0;
            assert!((f64::from(level) - exact).abs() <= 0.5 + 1e-9);
        }
    }

    #[test]
    fn places_without_a_value_stay_white() {
        for scale in [Scale::linear(0.0, 1.0), Scale { low: 1e-6, high: 1.0, logarithmic: true }] {
            assert_eq!(ColourMap::level(scale.part(f64::NAN)), 0);
            assert_eq!([0.0, 1.0].map(|v| ColourMap::level(scale.part(v))), [1, 255]);
        }
        assert_eq!(ColourMap::Magma.levels()[0], super::super::colours::Colour::WHITE);
        assert_eq!(ColourMap::Magma.levels()[1], ColourMap::Magma.at(0.0));
    }

    #[test]
    fn slices_take_the_nearest_times() {
        let times = [0.0, 0.1, 0.4, 1.0];
        assert_eq!(nearest(&times, 0.0, 3), 0);
        assert_eq!(nearest(&times, 0.24, 3), 1);
        assert_eq!(nearest(&times, 0.26, 3), 2);
        assert_eq!(nearest(&times, 1.0, 3), 3);
        assert_eq!(nearest(&[2.0], 0.5, 0), 0);
    }
}
