//! The sections of residual problems.

use super::companion::reference;
use super::document::{Node, Place, Table};
use super::reader::{Reader, Section};
use super::residual_block::Block;
use super::residual_settings::Settings;
use super::shape::{self, ShapeRead};
use super::{Family, sections, sought, symbols, tables};
use crate::equation::Role;
use crate::expression::{MAX_DIMENSIONS, Names};
use crate::residual::{Axis, Condition, Location, ResidualBlock, ResidualIssue};
use crate::{Choice, ResidualProblem, SettingIssue};

/// The most blocks of a problem.
const MAX_BLOCKS: usize = 64;
/// Points inside the domain for each parameter of the network where constants are to be found.
const ROWS: usize = 2;
/// Where the parts of a problem were written, for the checks between them.
pub(super) struct Places {
    pub exact: Place,
    /// Of the reference's initial state.
    pub companion: Place,
    /// Of the blocks' equations.
    pub blocks: Vec<Place>,
    pub tables: Vec<Place>,
}

/// Reads everything; `None` where a part that has no default is missing or broken.
pub(super) fn problem<'a>(
    reader: &mut Reader<'a>,
    root: &'a Table,
    top: &mut Section<'a>,
) -> Option<(ResidualProblem, Places)> {
    sections::format(reader, top);
    let name = reader.text(top, "name").unwrap_or("untitled").to_owned();
    let title = reader.text(top, "title").unwrap_or(&name).to_owned();
    let description = reader.text(top, "description").unwrap_or("").trim().to_owned();
    let mut names = symbols::names(reader, root, top, Family::Residual);
    let tables = tables::tables(reader, top, &mut names);
    let axes = axes(reader, top, &names);
    let parameters = sections::parameters(reader, top, Family::Residual);
    let (exact, exact_place) = sections::formulas(reader, top, "exact", &names, Role::Known);
    let complete = axes.len() == names.coordinates.len() && !axes.is_empty();
    let all = complete.then_some(axes.as_slice());
    let (shape, sound) = shape::shape(reader, top, &names, &parameters, all);
    let sought = parameters.iter().any(|parameter| parameter.find);
    let settings = Settings::read(reader, top, &axes, names.unknowns.len(), sought);
    // With fewer rows than parameters a network fits noise between the points.
    let fewest = if sought { ROWS * settings.parameters } else { 0 };
    let domain = DomainRead { axes: all, shape: shape.as_ref(), sound, fewest };
    let (blocks, places) = blocks(reader, top, &names, &domain);
    let (companion, known, companion_place) =
        reference(reader, top, &names, complete.then_some(axes.as_slice()), &parameters);
    let (seed, precision) = sections::run(reader, top);
    // Read elsewhere; here only its being a table matters.
    let _ = reader.section(top, "variants");
    if !complete || !sound {
        return None;
    }
    let problem = ResidualProblem {
        name,
        title,
        description,
        unknowns: names.unknowns,
        complex: names.complex,
        axes,
        shape: shape.as_ref().map(|read| read.shape.clone()),
        parameters,
        tables: names.tables,
        blocks,
        exact,
        companion,
        known,
        evaluation: settings.evaluation,
        network: settings.network,
        inputs: settings.inputs,
        initialisation: settings.initialisation,
        method: settings.method,
        precision,
        seed,
        source: String::new(),
    };
    if let Some(read) = &shape
        && reader.issues.is_empty()
    {
        shape::every_part_has_a_condition(reader, &problem, read);
    }
    let places = Places { exact: exact_place, companion: companion_place, blocks: places, tables };
    if reader.issues.is_empty() {
        sought::check(reader, top, &problem, &places);
    }
    Some((problem, places))
}

/// The domain that blocks are on, as far as it could be read.
pub(super) struct DomainRead<'r> {
    pub axes: Option<&'r [Axis]>,
    pub shape: Option<&'r ShapeRead>,
    /// Whether the shape, or that there is none, could be read.
    pub sound: bool,
    /// The fewest points inside it where the file does not say how many.
    pub fewest: usize,
}

fn axes<'a>(reader: &mut Reader<'a>, top: &mut Section<'a>, names: &Names) -> Vec<Axis> {
    let mut domain = reader.section(top, "domain");
    if names.coordinates.is_empty() {
        let issue = SettingIssue::CoordinateCount { found: 0, limit: MAX_DIMENSIONS };
        reader.report(&domain.place, issue);
    }
    let mut axes = Vec::new();
    for name in &names.coordinates {
        if let Some(node) = domain.get(name) {
            let mut section = reader.named_section(format!("domain.{name}"), node);
            let range = reader.range(&mut section, "range", name);
            if !section.has("range") {
                reader.missing(&section, "range", "write range = [lower, upper]");
            }
            let embedding = reader.choice::<Embedding>(&mut section, "embedding");
            reader.finish(section);
            let periodic = embedding == Some(Embedding::Periodic);
            axes.extend(range.map(|[lower, upper]| Axis {
                name: name.clone(),
                lower,
                upper,
                periodic,
            }));
        }
    }
    axes
}

/// The words for [`Axis::periodic`].
#[derive(Clone, Copy, PartialEq)]
enum Embedding {
    Linear,
    Periodic,
}

impl Choice for Embedding {
    const WORDS: &'static [(&'static str, Self)] =
        &[("linear", Self::Linear), ("periodic", Self::Periodic)];
}

/// Every block that can be read, and where its equation is. Without axes, for the mistakes alone.
fn blocks<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    names: &Names,
    domain: &DomainRead<'_>,
) -> (Vec<ResidualBlock>, Vec<Place>) {
    let section = reader.section(top, "residual");
    let entries: Vec<(&'a str, &'a Node)> = section.entries().collect();
    if entries.len() > MAX_BLOCKS {
        let (what, found, limit) = ("blocks", entries.len(), MAX_BLOCKS);
        reader.report(&section.place, ResidualIssue::TooMany { what, found, limit });
        return (Vec::new(), Vec::new());
    }
    let before = reader.issues.len();
    let (mut blocks, mut places, mut weighed) = (Vec::new(), Vec::new(), Vec::new());
    for (name, node) in entries {
        let section = reader.named_section(format!("residual.{name}"), node);
        let read = Block { reader, names, domain, name, section }.read();
        if let Some((block, place, by_hand)) = read {
            blocks.push(block);
            places.push(place);
            weighed.push(by_hand);
        }
    }
    sought::weigh(&mut blocks, &weighed, domain.fewest > 0);
    let interior = |block: &ResidualBlock| block.location == Location::Interior;
    if reader.issues.len() == before && domain.axes.is_some() && !blocks.iter().any(interior) {
        reader.report(&section.place, ResidualIssue::NoInterior);
    } else if reader.issues.len() == before {
        count_equations(reader, &section, names, &blocks);
    }
    (blocks, places)
}

/// A system has as many equations inside the domain as unknowns, or fewer where data say more.
fn count_equations(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    names: &Names,
    blocks: &[ResidualBlock],
) {
    let inside = |block: &&ResidualBlock| block.location == Location::Interior;
    let count = |block: &ResidualBlock| match &block.condition {
        Condition::Equations(list) => Some(list.len()),
        _ => None,
    };
    let counts: Option<Vec<usize>> = blocks.iter().filter(inside).map(count).collect();
    let Some(counts) = counts else { return };
    let (equations, unknowns) = (counts.iter().sum::<usize>(), names.unknowns.len());
    let observed = |block: &ResidualBlock| matches!(block.condition, Condition::Observed { .. });
    let few = equations < unknowns && !blocks.iter().any(observed);
    if unknowns > 1 && (few || equations > unknowns) {
        let names = names.unknowns.join(", ");
        let issue = ResidualIssue::EquationCount { equations, unknowns, names };
        reader.report(&section.place, issue);
    }
}
