//! The sections of residual problems that say how they are solved. All of them have defaults.

use super::reader::{Reader, Section};
use super::settings::{MAX_NETWORK, architecture, check_counts, check_total};
use crate::SettingIssue;
use crate::nearest::nearest;
use crate::residual::{
    Axis, CausalSettings, EvaluationSettings, Initialisation, InputScaling, LineSearch,
    ResidualIssue, SampleLayout, SampleSettings, TrainingMethod, TrainingSettings,
};
use crate::settings::{Activation, Choice, NetworkSettings};

/// The most points of one block.
const MAX_SAMPLES: usize = 1_000_000;
/// The most columns of a sketch.
const MAX_SKETCH: u64 = 100_000;

pub(super) struct Settings {
    pub evaluation: EvaluationSettings,
    pub network: NetworkSettings,
    /// Of the network.
    pub parameters: usize,
    pub inputs: InputScaling,
    pub initialisation: Initialisation,
    pub method: TrainingSettings,
}

impl Settings {
    pub(super) fn read<'a>(
        reader: &mut Reader<'a>,
        top: &mut Section<'a>,
        axes: &[Axis],
        unknowns: usize,
        sought: bool,
    ) -> Self {
        let evaluation = evaluation(reader, top, axes.len());
        let (network, inputs, initialisation) = network(reader, top, axes, unknowns);
        let periodic = axes.iter().filter(|axis| axis.periodic).count();
        let parameters = network.parameters(periodic, axes.len() - periodic, unknowns);
        let method = method(reader, top, axes, sought);
        Self { evaluation, network, parameters, inputs, initialisation, method }
    }
}

/// The points of a block over `free` coordinates. Without `count`: 30 nodes along each coordinate
/// up to two of a whole box, else 1,000 scattered points; in all at least `fewest`.
pub(super) fn samples<'a>(
    reader: &mut Reader<'a>,
    mut section: Section<'a>,
    free: usize,
    whole_box: bool,
    walls_by_default: bool,
    fewest: usize,
) -> SampleSettings {
    let by_dimension =
        if free <= 2 && whole_box { SampleLayout::Grid } else { SampleLayout::Sobol };
    let layout = reader.choice(&mut section, "layout").unwrap_or(by_dimension);
    let place = section.place_of("count");
    let count = reader.counts(&mut section, "count", [1, MAX_SAMPLES as u64]);
    let walls = reader.boolean(&mut section, "walls").unwrap_or(walls_by_default);
    let resample_place = section.place_of("resample");
    let resample = reader.count(&mut section, "resample", [0, 1_000_000]).unwrap_or(0) as usize;
    if resample > 0 && layout.is_grid() {
        let (first, second) = ("resample", "a layout that is always the same");
        reader.report(&resample_place, ResidualIssue::Exclusive { first, second });
    }
    let refine_place = section.place_of("refine");
    let wanted = "a number from 0 to 4";
    let refine = reader.number(&mut section, "refine", wanted, |k| (0.0..=4.0).contains(&k));
    let refine = refine.unwrap_or(0.0);
    if refine > 0.0 && resample == 0 {
        let (first, second) = ("refine", "points that are never drawn again (resample = 0)");
        reader.report(&refine_place, ResidualIssue::Exclusive { first, second });
    }
    reader.finish(section);
    let count = count.unwrap_or_else(|| match layout.is_grid() {
        true => {
            let each = (fewest as f64).powf(1.0 / free.max(1) as f64).ceil() as usize;
            vec![(each + if walls { 0 } else { 2 }).max(30)]
        }
        false => vec![fewest.max(1000)],
    });
    check_samples(reader, layout, &count, free, &place);
    SampleSettings { layout, count, walls, resample, refine }
}

fn check_samples(
    reader: &mut Reader<'_>,
    layout: SampleLayout,
    count: &[usize],
    free: usize,
    place: &super::document::Place,
) {
    let entries = if layout.is_grid() { free } else { 1 };
    check_counts(reader, "points.count", count, entries, place);
    let factors =
        if layout.is_grid() && count.len() == 1 { vec![count[0]; free] } else { count.to_vec() };
    check_total(reader, &factors, MAX_SAMPLES, place);
}

impl SampleSettings {
    /// Of points that the file lists.
    pub(super) fn listed() -> Self {
        Self { layout: SampleLayout::Grid, count: vec![1], walls: true, resample: 0, refine: 0.0 }
    }
}

/// Without settings a grid that resolves smooth solutions up to three coordinates, then 40,000
/// scattered points.
fn evaluation<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    dimensions: usize,
) -> EvaluationSettings {
    let mut section = reader.section(top, "evaluation");
    let by_dimension = if dimensions <= 3 { SampleLayout::Grid } else { SampleLayout::Random };
    let layout = reader.choice(&mut section, "layout").unwrap_or(by_dimension);
    let place = section.place_of("count");
    let count = reader.counts(&mut section, "count", [2, MAX_SAMPLES as u64]);
    reader.finish(section);
    let by_dimension = match dimensions {
        _ if !layout.is_grid() => 40_000,
        0 | 1 => 1000,
        2 => 200,
        3 => 40,
        _ => 8,
    };
    let count = count.unwrap_or_else(|| vec![by_dimension]);
    check_samples(reader, layout, &count, dimensions, &place);
    EvaluationSettings { layout, count }
}

/// The words for [`Initialisation`].
#[derive(Clone, Copy, PartialEq)]
enum Draw {
    Normal,
    Glorot,
    Lecun,
}

impl Choice for Draw {
    const WORDS: &'static [(&'static str, Self)] =
        &[("normal", Self::Normal), ("glorot", Self::Glorot), ("lecun", Self::Lecun)];
}

fn network<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    axes: &[Axis],
    unknowns: usize,
) -> (NetworkSettings, InputScaling, Initialisation) {
    let mut section = reader.section(top, "network");
    let place = section.place_of("layers");
    let layers = reader.counts(&mut section, "layers", [1, 4096]).unwrap_or_else(|| vec![20; 4]);
    if layers.windows(2).any(|pair| pair[0] != pair[1]) {
        reader.report(&place, ResidualIssue::UnequalLayers);
    }
    if layers.is_empty() || layers.len() > 64 {
        let (key, found) = ("network.layers".into(), format!("a list of {}", layers.len()));
        let allowed = "a list of 1 to 64 widths".into();
        reader.report(&place, SettingIssue::OutOfRange { key, found, allowed });
    }
    let activation = reader.choice(&mut section, "activation").unwrap_or(Activation::Tanh);
    let inputs = reader.choice(&mut section, "inputs").unwrap_or_default();
    let draw = reader.choice(&mut section, "initialisation").unwrap_or(Draw::Normal);
    let deviation =
        reader.number(&mut section, "deviation", "a positive number", |v| v > 0.0).unwrap_or(0.1);
    let periodic = axes.iter().filter(|axis| axis.periodic).count();
    let all_periodic = periodic == axes.len();
    let architecture = architecture(reader, &mut section, activation, all_periodic);
    reader.finish(section);
    let initialisation = match draw {
        Draw::Normal => Initialisation::Normal { deviation },
        Draw::Glorot => Initialisation::Glorot,
        Draw::Lecun => Initialisation::Lecun,
    };
    // The first hidden layer is the embedding of the coordinates.
    let width = layers.first().copied().unwrap_or(1);
    let hidden_layers = layers.len().saturating_sub(1);
    let network = NetworkSettings { width, hidden_layers, activation, architecture };
    let parameters = network.parameters(periodic, axes.len() - periodic, unknowns);
    if parameters > MAX_NETWORK {
        reader.report(&place, SettingIssue::NetworkTooLarge { parameters, limit: MAX_NETWORK });
    }
    (network, inputs, initialisation)
}

/// Slices of the time, as published.
const CAUSAL_SLICES: u64 = 32;

fn causal<'a>(
    reader: &mut Reader<'a>,
    section: &mut Section<'a>,
    axes: &[Axis],
) -> Option<CausalSettings> {
    let mut inner = reader.section(section, "causal");
    if inner.is_empty() {
        return None;
    }
    let tolerance = reader.number(&mut inner, "tolerance", "zero or above", |v| v >= 0.0);
    let slices = reader.count(&mut inner, "slices", [2, 10_000]).unwrap_or(CAUSAL_SLICES);
    let place = inner.place_of("along");
    let name = reader.text(&mut inner, "along").unwrap_or("t");
    reader.finish(inner);
    let Some(along) = axes.iter().position(|axis| axis.name == name) else {
        let coordinates: Vec<String> = axes.iter().map(|axis| axis.name.clone()).collect();
        let nearest = nearest(name, coordinates.iter().map(String::as_str)).map(Into::into);
        let name = name.to_owned();
        reader.report(&place, ResidualIssue::UnknownCoordinate { name, nearest, coordinates });
        return None;
    };
    let tolerance = tolerance.unwrap_or(1.0);
    // With zero all weights are one: how a variant takes them back.
    (tolerance > 0.0).then_some(CausalSettings { tolerance, slices: slices as usize, along })
}

fn method<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    axes: &[Axis],
    sought: bool,
) -> TrainingSettings {
    let mut section = reader.section(top, "method");
    let positive = |v: f64| v > 0.0;
    let name = reader.choice(&mut section, "name").unwrap_or(TrainingMethod::LevenbergMarquardt);
    let iterations =
        reader.count(&mut section, "iterations", [1, 100_000_000]).unwrap_or(1000) as usize;
    let tolerance = reader.number(&mut section, "tolerance", "zero or above", |v| v >= 0.0);
    let number = |reader: &mut Reader<'a>, section: &mut Section<'a>, key: &str| {
        reader.number(section, key, "a positive number", positive)
    };
    let cutoff = number(reader, &mut section, "cutoff");
    let cutoff_scale = reader.choice(&mut section, "cutoff_scale").unwrap_or_default();
    let sketch = reader.count(&mut section, "sketch", [1, MAX_SKETCH]).map(|n| n as usize);
    let oversampling =
        reader.count(&mut section, "oversampling", [0, MAX_SKETCH]).map(|n| n as usize);
    let rate = number(reader, &mut section, "rate");
    // A rate is there to be taken.
    let by_method = match name {
        TrainingMethod::Adam => LineSearch::None,
        _ if rate.is_some() => LineSearch::None,
        _ => LineSearch::Grid,
    };
    let line_search = reader.choice(&mut section, "line_search").unwrap_or(by_method);
    let schedule = reader.choice(&mut section, "schedule").unwrap_or_default();
    let damping = number(reader, &mut section, "damping");
    let below_one = |v: f64| (0.0..1.0).contains(&v);
    let momentum = reader.number(&mut section, "momentum", "a number from 0 to below 1", below_one);
    let causal = causal(reader, &mut section, axes);
    // Other methods are there to be compared as they were published; and what constants are found from
    // is noise beyond some digits, which no correction takes away.
    let correction = reader
        .boolean(&mut section, "correction")
        .unwrap_or(name == TrainingMethod::LevenbergMarquardt && !sought);
    reader.finish(section);
    TrainingSettings {
        name,
        iterations,
        tolerance: tolerance.unwrap_or(0.0),
        cutoff,
        cutoff_scale,
        sketch,
        oversampling,
        line_search,
        rate,
        schedule,
        damping,
        momentum,
        causal,
        correction,
    }
}
