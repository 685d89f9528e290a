//! Charts in the app's style, on top of `egui_plot`.

use std::ops::RangeInclusive;

use egui::{Color32, FontId, Rangef, Stroke, Ui, Vec2b, vec2};
use egui_plot::{
    AxisHints, GridInput, GridMark, HLine, HPlacement, Line, LineStyle, Plot, PlotPoint,
    PlotPoints, VLine, VPlacement,
};

use super::format::{power, short};
use crate::theme::{self, Palette};

/// Room for the numbers at the left of every chart, so that charts below each other line up.
pub const LEFT: f32 = 40.0;
/// More points than this are not to be told apart in a small chart.
const MOST_POINTS: usize = 600;

/// A curve whose values are shown on a logarithmic axis.
pub struct Series<'a> {
    pub name: &'a str,
    pub colour: Color32,
    /// Place along the x axis and value; what is not positive is left out.
    pub points: Vec<[f64; 2]>,
    /// Dots instead of a line.
    pub dots: bool,
}

/// A chart with a logarithmic y axis.
pub struct LogChart<'a> {
    pub id: &'a str,
    pub height: f32,
    pub x: RangeInclusive<f64>,
    pub x_name: &'a str,
    /// Horizontal line with its value.
    pub rule: Option<f64>,
    /// Vertical line.
    pub cursor: Option<f64>,
}

impl LogChart<'_> {
    /// Draws the series.
    pub fn show(&self, ui: &mut Ui, series: Vec<Series<'_>>) {
        let palette = theme::palette(ui);
        let series: Vec<Series<'_>> = series.into_iter().map(logarithmic).collect();
        let values = series.iter().flat_map(|s| s.points.iter().map(|p| p[1]));
        let [lower, upper] = decades(values.chain(self.rule.map(f64::log10)));
        let (x, rule, cursor) = (self.x.clone(), self.rule, self.cursor);
        let x_name = self.x_name.to_owned();
        plain(self.id, palette)
            .height(self.height)
            .x_grid_spacer(few_marks)
            .y_grid_spacer(power_marks)
            .label_formatter(move |hover| {
                let egui_plot::HoverPosition::NearDataPoint { plot_name, position, .. } = hover
                else {
                    return None;
                };
                let value = short(10f64.powf(position.y));
                Some(format!("{plot_name} {value}\n{x_name} = {}", short(position.x)))
            })
            .custom_y_axes(vec![
                left_axis(palette).formatter(|mark, _| power(mark.value.round() as i32)),
            ])
            .show(ui, move |plot| {
                plot.set_plot_bounds_x(x);
                plot.set_plot_bounds_y(lower..=upper);
                if let Some(rule) = rule {
                    plot.hline(
                        HLine::new("cutoff", rule.log10())
                            .color(palette.second)
                            .width(1.0)
                            .style(LineStyle::Dashed { length: 4.0 }),
                    );
                }
                if let Some(cursor) = cursor {
                    plot.vline(
                        VLine::new("", cursor).color(palette.faint).width(1.0).allow_hover(false),
                    );
                }
                for s in series {
                    if s.dots {
                        let dots = egui_plot::Points::new(s.name, PlotPoints::from(s.points));
                        plot.points(dots.color(s.colour).radius(1.6));
                    } else {
                        let line = Line::new(s.name, PlotPoints::from(s.points));
                        plot.line(line.color(s.colour).width(1.5));
                    }
                }
            });
    }
}

/// A chart without anything of its own: no frame, no interaction.
pub fn plain<'a>(id: &str, palette: &Palette) -> Plot<'a> {
    Plot::new(id)
        .show_background(false)
        .show_crosshair(false)
        .grid_color(palette.line)
        .grid_fade(0.0)
        .set_margin_fraction(vec2(0.0, 0.0))
        .auto_bounds(Vec2b::FALSE)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .custom_x_axes(vec![bottom_axis(palette)])
        .custom_y_axes(vec![left_axis(palette)])
        .cursor_color(palette.faint)
        .min_size(vec2(60.0, 40.0))
}

/// The size of the largest chart within `room` in which a rectangle of `size` fills the frame, both of
/// its axes to one scale.
pub fn square_fit(size: egui::Vec2, room: egui::Vec2) -> egui::Vec2 {
    /// Of the numbers below.
    const BELOW: f32 = 18.0;
    let numbers = vec2(LEFT, BELOW);
    let frame = (room - numbers).max(egui::Vec2::splat(1.0));
    let scale = (frame / size.max(egui::Vec2::splat(f32::MIN_POSITIVE))).min_elem();
    numbers + scale * size
}

/// Numbers at the left.
pub fn left_axis<'a>(palette: &Palette) -> AxisHints<'a> {
    AxisHints::new_y()
        .placement(HPlacement::Left)
        .min_thickness(LEFT)
        .tick_label_color(palette.soft)
        .tick_label_font(FontId::proportional(11.0))
        .label_spacing(Rangef::new(8.0, 12.0))
        .formatter(|mark, _| short(mark.value))
}

/// Numbers below; none right at the left end, where it would run into those of the other axis.
pub fn bottom_axis<'a>(palette: &Palette) -> AxisHints<'a> {
    AxisHints::new_x()
        .placement(VPlacement::Bottom)
        .tick_label_color(palette.soft)
        .tick_label_font(FontId::proportional(11.0))
        .label_spacing(Rangef::new(16.0, 24.0))
        .formatter(|mark, range| {
            let from_the_left = (mark.value - range.start()) / (range.end() - range.start());
            if from_the_left < 0.02 { String::new() } else { short(mark.value) }
        })
}

/// At most four round numbers along an axis.
pub fn few_marks(input: GridInput) -> Vec<GridMark> {
    let (lower, upper) = input.bounds;
    let span = upper - lower;
    if span <= 0.0 || !span.is_finite() {
        return Vec::new();
    }
    let rough = span / 4.0;
    let decade = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|f| f * decade >= rough).unwrap_or(10.0);
    let step = factor * decade;
    let first = (lower / step).ceil() as i64;
    (0..)
        .map(|k| (first + k) as f64 * step)
        .take_while(|value| *value <= upper + 1e-9 * span)
        .map(|value| GridMark { value, step_size: step })
        .collect()
}

/// Powers of ten, at most four of them.
fn power_marks(input: GridInput) -> Vec<GridMark> {
    let (lower, upper) = (input.bounds.0.ceil() as i64, input.bounds.1.floor() as i64);
    let step = ((upper - lower) / 3).max(1);
    let first = lower.div_euclid(step) * step;
    (0..)
        .map(|k| first + k * step)
        .skip_while(|power| *power < lower)
        .take_while(|power| *power <= upper)
        .map(|power| GridMark { value: power as f64, step_size: step as f64 })
        .collect()
}

/// Whole powers of ten around the values, at least two apart.
fn decades(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let (lower, upper) = values
        .filter(|v| v.is_finite())
        .fold((f64::MAX, f64::MIN), |(l, u), v| (l.min(v), u.max(v)));
    if lower > upper {
        return [-8.0, 0.0];
    }
    let (lower, upper) = ((lower - 0.1).floor(), (upper + 0.1).ceil());
    if upper - lower < 2.0 { [lower - 1.0, upper] } else { [lower, upper] }
}

fn logarithmic(series: Series<'_>) -> Series<'_> {
    let positive = series.points.into_iter().filter(|p| p[1] > 0.0 && p[1].is_finite());
    let points: Vec<[f64; 2]> = positive.map(|[x, y]| [x, y.log10()]).collect();
    Series { points: thinned(points), ..series }
}

/// The largest of each group of neighbours, and the last point.
fn thinned(points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let group = points.len().div_ceil(MOST_POINTS);
    if group <= 1 {
        return points;
    }
    let last = points.last().copied();
    let largest = |group: &[[f64; 2]]| group.iter().copied().max_by(|a, b| a[1].total_cmp(&b[1]));
    let mut kept: Vec<[f64; 2]> = points.chunks(group).filter_map(largest).collect();
    kept.extend(last);
    kept
}

/// A line of a chart with a linear axis.
pub fn line<'a>(name: &str, x: &[f64], y: &[f64], stroke: Stroke, style: LineStyle) -> Line<'a> {
    let points: Vec<PlotPoint> = x.iter().zip(y).map(|(&x, &y)| PlotPoint::new(x, y)).collect();
    Line::new(name, PlotPoints::Owned(points)).stroke(stroke).style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whichever side of the room is short decides; the frame has the rectangle's proportions.
    #[test]
    fn a_rectangle_fits_wide_and_tall_rooms() {
        let size = vec2(2.0, 1.0);
        for (room, short) in [(vec2(900.0, 318.0), 1), (vec2(300.0, 900.0), 0)] {
            let chart = square_fit(size, room);
            assert!(
                (chart[short] - room[short]).abs() < 1e-3 && chart[1 - short] < room[1 - short]
            );
            let frame = chart - vec2(LEFT, 18.0);
            assert!((frame.x / frame.y - 2.0).abs() < 1e-3, "{frame}");
        }
    }

    #[test]
    fn long_curves_keep_their_peaks_and_their_end() {
        let mut points: Vec<[f64; 2]> = (0..5_000).map(|k| [f64::from(k), 0.0]).collect();
        points[1234][1] = 9.0;
        let thin = thinned(points);
        assert!(thin.len() <= MOST_POINTS + 1);
        assert!(thin.contains(&[1234.0, 9.0]));
        assert_eq!(thin.last(), Some(&[4999.0, 0.0]));
    }

    #[test]
    fn marks_are_few_and_round() {
        let marks = |lower, upper| {
            let input = GridInput { bounds: (lower, upper), base_step_size: 1.0 };
            few_marks(input).iter().map(|mark| mark.value).collect::<Vec<f64>>()
        };
        assert_eq!(marks(0.0, 4.0), [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(marks(-1.1, 1.1), [-1.0, 0.0, 1.0]);
        assert!(marks(1.0, 1.0).is_empty());
        let input = GridInput { bounds: (-12.0, 0.0), base_step_size: 1.0 };
        let powers: Vec<f64> = power_marks(input).iter().map(|mark| mark.value).collect();
        assert_eq!(powers, [-12.0, -8.0, -4.0, 0.0]);
        assert_eq!(decades([-6.3, -6.2].into_iter()), [-8.0, -6.0]);
    }
}
