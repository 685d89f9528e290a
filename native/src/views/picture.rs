//! The solution: in one dimension a curve over the space-time picture that it leaves, in two the
//! field.

use egui::{Align, Layout, RichText, Stroke, Ui};
use egui_plot::{LineStyle, PlotImage, PlotPoint};
use sketchpde::session::Phase;

use super::field::Texture;
use super::presets::{Tile, tiles};
use super::transport::look_at;
use crate::app::state::{Action, Shade, State};
use crate::theme::{self, Palette};
use crate::widgets::{chart, choice, format, hint};

/// Textures, and what else is made once.
pub struct Pictures {
    pub(super) tiles: Vec<Tile>,
    texture: Texture,
    bar: Texture,
}

impl Default for Pictures {
    fn default() -> Self {
        Self { tiles: tiles(), texture: Texture::default(), bar: Texture::default() }
    }
}

/// Room at the right for the bar that explains the colours.
const BAR: f32 = 52.0;

/// Everything between the heading and the transport.
pub fn picture(
    ui: &mut Ui,
    state: &State,
    pictures: &mut Pictures,
    height: f32,
    actions: &mut Vec<Action>,
) {
    legend(ui, state, actions);
    let height = (height - 34.0).max(80.0);
    match state.mirror.problem.dimensions() {
        1 => {
            let upper = (height * 0.46).clamp(60.0, 420.0);
            curve(ui, state, upper, actions);
            space_time(ui, state, pictures, height - upper - 6.0, actions);
        }
        2 => field(ui, state, pictures, height, actions),
        _ => {
            ui.add_space(height / 3.0);
            ui.vertical_centered(|ui| {
                hint(ui, "There is no picture in more than two dimensions; the numbers go on.");
            });
        }
    }
}

/// What the lines are, and what the colours stand for.
fn legend(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let palette = theme::palette(ui);
    ui.allocate_ui_with_layout(
        egui::vec2(ui.available_width(), 28.0),
        Layout::left_to_right(Align::Center),
        |ui| {
            // On a phone there is no room to stand over the picture itself.
            let roomy = ui.available_width() > 440.0;
            ui.add_space(if roomy { chart::LEFT } else { 0.0 });
            if state.mirror.problem.dimensions() == 1 {
                key(ui, "network", Stroke::new(2.0, palette.accent), false);
                if has_reference(state) {
                    key(ui, "reference", Stroke::new(1.5, palette.second), true);
                }
            }
            if roomy && mirror_moves(state) {
                let words = match state.mirror.problem.dimensions() {
                    1 => "Click in the plot to pull the solution there.",
                    _ => "Click in the picture to add to the solution there.",
                };
                ui.label(RichText::new(words).small().color(palette.soft));
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.add_space(if roomy { BAR - 8.0 } else { 0.0 });
                if has_reference(state) || state.shade == Shade::Error {
                    ui.allocate_ui(egui::vec2(112.0, 28.0), |ui| {
                        let unknown = &state.mirror.problem.unknown;
                        let error = format!("Colours show |{unknown} − reference|");
                        let options = [
                            (Shade::Solution, unknown.as_str(), "Colours show the solution"),
                            (Shade::Error, "error", error.as_str()),
                        ];
                        if let Some(shade) = choice(ui, "Colours", state.shade, &options) {
                            actions.push(Action::Shade(shade));
                        }
                    });
                }
            });
        },
    );
}

/// Whether the solution can be poked.
fn mirror_moves(state: &State) -> bool {
    state.mirror.phase() == Phase::Steps && state.scrub.is_none()
}

fn has_reference(state: &State) -> bool {
    state.mirror.reference.is_some() || !state.mirror.frames.reference.is_empty()
}

fn key(ui: &mut Ui, name: &str, stroke: Stroke, dashed: bool) {
    let (rect, _) = ui.allocate_exact_size(egui::vec2(22.0, 10.0), egui::Sense::hover());
    let ends = [rect.left_center(), rect.right_center()];
    if dashed {
        ui.painter().extend(egui::Shape::dashed_line(&ends, stroke, 5.0, 3.0));
    } else {
        ui.painter().line_segment(ends, stroke);
    }
    ui.label(RichText::new(name).small().color(theme::palette(ui).soft));
    ui.add_space(6.0);
}

/// u over x, now or at the frame looked at.
fn curve(ui: &mut Ui, state: &State, height: f32, actions: &mut Vec<Action>) {
    let palette = theme::palette(ui);
    let mirror = &state.mirror;
    let x = &mirror.grid.axes()[0];
    let (values, reference) = mirror.shown(state.scrub);
    let coordinate = &mirror.problem.coordinates[0];
    let (bounds, range) = (coordinate.lower..=coordinate.upper, mirror.range);
    let unknown = mirror.problem.unknown.clone();
    let name = coordinate.name.clone();
    let fitted = mirror.phase() != Phase::Fit;
    let latest = values.clone();
    let response = chart::plain("curve", palette)
        .height(height)
        .width(ui.available_width() - BAR)
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
        .show(ui, move |plot| {
            plot.set_plot_bounds_x(bounds);
            plot.set_plot_bounds_y(range[0]..=range[1]);
            let solid = LineStyle::Solid;
            let colour = if fitted { palette.accent } else { palette.faint };
            plot.line(chart::line("network", x, &values, Stroke::new(2.2, colour), solid));
            if let Some(reference) = reference {
                let stroke = Stroke::new(1.4, palette.second);
                let dashed = LineStyle::Dashed { length: 7.0 };
                plot.line(chart::line("reference", x, &reference, stroke, dashed));
            }
        });
    if response.response.clicked()
        && let Some(pointer) = response.response.interact_pointer_pos()
    {
        let at = response.transform.value_from_position(pointer);
        let nearest = x.partition_point(|&x| x < at.x).min(x.len() - 1);
        if let Some(u) = latest.get(nearest) {
            actions.push(Action::Poke { place: vec![at.x], height: at.y - u });
        }
    }
}

/// Colours over x and, downwards, t. A click or drag looks at that time.
fn space_time(
    ui: &mut Ui,
    state: &State,
    pictures: &mut Pictures,
    height: f32,
    actions: &mut Vec<Action>,
) {
    let palette = theme::palette(ui);
    let mirror = &state.mirror;
    let [lower, upper] = pictures.texture.space_time(ui.ctx(), mirror, state.shade, palette.panel);
    let texture = pictures.texture.id();
    let coordinate = &mirror.problem.coordinates[0];
    let span = mirror.problem.time;
    let size = [coordinate.upper - coordinate.lower, span.end - span.start];
    let centre = PlotPoint::new(coordinate.lower + size[0] / 2.0, span.start + size[1] / 2.0);
    let time = state.time();
    let bounds = coordinate.lower..=coordinate.upper;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let response = chart::plain("space-time", palette)
            .height(height)
            .width(ui.available_width() - BAR)
            .invert_y(true)
            .show_grid(false)
            .x_grid_spacer(chart::few_marks)
            .y_grid_spacer(chart::few_marks)
            .sense(egui::Sense::click_and_drag())
            .show_crosshair(false)
            .show(ui, move |plot| {
                plot.set_plot_bounds_x(bounds);
                plot.set_plot_bounds_y(span.start..=span.end);
                if let Some(texture) = texture {
                    let size = egui::vec2(size[0] as f32, size[1] as f32);
                    plot.image(PlotImage::new("space-time", texture, centre, size));
                }
                let now = egui_plot::HLine::new("time", time).allow_hover(false);
                plot.hline(now.color(palette.ink).width(1.0));
            });
        let plot = response.response;
        if (plot.clicked() || plot.dragged())
            && let Some(pointer) = plot.interact_pointer_pos()
        {
            let at = response.transform.value_from_position(pointer).y;
            look_at(state, mirror.frames.nearest(at), actions);
        }
        let frame = *response.transform.frame();
        colour_bar(ui, &mut pictures.bar, state.shade, [lower, upper], frame, palette);
    });
}

/// u over x and y.
fn field(
    ui: &mut Ui,
    state: &State,
    pictures: &mut Pictures,
    height: f32,
    actions: &mut Vec<Action>,
) {
    let palette = theme::palette(ui);
    let mirror = &state.mirror;
    let [lower, upper] = pictures.texture.field(ui.ctx(), mirror, state.scrub, state.shade);
    let texture = pictures.texture.id();
    let [x, y] = [0, 1].map(|k| &mirror.problem.coordinates[k]);
    let size = egui::vec2((x.upper - x.lower) as f32, (y.upper - y.lower) as f32);
    let centre = PlotPoint::new((x.lower + x.upper) / 2.0, (y.lower + y.upper) / 2.0);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let response = chart::plain("field", palette)
            .height(height)
            .width(ui.available_width() - BAR)
            .data_aspect(1.0)
            .show_grid(false)
            .allow_drag(true)
            .allow_zoom(true)
            .allow_double_click_reset(true)
            .default_x_bounds(x.lower, x.upper)
            .default_y_bounds(y.lower, y.upper)
            .show(ui, move |plot| {
                if let Some(texture) = texture {
                    plot.image(PlotImage::new("field", texture, centre, size));
                }
            });
        let frame = *response.transform.frame();
        colour_bar(ui, &mut pictures.bar, state.shade, [lower, upper], frame, palette);
        let plot = response.response;
        if plot.clicked()
            && let Some(pointer) = plot.interact_pointer_pos()
        {
            let at = response.transform.value_from_position(pointer);
            let height = 0.4 * (mirror.range[1] - mirror.range[0]);
            actions.push(Action::Poke { place: vec![at.x, at.y], height });
        }
    });
}

/// The colours and their values, beside `frame`.
fn colour_bar(
    ui: &mut Ui,
    bar: &mut Texture,
    shade: Shade,
    [lower, upper]: [f64; 2],
    frame: egui::Rect,
    palette: &Palette,
) {
    bar.bar(ui.ctx(), shade);
    let Some(texture) = bar.id() else { return };
    let height = frame.height().min(220.0);
    let rect = egui::Rect::from_min_size(
        frame.right_top() + egui::vec2(10.0, 0.0),
        egui::vec2(8.0, height),
    );
    let uv = egui::Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
    let painter = ui.painter();
    painter.image(texture, rect, uv, egui::Color32::WHITE);
    let font = egui::FontId::proportional(11.0);
    for (at, align, value) in [
        (rect.right_top(), egui::Align2::LEFT_TOP, upper),
        (rect.right_center(), egui::Align2::LEFT_CENTER, (lower + upper) / 2.0),
        (rect.right_bottom(), egui::Align2::LEFT_BOTTOM, lower),
    ] {
        let text = label(value, upper - lower);
        painter.text(at + egui::vec2(4.0, 0.0), align, text, font.clone(), palette.soft);
    }
}

/// As many digits as tell values of this span apart: there is little room.
fn label(value: f64, span: f64) -> String {
    if value.abs() < 0.01 * span {
        return "0".into();
    }
    if !(0.01..1000.0).contains(&span) {
        return format::scientific(value, 0);
    }
    let decimals = (1 - span.log10().floor() as i32).clamp(0, 3) as usize;
    format!("{value:.decimals$}")
}
