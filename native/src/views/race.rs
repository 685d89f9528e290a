//! Two ways to solve the same problem, from one initial state, at equal wall time.

use egui::{Align, Color32, Layout, RichText, Ui};
use sketchpde::problem::{Choice, Integrator, MethodSettings, Scheme, Update};
use sketchpde::session::{Phase, Status};

use crate::app::state::{Action, State};
use crate::mirror::Rival;
use crate::theme;
use crate::widgets::chart::{LogChart, Series};
use crate::widgets::{card, format, hint};

/// Opponents of the present method, as entries of a menu.
pub fn race_menu(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.menu_button("Race", |ui| {
        ui.set_min_width(210.0);
        hint(ui, "Both from one initial state, at equal wall time:");
        for (text, key, value) in opponents(&state.mirror.problem.method) {
            if ui.button(text).clicked() {
                actions.push(Action::Race { key, value });
                ui.close();
            }
        }
    });
}

/// What differs in one setting.
fn opponents(method: &MethodSettings) -> Vec<(String, &'static str, String)> {
    let mut all = Vec::new();
    let mut add = |text: String, key, value: String| all.push((text, key, value));
    if method.scheme == Scheme::RandomFeatures {
        let deep = Scheme::StageFit.word();
        add("against a deep network".into(), "method.scheme", deep.into());
        return all;
    }
    match method.update {
        Update::RandomSparse => {
            add("against dense updates".into(), "method.update", Update::Dense.word().into());
            for s in [method.columns / 2, method.columns / 4] {
                if s >= 8 {
                    add(format!("against s = {s}"), "method.columns", s.to_string());
                }
            }
        }
        Update::Dense => {
            let word = Update::RandomSparse.word();
            add("against random sparse updates".into(), "method.update", word.into());
        }
    }
    let (text, scheme) = match method.scheme {
        Scheme::StageFit => ("against the published scheme", Scheme::ParameterOde),
        _ => ("against stage fits", Scheme::StageFit),
    };
    add(text.into(), "method.scheme", scheme.word().into());
    let (text, integrator) = match method.integrator {
        Integrator::Euler => ("against RK4", Integrator::Rk4),
        _ => ("against Euler", Integrator::Euler),
    };
    add(text.into(), "method.integrator", integrator.word().into());
    all
}

/// Who leads, and the numbers.
pub fn race(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(rival) = &state.mirror.rival else { return };
    let palette = theme::palette(ui);
    card(ui, "Race at equal wall time", "", |ui| {
        let text = RichText::new(verdict(state, rival)).text_style(egui::TextStyle::Heading);
        ui.add(egui::Label::new(text.color(palette.ink)).wrap());
        let own = state.mirror.status.as_ref();
        runner(ui, palette.accent, &rival.names[1], own);
        runner(ui, palette.good, &rival.names[0], rival.status.as_ref());
        ui.add_space(6.0);
        errors(ui, state, rival);
        if ui.button("End the race").clicked() {
            actions.push(Action::EndRace);
        }
    });
}

/// How far, how wrong, after how long.
fn runner(ui: &mut Ui, colour: Color32, name: &str, status: Option<&Status>) {
    let palette = theme::palette(ui);
    ui.spacing_mut().interact_size.y = 16.0;
    ui.horizontal(|ui| {
        let (dot, _) = ui.allocate_exact_size(egui::vec2(10.0, 16.0), egui::Sense::hover());
        ui.painter().circle_filled(dot.center(), 4.0, colour);
        ui.label(RichText::new(name).color(palette.ink));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let text = status.map(numbers).unwrap_or_default();
            ui.add(egui::Label::new(RichText::new(text).small().color(palette.soft)).truncate());
        });
    });
}

fn numbers(status: &Status) -> String {
    let error = status.error.map_or("–".to_owned(), format::short);
    format!("t {:.2}   {error}   {:.1} s", status.time, status.seconds.steps)
}

/// Errors over the seconds that each has computed.
fn errors(ui: &mut Ui, state: &State, rival: &Rival) {
    let palette = theme::palette(ui);
    let runs = [
        (rival.names[1].as_str(), palette.accent, &state.mirror.records),
        (rival.names[0].as_str(), palette.good, &rival.records),
    ];
    let last = runs.iter().filter_map(|(.., records)| records.last());
    let most = last.map(|r| r.wall_seconds).fold(1e-3, f64::max);
    let series = runs.map(|(name, colour, records)| {
        let known = records.iter().filter_map(|r| r.error.map(|error| [r.wall_seconds, error]));
        Series { name, colour, points: known.collect(), dots: false }
    });
    let chart = LogChart {
        id: "race",
        height: 90.0,
        x: 0.0..=most,
        x_name: "seconds",
        rule: None,
        cursor: None,
    };
    chart.show(ui, series.into());
}

/// Who is further, or, where both are at the end, who is right.
fn verdict(state: &State, rival: &Rival) -> String {
    let (Some(own), Some(other)) = (&state.mirror.status, &rival.status) else {
        return "On your marks".into();
    };
    let [theirs, ours] = &rival.names;
    match (own.phase, other.phase) {
        (Phase::Failed, Phase::Failed) => return "Both broke down".into(),
        (Phase::Failed, _) => return format!("{ours} broke down"),
        (_, Phase::Failed) => return format!("{theirs} broke down"),
        _ => {}
    }
    let first = |ours_first: bool| if ours_first { ours } else { theirs };
    if own.phase == Phase::Done && other.phase == Phase::Done {
        let faster = first(own.seconds.steps < other.seconds.steps);
        return match (own.space_time_error, other.space_time_error) {
            (Some(a), Some(b)) => {
                let better = first(a < b);
                let factor = f64::max(a, b) / f64::min(a, b).max(1e-300);
                format!("{faster} was faster; {better} is {} times as accurate", rough(factor))
            }
            _ => format!("{faster} was faster"),
        };
    }
    // Less than a hundredth of the way.
    if (own.time - other.time).abs() < 0.01 * (own.end - own.start) {
        return "Neck and neck".into();
    }
    format!("{} leads", first(own.time > other.time))
}

fn rough(factor: f64) -> String {
    if factor < 10.0 { format!("{factor:.1}") } else { format!("{factor:.0}") }
}
