//! The built-in problems: ordinary problem files, so that a user can copy one and edit it.

use super::nearest::nearest;
use super::{Origin, ProblemError, ProblemErrors, SettingIssue};

/// A built-in problem file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// As on the command line.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// How many unknowns it has.
    pub unknowns: usize,
    /// The file.
    pub text: &'static str,
}

macro_rules! preset {
    ($name:literal, $title:literal) => {
        preset!($name, $title, 1)
    };
    ($name:literal, $title:literal, $unknowns:literal) => {
        Preset {
            name: $name,
            title: $title,
            unknowns: $unknowns,
            text: sketchpde_assets::text(concat!("problems/", $name, ".toml")),
        }
    };
}

const PRESETS: [Preset; 10] = [
    preset!("allen-cahn", "Allen-Cahn equation"),
    preset!("burgers", "Burgers' equation"),
    preset!("kdv", "Korteweg-de Vries equation: a soliton"),
    preset!("kuramoto-sivashinsky", "Kuramoto-Sivashinsky equation"),
    preset!("advection-diffusion-2d", "Advection and diffusion in two dimensions"),
    preset!("heat-dirichlet", "Heat equation between two fixed temperatures"),
    preset!("brusselator", "Brusselator: two reacting substances", 2),
    preset!("vlasov", "Vlasov equation in a fixed potential"),
    preset!("fokker-planck-5d", "Fokker-Planck equation in 5 dimensions"),
    preset!("fokker-planck-8d", "Fokker-Planck equation in 8 dimensions"),
];

const RESIDUAL_PRESETS: [Preset; 13] = [
    preset!("poisson-2d", "Poisson's equation on a square"),
    preset!("heat", "Heat equation in space-time"),
    preset!("nonlinear-bvp", "A nonlinear boundary value problem"),
    preset!("nonlinear-bvp-energy", "A nonlinear boundary value problem by its energy"),
    preset!("transport", "Transport of a wave at speed 30"),
    preset!("laplace-5d", "Poisson's equation in five dimensions"),
    preset!("allen-cahn-pinn", "Allen-Cahn equation in space-time"),
    preset!("burgers-pinn", "Burgers' equation in space-time"),
    preset!("allen-cahn-space-time", "Allen-Cahn evolution, all times at once"),
    preset!("burgers-space-time", "Burgers evolution, all times at once"),
    preset!("wave", "Wave equation"),
    preset!("kovasznay", "Kovasznay flow: Navier-Stokes behind a grid", 3),
    preset!("helmholtz-2d", "Helmholtz equation on a square"),
];

#[cfg(not(target_arch = "wasm32"))]
macro_rules! benchmark {
    ($file:literal, $title:literal, $unknowns:literal) => {
        Preset {
            name: concat!("pinnacle-", $file),
            title: $title,
            unknowns: $unknowns,
            text: sketchpde_assets::text(concat!("problems/pinnacle/", $file, ".toml")),
        }
    };
}

#[cfg(not(target_arch = "wasm32"))]
const BENCHMARKS: &[Preset] = &[
    benchmark!("poisson2d-c", "PINNacle: Laplace around four discs", 1),
    benchmark!("pb2d-cg", "PINNacle: Poisson-Boltzmann around four discs", 1),
    benchmark!("ns2d-c", "PINNacle: a cavity with a moving lid", 3),
    benchmark!("wave1d", "PINNacle: a string of two notes", 1),
    benchmark!("poisson-5d", "PINNacle: Poisson in five dimensions", 1),
    benchmark!("heat2d-cg", "PINNacle: a plate with seventeen holes", 1),
    benchmark!("heat-5d", "PINNacle: heat in a ball of five dimensions", 1),
    benchmark!("burgers1d", "PINNacle: Burgers' equation", 1),
    benchmark!("ks", "PINNacle: Kuramoto-Sivashinsky equation", 1),
    benchmark!("heat2d-ms", "PINNacle: heat with two scales", 1),
    benchmark!("heat2d-vc", "PINNacle: heat where the conductivity varies", 1),
    benchmark!("wave2d", "PINNacle: waves in an uneven membrane", 1),
    benchmark!("poisson2d-ms", "PINNacle: Poisson in a quilt", 1),
    benchmark!("poisson3d-cg", "PINNacle: Poisson around four balls", 1),
    benchmark!("ns2d-cg", "PINNacle: a channel behind a step", 3),
    benchmark!("grayscott", "PINNacle: Gray-Scott reaction and diffusion", 2),
    benchmark!("burgers2d", "PINNacle: Burgers' equations in two dimensions", 2),
    benchmark!("pinv", "PINNacle: a conductivity from noisy values", 2),
];

/// A page does not bring them: its visitors would load a hundred kilobytes of numbers more.
#[cfg(target_arch = "wasm32")]
const BENCHMARKS: &[Preset] = &[];

/// Built-in problems of a benchmark, of both families: found by name, and in no list.
#[must_use]
pub fn benchmarks() -> &'static [Preset] {
    BENCHMARKS
}

/// Every built-in problem that is trained over the whole domain, in the order of lists.
#[must_use]
pub fn residual_presets() -> &'static [Preset] {
    &RESIDUAL_PRESETS
}

/// Every built-in evolution problem, in the order in which lists show them.
#[must_use]
pub fn presets() -> &'static [Preset] {
    &PRESETS
}

impl Preset {
    /// The built-in problem of that name.
    ///
    /// # Errors
    /// Where there is none; the nearest name is suggested.
    pub fn find(name: &str) -> Result<Self, ProblemErrors> {
        let all = || PRESETS.iter().chain(&RESIDUAL_PRESETS).chain(BENCHMARKS);
        let found = all().find(|preset| preset.name == name).copied();
        found.ok_or_else(|| {
            let known: Vec<&'static str> = all().map(|preset| preset.name).collect();
            let nearest = nearest(name, known.iter().copied());
            let nearest = nearest.and_then(|near| known.iter().find(|k| **k == near).copied());
            let issue = SettingIssue::UnknownPreset { name: name.into(), nearest, known };
            let origin = Origin::Name;
            let error = ProblemError::new(origin, name, 0..name.len(), issue.into());
            ProblemErrors { errors: vec![error] }
        })
    }
}
