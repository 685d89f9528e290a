//! Error, residual and step length along the run.

use egui::Ui;
use sketchpde::output::StepRecord;

use crate::app::state::State;
use crate::theme;
use crate::widgets::chart::{LogChart, Series};
use crate::widgets::{card, format};

/// Three charts over the time of the equation.
pub fn histories(ui: &mut Ui, state: &State) {
    let palette = theme::palette(ui);
    let records = &state.mirror.records;
    let last = records.last();
    let known = records.iter().rev().find_map(|record| record.error);
    let value = |value: Option<f64>| value.map(format::short).unwrap_or_default();
    chart(ui, state, "Error", &value(known), palette.second, |r| r.error);
    let residual = value(last.map(|r| r.residual));
    chart(ui, state, "Residual", &residual, palette.accent, |r| Some(r.residual));
    let step = value(last.map(|r| r.dt));
    chart(ui, state, "Step length", &step, palette.soft, |r| Some(r.dt));
}

fn chart(
    ui: &mut Ui,
    state: &State,
    name: &str,
    latest: &str,
    colour: egui::Color32,
    of: impl Fn(&StepRecord) -> Option<f64>,
) {
    card(ui, name, latest, |ui| {
        let records = &state.mirror.records;
        let points = records.iter().filter_map(|r| of(r).map(|value| [r.time, value])).collect();
        let span = state.mirror.problem.time;
        let chart = LogChart {
            id: name,
            height: 84.0,
            x: span.start..=span.end,
            x_name: "t",
            rule: None,
            cursor: state.scrub.map(|_| state.time()),
        };
        chart.show(ui, vec![Series { name, colour, points, dots: false }]);
    });
}
