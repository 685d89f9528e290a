//! The singular values of the Jacobian, with the cutoff.

use egui::Ui;

use crate::app::state::State;
use crate::theme;
use crate::widgets::chart::{LogChart, Series};
use crate::widgets::{card, hint};

/// Relative singular values in descending order; what lies below the cutoff is grey.
pub fn spectrum(ui: &mut Ui, state: &State) {
    let palette = theme::palette(ui);
    let Some(spectrum) = &state.mirror.spectrum else {
        return card(ui, "Singular values of J", "", |ui| hint(ui, "Not computed yet."));
    };
    let largest = spectrum.singular_values.first().copied().unwrap_or(1.0);
    let relative = spectrum.singular_values.iter().map(|value| value / largest);
    let points: Vec<[f64; 2]> = relative.enumerate().map(|(k, v)| [k as f64 + 1.0, v]).collect();
    let (kept, all) = state.mirror.rank().unwrap_or_default();
    let remark = format!("{kept} of {all} kept");
    let most = points.len().max(2) as f64;
    let (above, below): (Vec<_>, Vec<_>) = points.into_iter().partition(|p| p[1] >= spectrum.rcond);
    card(ui, "Singular values of J", &remark, |ui| {
        let chart = LogChart {
            id: "spectrum",
            height: 110.0,
            x: 0.0..=most,
            x_name: "number",
            rule: Some(spectrum.rcond),
            cursor: None,
        };
        let series = |name, colour, points| Series { name, colour, points, dots: true };
        chart.show(
            ui,
            vec![series("kept", palette.accent, above), series("cut", palette.faint, below)],
        );
    });
}
