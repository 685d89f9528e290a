//! How far the answer can be trusted, in words and numbers.

use egui::{Align, Color32, Layout, RichText, Ui};
use sketchpde::problem::ReferenceKind;
use sketchpde::reference;
use sketchpde::session::{Phase, Status};

use crate::app::state::State;
use crate::mirror::Mirror;
use crate::theme::{self, Palette};
use crate::widgets::{card, caution, format, hint};

/// A verdict and the numbers that it stands on.
pub fn trust(ui: &mut Ui, state: &State) {
    let palette = theme::palette(ui);
    card(ui, "Can I trust this?", "", |ui| {
        let verdict = verdict(state, palette);
        ui.horizontal(|ui| {
            let (dot, _) = ui.allocate_exact_size(egui::vec2(10.0, 20.0), egui::Sense::hover());
            ui.painter().circle_filled(dot.center(), 4.5, verdict.colour);
            let text = RichText::new(verdict.headline).text_style(egui::TextStyle::Heading);
            ui.add(egui::Label::new(text.color(palette.ink)).wrap());
        });
        hint(ui, verdict.reason);
        let warning = state.mirror.status.as_ref().and_then(|status| status.warning.as_ref());
        caution(ui, warning);
        ui.add_space(4.0);
        if let Some(status) = &state.mirror.status {
            numbers(ui, &state.mirror, status);
        }
    });
}

/// What a person should think.
struct Verdict {
    colour: Color32,
    headline: String,
    reason: String,
}

fn verdict(state: &State, palette: &Palette) -> Verdict {
    let mirror = &state.mirror;
    let say = |colour, headline: &str, reason: &str| Verdict {
        colour,
        headline: headline.into(),
        reason: reason.into(),
    };
    let Some(status) = &mirror.status else {
        return say(palette.faint, "Nothing yet", "The solver is starting.");
    };
    if let Some(failure) = &status.failure {
        return say(palette.bad, "It broke down", failure);
    }
    if status.phase == Phase::Fit {
        return say(
            palette.faint,
            "Learning the initial state",
            "The network is fitted to the state at the start; then the steps begin.",
        );
    }
    match status.error {
        Some(error) if error.is_finite() => measured(error, mirror, palette),
        _ => unmeasured(state, palette),
    }
}

fn measured(error: f64, mirror: &Mirror, palette: &Palette) -> Verdict {
    let digits = format::digits(error);
    let truth = match reference::kind(&mirror.problem) {
        ReferenceKind::Exact => "the exact solution",
        ReferenceKind::Characteristics => "the exact solution along characteristics",
        ReferenceKind::Gaussian => "the exact Gaussian, by the equations of its moments",
        _ => "a Fourier solution computed independently",
    };
    let (colour, headline) = match digits {
        0 => (palette.bad, "No: it is wrong".to_owned()),
        1 => (palette.second, "Roughly: one digit".to_owned()),
        2 => (palette.second, "Roughly: two digits".to_owned()),
        _ => (palette.good, format!("Yes, to {digits} digits")),
    };
    Verdict { colour, headline, reason: format!("Compared with {truth}.") }
}

fn unmeasured(state: &State, palette: &Palette) -> Verdict {
    let reason = if state.redrawn {
        "The run begins with what was drawn: nothing is known to compare it with. Choose the \
         problem again to go back to its own initial state."
    } else if state.stale {
        "A parameter or the solution itself was changed along the run: the reference is of \
         another one. Go back to the start to compare again."
    } else {
        match reference::kind(&state.mirror.problem) {
            ReferenceKind::None | ReferenceKind::Auto => {
                "There is no reference for this problem. A small residual says that the steps \
                 follow the equation, not that the answer is right."
            }
            _ => "The reference is being computed.",
        }
    };
    Verdict { colour: palette.faint, headline: "Not measured".into(), reason: reason.into() }
}

fn numbers(ui: &mut Ui, mirror: &Mirror, status: &Status) {
    let some = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), format::short);
    let precision = mirror.loaded.as_ref().map_or("", |loaded| loaded.precision.as_str());
    let last = status.last.as_ref();
    row(ui, "Error now", &some(status.error), "Relative L2 distance from the reference");
    row(
        ui,
        "Error over the run",
        &some(status.space_time_error),
        "The same over space and time together",
    );
    row(
        ui,
        "Estimated error",
        &some(status.estimated_error),
        "The same by what the run leaves undone at other points, without a reference",
    );
    row(
        ui,
        "Residual",
        &some(last.map(|r| r.residual)),
        "What the latest step's least squares could not reach",
    );
    row(
        ui,
        "Initial fit",
        &some(status.initial_error),
        "Error of the network before the first step",
    );
    let stages = last.map_or("–", |r| if r.implicit { "implicit" } else { "explicit" });
    row(ui, "Stages", stages, "How the latest step was made: implicit where the equation is stiff");
    let rank = mirror.rank().map_or_else(|| "–".to_owned(), |(r, s)| format!("{r} of {s}"));
    row(ui, "Rank", &rank, "Singular values of J above the cutoff, of one per chosen parameter");
    row(ui, "Precision", precision, tier(precision));
}

/// What a tier means.
fn tier(precision: &str) -> &'static str {
    match precision {
        "f64" => "Everything in double precision",
        "mixed" => "Jacobian in single precision, solution and residual in double",
        "f32" => "Everything in single precision: errors stay above about 1e-4",
        _ => "",
    }
}

fn row(ui: &mut Ui, name: &str, value: &str, explanation: &str) {
    let palette = theme::palette(ui);
    ui.spacing_mut().interact_size.y = 16.0;
    ui.spacing_mut().item_spacing.y = 4.0;
    let response = ui.horizontal(|ui| {
        ui.label(RichText::new(name).color(palette.soft));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(value).color(palette.ink));
        });
    });
    response.response.on_hover_text(explanation);
}
