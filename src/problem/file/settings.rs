//! The sections that say how a problem is solved. All of them have defaults.

use super::document::Place;
use super::reader::{Counted, Reader, Section};
use crate::expression::Expression;
use crate::residual::ResidualIssue;
use crate::settings::{
    Activation, Architecture, ArchitectureSettings, Choice, Density, FitMethod, FitSettings,
    FourierSettings, Integrator, MOST_FIT_ERROR, MethodSettings, NetworkSettings, PointLayout,
    PointSettings, ReferenceKind, ReferenceSettings, Regularisation, Sampling, Scheme, Solver,
    Update,
};
use crate::{Boundary, Coordinate, SettingIssue, TimeSpan};

/// The most points of a problem: 80 MB per coordinate.
pub(super) const MAX_POINTS: usize = 10_000_000;
/// The most parameters of a network.
pub(super) const MAX_NETWORK: usize = 16_777_216;
/// The most columns: the least-squares problem has the square of it in memory.
const MAX_COLUMNS: u64 = 20_000;
/// What stands in place of a number of columns where the run chooses it.
const AUTO: &str = "auto";
/// Columns where the file says nothing, in a network that has as many parameters.
const DEFAULT_COLUMNS: usize = 400;
/// Columns that a run which chooses them begins with.
const FIRST_COLUMNS: usize = 100;
/// The most entries of a Gaussian sketch of the parameters: 1 GiB.
const MAX_SKETCH: usize = 1 << 27;
/// The most time steps.
const MAX_STEPS: f64 = 1e8;
/// So many drawn points at least for every dimension and one more: proposals are differences of
/// points, which must span the space.
const LEAST_WALKERS: usize = 8;
/// Coordinates of the problems whose scheme a run chooses, at most: beyond them the waves of a solution
/// are too many for a layer of features.
const MOST_COORDINATES: usize = 3;
/// Keys of `[method]` that random features do without.
const OF_OTHER_SCHEMES: &[&str] = &[
    "update",
    "columns",
    "sampling",
    "integrator",
    "rcond",
    "solver",
    "regularisation",
    "corrections",
    "refit_every",
];

pub(super) struct Settings {
    pub network: NetworkSettings,
    pub points: PointSettings,
    pub fit: FitSettings,
    pub method: MethodSettings,
    pub reference: ReferenceSettings,
}

impl Settings {
    pub(super) fn read<'a>(
        reader: &mut Reader<'a>,
        top: &mut Section<'a>,
        coordinates: &[Coordinate],
        time: Option<TimeSpan>,
        exact: &Option<Vec<Expression>>,
        unknowns: usize,
    ) -> Self {
        let periodic = coordinates.iter().filter(|c| c.boundary == Boundary::Periodic).count();
        let given = Given::of(top, coordinates);
        let network = network(reader, top, coordinates, given.scheme);
        let slopes: usize = coordinates.iter().map(Coordinate::features).sum();
        let parameters = network.parameters(periodic, slopes, unknowns);
        let flux = coordinates.iter().find(|c| c.flat_ends().iter().any(Option::is_some));
        if let Some(c) = flux
            && network.architecture.fourier.is_some()
        {
            let (place, name) = (top.place_of("network"), c.name.clone());
            reader.report(&place, SettingIssue::FourierOnFlux { name });
        }
        if parameters > MAX_NETWORK {
            let place = top.place_of("network");
            let limit = MAX_NETWORK;
            reader.report(&place, SettingIssue::NetworkTooLarge { parameters, limit });
        }
        let points = match given.scheme {
            Scheme::RandomFeatures => points_of_features(reader, top, &network, coordinates.len()),
            _ => points(reader, top, coordinates.len()),
        };
        let drawn = points.layout == PointLayout::Adaptive;
        let fit = fit(reader, top, if drawn { 1 } else { coordinates.len() });
        let place = top.place_of("method");
        let method = method(reader, top, parameters, (time, given, network.width));
        if drawn && method.refit_every.is_some() {
            reader.report(&place, SettingIssue::RefitsOfAdaptive);
        }
        Self {
            network,
            points,
            fit,
            method,
            reference: reference(
                reader,
                top,
                coordinates.len() <= 3 && periodic == coordinates.len(),
                exact,
            ),
        }
    }
}

/// What a file says of how an evolution is solved: by which scheme, or that the run may choose.
#[derive(Clone, Copy)]
struct Given {
    scheme: Scheme,
    chooses: bool,
}

impl Given {
    fn of(top: &Section<'_>, coordinates: &[Coordinate]) -> Self {
        let word = top.text_in("method", "scheme");
        let named = Scheme::WORDS.iter().find(|(scheme, _)| Some(*scheme) == word);
        let silent = ["network", "points"].iter().all(|section| !top.has(section));
        let only = |section, keys: &[&str]| top.keys_in(section).iter().all(|k| keys.contains(k));
        let open = coordinates.iter().any(|c| c.boundary == Boundary::Open);
        let double = matches!(top.text_in("run", "precision"), None | Some("auto" | "f64"));
        Self {
            scheme: named.map_or(Scheme::StageFit, |(_, scheme)| *scheme),
            chooses: word.is_none()
                && silent
                && only("method", &["tolerance"])
                && only("fit", &["accept"])
                && coordinates.len() <= MOST_COORDINATES
                && !open
                && double,
        }
    }
}

fn network<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    coordinates: &[Coordinate],
    scheme: Scheme,
) -> NetworkSettings {
    let mut section = reader.section(top, "network");
    let all_periodic = coordinates.iter().all(|c| c.boundary == Boundary::Periodic);
    if scheme == Scheme::RandomFeatures {
        refuse(reader, &section, &["hidden_layers", "activation", "architecture", "fourier"]);
        let width = reader.count(&mut section, "width", [1, 4096]);
        reader.finish(section);
        let usual = NetworkSettings::of_features(coordinates.len());
        return NetworkSettings { width: width.map_or(usual.width, |w| w as usize), ..usual };
    }
    let width = reader.count(&mut section, "width", [1, 4096]).unwrap_or(25);
    let hidden_layers = reader.count(&mut section, "hidden_layers", [0, 64]).unwrap_or(5);
    let activation = reader.choice(&mut section, "activation").unwrap_or(Activation::Rational);
    let architecture = architecture(reader, &mut section, activation, all_periodic);
    reader.finish(section);
    let (width, hidden_layers) = (width as usize, hidden_layers as usize);
    NetworkSettings { width, hidden_layers, activation, architecture }
}

/// Those of the largest space: a run has as many as its features ask for.
fn points_of_features<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    network: &NetworkSettings,
    dimensions: usize,
) -> PointSettings {
    let section = reader.section(top, "points");
    refuse(reader, &section, &["layout", "count", "density", "resample"]);
    let (layout, count) = PointSettings::of_features(network.width, dimensions);
    PointSettings { layout, count, density: Density::default(), resample: 5 }
}

/// Says of keys that random features do not read that they are in vain.
fn refuse(reader: &mut Reader<'_>, section: &Section<'_>, keys: &'static [&'static str]) {
    for first in keys.iter().filter(|key| section.has(key)) {
        let second = "method.scheme = \"random-features\"";
        reader.report(&section.place_of(first), ResidualIssue::Exclusive { first, second });
    }
}

/// The form of the network.
pub(super) fn architecture<'a>(
    reader: &mut Reader<'a>,
    section: &mut Section<'a>,
    activation: Activation,
    all_periodic: bool,
) -> ArchitectureSettings {
    let place = section.place_of("architecture");
    let kind = reader.choice(section, "architecture").unwrap_or_default();
    if kind == Architecture::ModifiedMlp && activation == Activation::Rational {
        let (first, second) = ("architecture = \"modified-mlp\"", "a trainable activation");
        reader.report(&place, ResidualIssue::Exclusive { first, second });
    }
    let place = section.place_of("fourier");
    let mut inner = reader.section(section, "fourier");
    if inner.is_empty() {
        return ArchitectureSettings { kind, fourier: None };
    }
    let count = reader.count(&mut inner, "count", [1, 4096]).unwrap_or(32) as usize;
    let scale = reader.number(&mut inner, "scale", "a positive number", |v| v > 0.0);
    reader.finish(inner);
    if all_periodic {
        let (first, second) = ("fourier", "a domain whose coordinates all are periodic");
        reader.report(&place, ResidualIssue::Exclusive { first, second });
    }
    let fourier = Some(FourierSettings { count, scale: scale.unwrap_or(1.0) });
    ArchitectureSettings { kind, fourier }
}

fn points<'a>(reader: &mut Reader<'a>, top: &mut Section<'a>, dimensions: usize) -> PointSettings {
    let mut section = reader.section(top, "points");
    let by_dimension = match dimensions {
        0..=1 => (PointLayout::Grid, 600),
        2 => (PointLayout::Grid, 64),
        _ => (PointLayout::Sobol, 16_384),
    };
    let layout = reader.choice(&mut section, "layout").unwrap_or(by_dimension.0);
    let default = match layout {
        PointLayout::Grid if dimensions > 2 => 16,
        PointLayout::Adaptive => 2_048,
        PointLayout::Random | PointLayout::Sobol if dimensions < 3 => 4096,
        PointLayout::Following if dimensions == 2 => 4096,
        _ => by_dimension.1,
    };
    let place = section.place_of("count");
    let count = reader.counts(&mut section, "count", [1, MAX_POINTS as u64]);
    let adaptive = layout == PointLayout::Adaptive;
    let following = layout == PointLayout::Following;
    let layouts: &'static [&'static str] = &["adaptive", "following"];
    for (key, fits, layouts) in
        [("density", adaptive, &layouts[..1]), ("resample", adaptive || following, layouts)]
    {
        if section.has(key) && !fits {
            reader.report(&section.place_of(key), SettingIssue::OtherLayout { key, layouts });
        }
    }
    let density = reader.choice(&mut section, "density").unwrap_or_default();
    let resample = reader.count(&mut section, "resample", [1, 1_000_000]).unwrap_or(5) as usize;
    reader.finish(section);
    let count = count.unwrap_or(vec![default]);
    let least = LEAST_WALKERS * (dimensions + 1);
    if adaptive && count.iter().product::<usize>() < least {
        let (key, found) = ("points.count".into(), count[0].to_string());
        let allowed = format!("at least {least} points that are drawn, to span the space");
        reader.report(&place, SettingIssue::OutOfRange { key, found, allowed });
    }
    let entries = if layout == PointLayout::Grid { dimensions } else { 1 };
    check_counts(reader, "points.count", &count, entries, &place);
    let factors = if count.len() == 1 && layout == PointLayout::Grid {
        vec![count[0]; dimensions]
    } else {
        count.clone()
    };
    check_total(reader, &factors, MAX_POINTS, &place);
    PointSettings { layout, count, density, resample }
}

pub(super) fn check_counts(
    reader: &mut Reader<'_>,
    key: &'static str,
    count: &[usize],
    dimensions: usize,
    place: &Place,
) {
    if dimensions > 0 && count.len() != 1 && count.len() != dimensions {
        let found = count.len();
        reader.report(place, SettingIssue::CountEntries { key, found, dimensions });
    }
}

pub(super) fn check_total(reader: &mut Reader<'_>, factors: &[usize], limit: usize, place: &Place) {
    let total = factors.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
    if total.is_none_or(|total| total > limit) {
        let points = factors.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
        reader.report(place, SettingIssue::TooManyPoints { points, limit });
    }
}

fn fit<'a>(reader: &mut Reader<'a>, top: &mut Section<'a>, dimensions: usize) -> FitSettings {
    let mut section = reader.section(top, "fit");
    let method = reader.choice(&mut section, "method").unwrap_or(FitMethod::LevenbergMarquardt);
    let tolerance = reader
        .number(&mut section, "tolerance", "a number between 0 and 1", |v| v > 0.0 && v < 1.0)
        .unwrap_or(5e-7);
    let accept = reader
        .number(&mut section, "accept", "a positive number, for example 0.1", |v| v > 0.0)
        .unwrap_or(MOST_FIT_ERROR);
    let max_iterations =
        reader.count(&mut section, "max_iterations", [1, 10_000_000]).unwrap_or(1000);
    let place = section.place_of("count");
    let count = reader.counts(&mut section, "count", [1, MAX_POINTS as u64]).unwrap_or_default();
    reader.finish(section);
    if !count.is_empty() {
        check_counts(reader, "fit.count", &count, dimensions, &place);
        let each = if count.len() == 1 { vec![count[0]; dimensions] } else { count.clone() };
        check_total(reader, &each, MAX_POINTS, &place);
    }
    FitSettings { method, tolerance, accept, max_iterations: max_iterations as usize, count }
}

fn method<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    parameters: usize,
    (time, given, width): (Option<TimeSpan>, Given, usize),
) -> MethodSettings {
    let mut section = reader.section(top, "method");
    if given.scheme == Scheme::RandomFeatures {
        refuse(reader, &section, OF_OTHER_SCHEMES);
    }
    let scheme = reader.choice(&mut section, "scheme").unwrap_or(Scheme::StageFit);
    let update = reader.choice(&mut section, "update").unwrap_or(Update::RandomSparse);
    let place = section.place_of("columns");
    let columns = reader.count_or(&mut section, "columns", AUTO, [1, MAX_COLUMNS]);
    let adaptive_columns = columns == Some(Counted::Word);
    let columns = columns.and_then(Counted::number);
    if let Some(columns) = columns.map(|c| c as usize)
        && columns > parameters
    {
        reader.report(&place, SettingIssue::TooManyColumns { columns, parameters });
    }
    if adaptive_columns && update == Update::Dense {
        reader.report(&place, SettingIssue::NothingToChoose);
    }
    let place = section.place_of("sampling");
    let sampling: Sampling = reader.choice(&mut section, "sampling").unwrap_or_default();
    if update == Update::Dense && sampling != Sampling::Uniform {
        reader.report(&place, SettingIssue::NothingToSample { sampling: sampling.word() });
    }
    let first = if adaptive_columns { FIRST_COLUMNS } else { DEFAULT_COLUMNS };
    let first = match given.scheme {
        Scheme::RandomFeatures => width,
        _ => first,
    };
    let columns = columns.map_or(parameters.min(first), |c| c as usize);
    let sketch = if adaptive_columns { parameters } else { columns }.saturating_mul(parameters);
    if sampling == Sampling::Gaussian && sketch > MAX_SKETCH {
        reader.report(&place, SettingIssue::SketchTooLarge { entries: sketch, limit: MAX_SKETCH });
    }
    let (integrator, step, tolerance) = stepping(reader, &mut section, scheme, time);
    let rcond = reader
        .number(&mut section, "rcond", "a number between 0 and 1", |v| v > 0.0 && v < 1.0)
        .unwrap_or(match scheme {
            Scheme::StageFit => 1e-7,
            Scheme::ParameterOde => 1e-5,
            Scheme::RandomFeatures => MethodSettings::FEATURE_CUTOFF,
        });
    let solver = reader.choice(&mut section, "solver").unwrap_or(Solver::Auto);
    let place = section.place_of("regularisation");
    let regularisation = reader.choice(&mut section, "regularisation").unwrap_or_default();
    if solver == Solver::NystromCg && regularisation == Regularisation::Truncate {
        reader.report(&place, SettingIssue::AlwaysDamps { solver: solver.word() });
    }
    let corrections = reader.count(&mut section, "corrections", [1, 100]).unwrap_or(6);
    let refit_every = reader.count(&mut section, "refit_every", [0, 100_000_000]).unwrap_or(0);
    reader.finish(section);
    MethodSettings {
        scheme,
        chooses_scheme: given.chooses,
        update,
        columns,
        adaptive_columns: adaptive_columns || given.scheme == Scheme::RandomFeatures,
        sampling,
        integrator,
        step,
        tolerance,
        rcond,
        solver,
        regularisation,
        corrections: corrections as usize,
        refit_every: (refit_every > 0).then_some(refit_every as usize),
    }
}

/// How the steps are made: integrator, step size, tolerance (none for fixed steps).
fn stepping<'a>(
    reader: &mut Reader<'a>,
    section: &mut Section<'a>,
    scheme: Scheme,
    time: Option<TimeSpan>,
) -> (Integrator, f64, Option<f64>) {
    let span = time.map_or(1.0, |time| time.end - time.start);
    // A step size without a tolerance means fixed steps; who says nothing gets controlled ones.
    let (step_given, tolerance_given) = (section.has("step"), section.has("tolerance"));
    let fixed = step_given && !tolerance_given;
    let usual = match scheme {
        _ if fixed => Integrator::Rk4,
        Scheme::StageFit | Scheme::RandomFeatures => Integrator::Auto,
        Scheme::ParameterOde => Integrator::DormandPrince,
    };
    let place = section.place_of("integrator");
    let integrator = reader.choice(section, "integrator").unwrap_or(usual);
    if integrator.is_implicit() && scheme == Scheme::ParameterOde {
        let integrator = integrator.word();
        reader.report(&place, SettingIssue::ImplicitParameterOde { integrator });
    }
    let controlled = integrator.estimates() && !step_given && !tolerance_given;
    let enough = |step: f64| step > 0.0 && span / step <= MAX_STEPS;
    let allowed = "a positive number, and large enough for at most 1e8 steps";
    let step = reader.number(section, "step", allowed, enough).unwrap_or(span / 400.0);
    let place = section.place_of("tolerance");
    let tolerance = reader
        .number(section, "tolerance", "0 (fixed steps) or a number below 1", |v| {
            (0.0..1.0).contains(&v)
        })
        .or(controlled.then_some(match scheme {
            Scheme::RandomFeatures => MethodSettings::FEATURE_TOLERANCE,
            _ => MethodSettings::TOLERANCE,
        }))
        .filter(|&tolerance| tolerance > 0.0);
    // A stage fit has its own residual to go by.
    let estimated = integrator.estimates() || scheme != Scheme::ParameterOde;
    if tolerance.is_some() && !estimated {
        let integrator = integrator.word();
        reader.report(&place, SettingIssue::NoErrorEstimate { integrator });
    }
    (integrator, step, tolerance)
}

fn reference<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    spectral_possible: bool,
    exact: &Option<Vec<Expression>>,
) -> ReferenceSettings {
    let mut section = reader.section(top, "reference");
    let place = section.place_of("kind");
    let kind = reader.choice(&mut section, "kind").unwrap_or(ReferenceKind::Auto);
    if kind == ReferenceKind::Exact && exact.is_none() && !top.has("exact") {
        reader.report(&place, SettingIssue::NoExactSolution);
    }
    if kind == ReferenceKind::Spectral && !spectral_possible {
        reader.report(&place, SettingIssue::NoSpectralReference);
    }
    let modes = reader.count(&mut section, "modes", [8, 65_536]).map(|modes| modes as usize);
    let step = reader.number(&mut section, "step", "a positive number", |v| v > 0.0);
    reader.finish(section);
    ReferenceSettings { kind, modes, step }
}
