//! Where the views stand: panels beside the picture on a screen, tabs below it on a phone.

use egui::{CentralPanel, Frame, Margin, Panel, ScrollArea, Ui};

use super::state::{Action, State, Tab};
use crate::theme::{self, GAP};
use crate::views::{self, Pictures};
use crate::widgets::{card, choice};

/// Windows narrower than this are laid out for a phone.
const NARROW: f32 = 820.0;
const LEFT: f32 = 288.0;
const RIGHT: f32 = 300.0;

pub(super) fn show(
    ui: &mut Ui,
    state: &mut State,
    pictures: &mut Pictures,
    actions: &mut Vec<Action>,
) {
    let narrow = ui.available_width() < NARROW;
    let palette = theme::palette(ui);
    let bar = Frame::new().fill(palette.panel).inner_margin(Margin::symmetric(14, 0));
    Panel::top("bar").exact_size(46.0).frame(bar).resizable(false).show(ui, |ui| {
        views::top_bar(ui, state, narrow, actions);
    });
    if state.banner.is_some() {
        Panel::top("banner").frame(Frame::new().fill(palette.card)).resizable(false).show(
            ui,
            |ui| {
                views::banner(ui, state);
            },
        );
    }
    Panel::bottom("status").exact_size(26.0).frame(bar).resizable(false).show(ui, |ui| {
        views::status(ui, state, narrow);
    });
    match narrow {
        _ if state.training.is_some() => train(ui, state, pictures, narrow, actions),
        true => phone(ui, state, pictures, actions),
        false => desk(ui, state, pictures, actions),
    }
    notices(ui, state, narrow, actions);
}

fn side(palette: &theme::Palette) -> Frame {
    Frame::new().fill(palette.panel).inner_margin(Margin::same(GAP as i8))
}

fn desk(ui: &mut Ui, state: &mut State, pictures: &mut Pictures, actions: &mut Vec<Action>) {
    let palette = theme::palette(ui);
    if state.panels {
        Panel::left("left").exact_size(LEFT).resizable(false).frame(side(palette)).show(ui, |ui| {
            column(ui, |ui| {
                problem(ui, state, pictures, actions);
                card(ui, "Method", "", |ui| views::method(ui, state, actions));
            });
        });
        Panel::right("right").exact_size(RIGHT).resizable(false).frame(side(palette)).show(
            ui,
            |ui| {
                column(ui, |ui| {
                    views::race(ui, state, actions);
                    views::trust(ui, state);
                    views::network(ui, state);
                    views::histories(ui, state);
                    views::spectrum(ui, state);
                });
            },
        );
    }
    let frame = Frame::new().fill(palette.ground).inner_margin(Margin::symmetric(18, 12));
    CentralPanel::no_frame().frame(frame).show(ui, |ui| {
        views::heading(ui, state, false);
        ui.add_space(4.0);
        let height = ui.available_height() - 56.0;
        views::picture(ui, state, pictures, height, actions);
        ui.add_space(6.0);
        views::transport(ui, state, false, actions);
    });
}

fn phone(ui: &mut Ui, state: &mut State, pictures: &mut Pictures, actions: &mut Vec<Action>) {
    let palette = theme::palette(ui);
    let sheet = (ui.available_height() * 0.42).max(180.0);
    Panel::bottom("sheet").exact_size(sheet).resizable(false).frame(side(palette)).show(ui, |ui| {
        let tabs = [
            (Tab::Problem, "Problem", ""),
            (Tab::Method, "Method", ""),
            (Tab::Trust, "Trust", ""),
            (Tab::Network, "Network", ""),
        ];
        if let Some(tab) = choice(ui, "Show", state.tab, &tabs) {
            actions.push(Action::Tab(tab));
        }
        ui.add_space(4.0);
        column(ui, |ui| match state.tab {
            Tab::Problem => problem(ui, state, pictures, actions),
            Tab::Method => card(ui, "Method", "", |ui| views::method(ui, state, actions)),
            Tab::Trust => {
                views::race(ui, state, actions);
                views::trust(ui, state);
                views::histories(ui, state);
            }
            Tab::Network => {
                views::network(ui, state);
                views::spectrum(ui, state);
            }
        });
    });
    let frame = Frame::new().fill(palette.ground).inner_margin(Margin::symmetric(12, 8));
    CentralPanel::no_frame().frame(frame).show(ui, |ui| {
        views::heading(ui, state, true);
        let height = ui.available_height() - 54.0;
        views::picture(ui, state, pictures, height, actions);
        ui.add_space(4.0);
        views::transport(ui, state, true, actions);
    });
}

/// A problem that is solved over its whole domain at once.
fn train(
    ui: &mut Ui,
    state: &State,
    pictures: &mut Pictures,
    narrow: bool,
    actions: &mut Vec<Action>,
) {
    let Some(training) = &state.training else { return };
    let palette = theme::palette(ui);
    let numbers = |ui: &mut Ui| {
        views::training_trust(ui, training);
        views::training_histories(ui, training);
    };
    if narrow {
        let sheet = (ui.available_height() * 0.42).max(180.0);
        let panel = Panel::bottom("sheet").exact_size(sheet).resizable(false);
        panel.frame(side(palette)).show(ui, |ui| {
            column(ui, |ui| {
                numbers(ui);
                problems(ui, state, pictures, actions);
                card(ui, "Method", "", |ui| views::training_method(ui, state, training, actions));
            });
        });
    } else if state.panels {
        let panel = Panel::left("left").exact_size(LEFT).resizable(false);
        panel.frame(side(palette)).show(ui, |ui| {
            column(ui, |ui| {
                problems(ui, state, pictures, actions);
                card(ui, "Method", "", |ui| views::training_method(ui, state, training, actions));
            });
        });
        let panel = Panel::right("right").exact_size(RIGHT).resizable(false);
        panel.frame(side(palette)).show(ui, |ui| column(ui, numbers));
    }
    let margin = if narrow { Margin::symmetric(12, 8) } else { Margin::symmetric(18, 12) };
    let frame = Frame::new().fill(palette.ground).inner_margin(margin);
    CentralPanel::no_frame().frame(frame).show(ui, |ui| {
        views::training_heading(ui, training, narrow);
        ui.add_space(4.0);
        let height = ui.available_height() - 56.0;
        views::training_picture(ui, state, training, pictures, height, actions);
        ui.add_space(6.0);
        views::training_transport(ui, state, training, actions);
    });
}

/// The built-in problems of both kinds.
fn problems(ui: &mut Ui, state: &State, pictures: &Pictures, actions: &mut Vec<Action>) {
    card(ui, "Problems", "", |ui| {
        views::presets(ui, state, pictures, actions);
        ui.add_space(4.0);
        views::training_presets(ui, state, actions);
    });
}

/// What is solved.
fn problem(ui: &mut Ui, state: &mut State, pictures: &Pictures, actions: &mut Vec<Action>) {
    problems(ui, state, pictures, actions);
    card(ui, "State your own", "", |ui| views::equation(ui, state, actions));
    if !state.mirror.problem.parameters.is_empty() {
        card(ui, "Parameters", "", |ui| views::parameters(ui, state, actions));
    }
}

/// Blocks below each other that scroll where there is no room for them.
fn column(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        add(ui);
    });
}

/// Notices float over the picture, so that nothing jumps when one comes.
fn notices(ui: &Ui, state: &State, narrow: bool, actions: &mut Vec<Action>) {
    if state.notices.is_empty() {
        return;
    }
    let width = if narrow { ui.ctx().content_rect().width() - 24.0 } else { 460.0 };
    egui::Area::new(egui::Id::unique("notices"))
        .anchor(egui::Align2::CENTER_TOP, [0.0, 56.0])
        .order(egui::Order::Foreground)
        .show(ui.ctx(), |ui| {
            ui.set_width(width);
            views::notices(ui, state, actions);
        });
}
