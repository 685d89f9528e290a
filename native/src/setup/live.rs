//! Settings under which the presets move on a small machine, and the fits that go with them.
//!
//! The problem files are set for accuracy; what one watches is set for a smaller network, fewer
//! columns and steps of a length that the eye can follow, and still has four to six digits.

use sketchpde::problem::{Overrides, Preset};

/// A preset's changes and its fitted parameters.
struct Live {
    name: &'static str,
    /// For small tiles.
    short: &'static str,
    changes: &'static [(&'static str, &'static str)],
    /// f64, little endian; written by `cargo run --release -p sketchpde-native --example fits`.
    fit: &'static [u8],
}

macro_rules! live {
    ($name:literal, $short:literal, [$(($key:literal, $value:literal)),* $(,)?]) => {
        Live {
            name: $name,
            short: $short,
            changes: &[$(($key, $value)),*],
            fit: include_bytes!(concat!("../../assets/fits/", $name, ".f64")),
        }
    };
}

const LIVE: [Live; 7] = [
    live!(
        "allen-cahn",
        "Allen-Cahn",
        [
            ("network.width", "12"),
            ("network.hidden_layers", "3"),
            ("points.count", "240"),
            ("method.columns", "160"),
            ("method.integrator", "rk4"),
            ("method.tolerance", "0"),
            ("method.step", "1e-2"),
        ]
    ),
    live!(
        "burgers",
        "Burgers",
        [
            ("parameters.nu", "5e-3"),
            ("network.width", "12"),
            ("network.hidden_layers", "3"),
            ("points.count", "300"),
            ("method.columns", "200"),
            ("method.integrator", "rk4"),
            ("method.tolerance", "0"),
            ("method.step", "1e-2"),
        ]
    ),
    live!(
        "kdv",
        "KdV soliton",
        [
            ("network.width", "14"),
            ("network.hidden_layers", "2"),
            ("method.columns", "200"),
            ("method.tolerance", "1e-4"),
        ]
    ),
    live!("kuramoto-sivashinsky", "Kuramoto-Siv.", []),
    live!(
        "advection-diffusion-2d",
        "Wind in 2D",
        [
            ("fit.tolerance", "1e-6"),
            ("network.width", "12"),
            ("network.hidden_layers", "2"),
            ("points.count", "[20, 20]"),
            ("method.columns", "180"),
            ("method.integrator", "rk4"),
            ("method.tolerance", "0"),
            ("method.step", "5e-3"),
        ]
    ),
    live!(
        "vlasov",
        "Vlasov",
        [
            ("fit.tolerance", "1e-5"),
            ("network.width", "14"),
            ("network.hidden_layers", "2"),
            ("points.count", "[24, 40]"),
            ("method.columns", "300"),
            ("method.integrator", "rk4"),
            ("method.tolerance", "0"),
            ("method.step", "1e-2"),
        ]
    ),
    live!("heat-dirichlet", "Heated rod", []),
];

fn find(preset: &str) -> Option<&'static Live> {
    LIVE.iter().find(|live| live.name == preset)
}

/// Changes to the preset of that name, none for one that is not known here.
#[must_use]
pub fn settings(preset: &str) -> Overrides {
    let changes = find(preset).map_or(&[][..], |live| live.changes);
    changes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Whether the preset of that name is shown as a tile, with its initial state fitted beforehand. The
/// others are opened from a file or a link.
#[must_use]
pub fn is_shown(preset: &Preset) -> bool {
    find(preset.name).is_some()
}

/// A name that fits on a small tile.
#[must_use]
pub fn short_name(preset: &Preset) -> &'static str {
    find(preset.name).map_or(preset.title, |live| live.short)
}

/// Fitted parameters for the preset under its [`settings`].
#[must_use]
pub fn fit(preset: &str) -> Option<Vec<f64>> {
    let (chunks, rest) = find(preset)?.fit.as_chunks::<8>();
    let fit: Vec<f64> = chunks.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    (rest.is_empty() && !fit.is_empty()).then_some(fit)
}
