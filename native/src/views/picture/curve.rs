//! u over x, now or at the frame looked at, with whatever else there is to compare.

use egui::{Stroke, Ui};
use egui_plot::{LineStyle, PlotUi};
use sketchpde::session::Phase;

use super::{BAR, Pictures, switch};
use crate::app::state::{Action, State, Tools};
use crate::theme::{self, Palette};
use crate::widgets::{chart, format};

/// Switches for what dragging does, and the way back from a magnified plot.
pub fn tools(ui: &mut Ui, state: &State, pictures: &mut Pictures, actions: &mut Vec<Action>) {
    if state.mirror.grid.looks_at_a_density() {
        return;
    }
    let what = "Draw the solution with the pointer: the network is fitted to it and goes on";
    if switch(ui, state.tools.draw, "Draw", what) {
        actions.push(Action::Tools(Tools { draw: !state.tools.draw, ..state.tools }));
    }
    if pictures.moved && switch(ui, false, "Show all", "The whole curve again") {
        pictures.moved = false;
    }
}

/// The plot: a click pulls the solution, a drag moves the plot or draws, Ctrl and the wheel, or two
/// fingers, magnify.
pub fn show(
    ui: &mut Ui,
    state: &State,
    pictures: &mut Pictures,
    height: f32,
    actions: &mut Vec<Action>,
) {
    let palette = theme::palette(ui);
    let coordinate = &state.mirror.problem.coordinates[0];
    let home = [coordinate.lower..=coordinate.upper, state.mirror.range[0]..=state.mirror.range[1]];
    let lines = lines(state, palette, &pictures.stroke);
    let drawing = state.tools.draw && !state.mirror.grid.looks_at_a_density();
    let [x_bounds, y_bounds] = home.clone();
    let moved = pictures.moved;
    let response = plot(state, palette, height, ui.available_width() - BAR)
        .allow_drag(!drawing)
        .allow_zoom(true)
        .allow_boxed_zoom(true)
        .sense(egui::Sense::click_and_drag())
        .show(ui, move |plot: &mut PlotUi<'_>| {
            if !moved {
                plot.set_plot_bounds_x(x_bounds);
                plot.set_plot_bounds_y(y_bounds);
            }
            lines.into_iter().for_each(|line| plot.line(line));
        });
    let bounds = response.transform.bounds();
    let differs =
        |a: f64, b: f64, k: usize| (a - b).abs() > 1e-6 * (home[k].end() - home[k].start());
    pictures.moved = differs(bounds.min()[0], *home[0].start(), 0)
        || differs(bounds.max()[0], *home[0].end(), 0)
        || differs(bounds.min()[1], *home[1].start(), 1)
        || differs(bounds.max()[1], *home[1].end(), 1);
    let plot = response.response;
    let at = plot.interact_pointer_pos().map(|p| response.transform.value_from_position(p));
    if drawing {
        draw(&plot, at.map(|at| [at.x, at.y]), pictures, actions);
    } else if plot.clicked()
        && !state.mirror.grid.looks_at_a_density()
        && let Some(at) = at
    {
        let x = &state.mirror.grid.axes()[0];
        let nearest = x.partition_point(|&x| x < at.x).min(x.len() - 1);
        if let Some(u) = state.mirror.shown(state.scrub).0.get(nearest) {
            actions.push(Action::Poke { place: vec![at.x], height: at.y - u });
        }
    }
}

/// Collects what is drawn, and hands it over when the pointer is lifted.
fn draw(
    plot: &egui::Response,
    at: Option<[f64; 2]>,
    pictures: &mut Pictures,
    actions: &mut Vec<Action>,
) {
    if plot.drag_started() {
        pictures.stroke.clear();
        // It is the present solution that is drawn.
        actions.push(Action::Look(None));
    }
    if plot.dragged() {
        pictures.stroke.extend(at);
    }
    if plot.drag_stopped() {
        let stroke = std::mem::take(&mut pictures.stroke);
        actions.push(Action::Drawn(thinned(&stroke)));
    }
}

/// As many of the points as a link has room for, with digits that can be seen.
fn thinned(stroke: &[[f64; 2]]) -> Vec<[f32; 2]> {
    const MOST: usize = 200;
    let every = stroke.len().div_ceil(MOST).max(1);
    let last = stroke.last().filter(|_| !(stroke.len() - 1).is_multiple_of(every));
    let rounded = |value: f64| format!("{value:.4e}").parse().unwrap_or(value as f32);
    stroke.iter().step_by(every).chain(last).map(|place| place.map(rounded)).collect()
}

fn plot<'a>(state: &State, palette: &Palette, height: f32, width: f32) -> egui_plot::Plot<'a> {
    let unknown = state.mirror.grid.unknown(&state.mirror.problem).to_owned();
    let name = state.mirror.problem.coordinates[0].name.clone();
    chart::plain("curve", palette)
        .height(height)
        .width(width)
        .show_axes([false, true])
        .x_grid_spacer(chart::few_marks)
        .y_grid_spacer(chart::few_marks)
        .label_formatter(move |hover| {
            let egui_plot::HoverPosition::NearDataPoint { plot_name, position, .. } = hover else {
                return None;
            };
            let (x, u) = (format::short(position.x), format::short(position.y));
            Some(format!("{plot_name}\n{name} = {x}\n{unknown} = {u}"))
        })
}

/// Network, rival, reference and what is being drawn.
fn lines(state: &State, palette: &Palette, stroke: &[[f64; 2]]) -> Vec<egui_plot::Line<'static>> {
    let mirror = &state.mirror;
    let x = &mirror.grid.axes()[0];
    let (values, reference) = mirror.shown(state.scrub);
    let solid = LineStyle::Solid;
    let fitted = mirror.phase() != Phase::Fit;
    let colour = if fitted { palette.accent } else { palette.faint };
    let mut lines = vec![chart::line("network", x, &values, Stroke::new(2.2, colour), solid)];
    if let Some(rival) = mirror.rival.as_ref().filter(|_| state.scrub.is_none()) {
        let style = Stroke::new(1.8, palette.good);
        lines.push(chart::line(&rival.names[0], x, &rival.values, style, solid));
    }
    if let Some(reference) = reference {
        let dashed = LineStyle::Dashed { length: 7.0 };
        let style = Stroke::new(1.4, palette.second);
        lines.push(chart::line("reference", x, &reference, style, dashed));
    }
    if !stroke.is_empty() {
        let (x, u): (Vec<f64>, Vec<f64>) = stroke.iter().map(|[x, u]| (*x, *u)).unzip();
        lines.push(chart::line("drawn", &x, &u, Stroke::new(2.2, palette.ink), solid));
    }
    lines
}
