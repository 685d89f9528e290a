//! `[shapes]` and `domain.shape`: the part of the box that is the domain.

use super::document::{Node, Place, Value};
use super::reader::{Reader, Section};
use super::{sections, sought, symbols};
use crate::equation::Role;
use crate::expression::{Channel, Entry, Expression, Names};
use crate::residual::{Axis, Condition, Location, Part, Plane, ResidualProblem, space};
use crate::shape::{Piece, Shape, ShapeIssue, Tree, outline_mistake};
use crate::{Parameter, SettingIssue};

/// The most pieces of a shape.
const MAX_PIECES: usize = 200;
/// The least share of its box that a domain fills: points are drawn in the box.
const LEAST_SHARE: f64 = 1e-3;

/// Keys of the kinds of shapes.
const KINDS: [&str; 7] = ["disc", "ball", "ellipse", "box", "polygon", "half-plane", "formula"];

/// A shape, and where it and its named parts were written.
pub(super) struct ShapeRead {
    pub shape: Shape,
    pub place: Place,
    pub names: Vec<Place>,
}

/// The shape of the domain, where the file gives one; the second is false where it is broken.
pub(super) fn shape<'a>(
    reader: &mut Reader<'a>,
    top: &mut Section<'a>,
    names: &Names,
    parameters: &[Parameter],
    axes: Option<&[Axis]>,
) -> (Option<ShapeRead>, bool) {
    let section = reader.section(top, "shapes");
    let mut domain = reader.section(top, "domain");
    let place = domain.place_of("shape");
    let text = reader.text(&mut domain, "shape");
    let entries: Vec<(&'a str, &'a Node)> = section.entries().collect();
    let before = reader.issues.len();
    let Some(text) = text else {
        for (name, node) in entries {
            reader.report(&node.place, ShapeIssue::Unused { name: name.to_owned() });
        }
        return (None, reader.issues.len() == before && !domain.has("shape"));
    };
    let Some(axes) = axes else { return (None, false) };
    let known: Vec<String> = entries.iter().map(|(name, _)| (*name).to_owned()).collect();
    let tree = match Tree::parse(text, &known) {
        Ok(tree) => Some(tree),
        Err((span, issue)) => {
            let inner = reader.sources.inside(&place, &span);
            reader.report(&inner, ShapeIssue::Tree(issue, known));
            None
        }
    };
    let mut named = Vec::new();
    for &(name, node) in &entries {
        let section = reader.named_section(format!("shapes.{name}"), node);
        let file = File { reader, names, parameters, axes, name };
        named.push((name.to_owned(), file.pieces(section).unwrap_or_default()));
    }
    let Some(tree) = tree.filter(|_| reader.issues.len() == before) else { return (None, false) };
    let space = space(axes);
    let lower: Vec<f64> = space.iter().map(|&k| axes[k].lower).collect();
    let upper: Vec<f64> = space.iter().map(|&k| axes[k].upper).collect();
    let places: Vec<Place> = entries.iter().map(|(_, node)| node.place.clone()).collect();
    let shape = Shape::new([lower, upper], named, tree);
    check(reader, &shape, &place, &places);
    let read = ShapeRead { shape, place, names: places };
    (Some(read), reader.issues.len() == before)
}

/// Whether there is a domain, and every named shape bounds it.
fn check(reader: &mut Reader<'_>, shape: &Shape, place: &Place, places: &[Place]) {
    if shape.volume() < LEAST_SHARE * shape.box_volume() {
        reader.report(place, ShapeIssue::Empty);
        return;
    }
    for (number, (name, place)) in shape.names().iter().zip(places).enumerate() {
        let pieces: Vec<usize> = shape.pieces_of(number).collect();
        let empty = pieces.iter().position(|&piece| shape.measure(piece) <= 0.0);
        if !shape.uses(number) {
            reader.report(place, ShapeIssue::Unused { name: name.clone() });
        } else if let Some(empty) = empty {
            let what = match pieces.len() {
                1 => name.clone(),
                _ => format!("{name}, number {},", empty + 1),
            };
            reader.report(place, ShapeIssue::NotOnBoundary { what });
        }
    }
}

/// Where the equation inside has second derivatives in space, every part of the boundary needs a
/// condition; periodic coordinates have theirs by construction or by a seam.
pub(super) fn every_part_has_a_condition(
    reader: &mut Reader<'_>,
    problem: &ResidualProblem,
    read: &ShapeRead,
) {
    let space = space(&problem.axes);
    if !is_of_second_order(problem, &space) {
        return;
    }
    let (mut parts, mut seams) = (Vec::new(), Vec::new());
    for block in &problem.blocks {
        match &block.location {
            Location::Parts(list) => parts.extend(list.iter().copied()),
            Location::Seam { coordinate } => seams.push(*coordinate),
            _ => {}
        }
    }
    for (number, (name, place)) in read.shape.names().iter().zip(&read.names).enumerate() {
        if read.shape.pieces_of(number).any(|piece| !parts.contains(&Part::Piece(piece))) {
            reader.report(place, ShapeIssue::NoCondition { what: name.clone() });
        }
    }
    for coordinate in space {
        let axis = &problem.axes[coordinate];
        if axis.periodic || seams.contains(&coordinate) {
            continue;
        }
        for at in [axis.lower, axis.upper] {
            let part = Part::Plane(Plane { coordinate, at });
            if !parts.contains(&part) && !problem.domain().is_empty_part(&part) {
                let what = format!("{} = {at}", axis.name);
                reader.report(&read.place, ShapeIssue::NoCondition { what });
            }
        }
    }
}

fn is_of_second_order(problem: &ResidualProblem, space: &[usize]) -> bool {
    let of_entry = |entry: Entry| match entry.channel {
        Channel::Laplacian => true,
        Channel::Partial(index) => space.iter().map(|&k| index.0[k]).sum::<u8>() >= 2,
    };
    let inside = problem.blocks.iter().filter(|block| block.location == Location::Interior);
    let equations = inside.flat_map(|block| match &block.condition {
        Condition::Equations(list) => list.as_slice(),
        _ => &[],
    });
    equations.into_iter().any(|equation| equation.entries().into_iter().any(of_entry))
}

/// One named shape while it is read.
struct File<'r, 'a> {
    reader: &'r mut Reader<'a>,
    names: &'r Names,
    parameters: &'r [Parameter],
    axes: &'r [Axis],
    name: &'a str,
}

impl<'a> File<'_, 'a> {
    fn pieces(mut self, mut section: Section<'a>) -> Option<Vec<Piece>> {
        let reserved = self.name == "box" || self.name == "boundary" || self.name == "interior";
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let plain = self.name.starts_with(|c: char| c.is_ascii_alphabetic());
        if reserved || !plain || !self.name.chars().all(letters) {
            let remedy = "use a letter, then letters, digits and '_'; not box, boundary, interior";
            let (name, what) = (self.name.to_owned(), "a shape");
            let issue = SettingIssue::BadName { name, what, remedy: remedy.into() };
            self.reader.report(&section.place, issue);
        }
        let found: Vec<&str> = KINDS.into_iter().filter(|kind| section.has(kind)).collect();
        let nodes: Vec<Option<&Node>> = KINDS.into_iter().map(|kind| section.get(kind)).collect();
        let place = section.place.clone();
        let path = format!("shapes.{}", self.name);
        self.reader.finish(section);
        let [kind] = found.as_slice() else {
            let (name, count) = (self.name.to_owned(), found.len());
            self.reader.report(&place, ShapeIssue::Kinds { name, count });
            return None;
        };
        let node = nodes.into_iter().flatten().next()?;
        let path = format!("{path}.{kind}");
        match *kind {
            "formula" => self.formula(&path, node),
            "polygon" => self.polygon(&path, node),
            "box" => self.box_piece(path, node),
            "half-plane" => self.half_plane(path, node),
            "ellipse" => self.round(path, node, "ellipse"),
            "ball" => self.round(path, node, "ball"),
            _ => self.round(path, node, "disc"),
        }
    }

    fn dimensions(&self) -> usize {
        space(self.axes).len()
    }

    /// Whether space has the two dimensions that a kind is for.
    fn is_plane(&mut self, kind: &'static str, node: &Node) -> Option<()> {
        let found = self.dimensions();
        if found == 2 {
            return Some(());
        }
        let (name, wanted) = (self.name.to_owned(), "two dimensions");
        self.reader.report(&node.place, ShapeIssue::Dimensions { name, kind, wanted, found });
        None
    }

    /// A number for each coordinate of space.
    fn vector(&mut self, key: &str, node: &Node) -> Option<Vec<f64>> {
        let Value::Array(items) = &node.value else {
            self.reader.wrong_type(key, "a list of numbers", node);
            return None;
        };
        let (found, expected) = (items.len(), self.dimensions());
        if found != expected {
            self.reader.report(&node.place, ShapeIssue::Numbers { found, expected });
            return None;
        }
        items.iter().map(|item| self.reader.number_of(key, item)).collect()
    }

    /// `disc`, `ball` and `ellipse`, around one centre or several.
    fn round(&mut self, path: String, node: &'a Node, kind: &'static str) -> Option<Vec<Piece>> {
        if kind == "disc" {
            self.is_plane(kind, node)?;
        }
        let mut section = self.reader.named_section(path.clone(), node);
        let centre = section.get("centre");
        if centre.is_none() {
            self.reader.missing(
                &section,
                "centre",
                "write centre = [0, 0], in the coordinates of space",
            );
        }
        let size = if kind == "ellipse" { "axes" } else { "radius" };
        let mut half_axes = None;
        let mut radius = None;
        let mut angle = 0.0;
        if kind == "ellipse" {
            half_axes = section.get("axes").and_then(|node| self.vector("axes", node));
            angle = self.reader.number(&mut section, "angle", "a number", |_| true).unwrap_or(0.0);
        } else {
            radius = self.reader.number(&mut section, "radius", "a positive number", |r| r > 0.0);
        }
        if !section.has(size) {
            let remedy = match kind {
                "ellipse" => "write axes = [2, 1], the half axes",
                _ => "write radius = 1",
            };
            self.reader.missing(&section, size, remedy);
        }
        if let Some(axes) = &half_axes
            && axes.iter().any(|a| *a <= 0.0)
        {
            let (key, allowed) = ("axes".into(), "positive numbers".into());
            let (found, place) = (format!("{axes:?}"), section.place_of("axes"));
            self.reader.report(&place, SettingIssue::OutOfRange { key, found, allowed });
        }
        self.reader.finish(section);
        let node = centre?;
        let several = matches!(&node.value, Value::Array(items)
            if items.iter().any(|item| matches!(item.value, Value::Array(_))));
        let centres = if several { symbols::items(node) } else { std::slice::from_ref(node) };
        if centres.len() > MAX_PIECES {
            let (key, found) = ("centre".into(), format!("a list of {}", centres.len()));
            let allowed = format!("at most {MAX_PIECES} points");
            self.reader.report(&node.place, SettingIssue::OutOfRange { key, found, allowed });
            return None;
        }
        let centres: Vec<Option<Vec<f64>>> =
            centres.iter().map(|node| self.vector("centre", node)).collect();
        let centres: Vec<Vec<f64>> = centres.into_iter().collect::<Option<_>>()?;
        let piece = |centre| match (&half_axes, radius) {
            (Some(axes), _) => Some(Piece::Ellipsoid { centre, axes: axes.clone(), angle }),
            (None, Some(radius)) => Some(Piece::Ball { centre, radius }),
            (None, None) => None,
        };
        centres.into_iter().map(piece).collect()
    }

    /// `box = { x = [0, 1] }`: coordinates that are not named go on for ever.
    fn box_piece(&mut self, path: String, node: &'a Node) -> Option<Vec<Piece>> {
        let mut section = self.reader.named_section(path, node);
        let (mut lower, mut upper) = (Vec::new(), Vec::new());
        for k in space(self.axes) {
            let name = &self.axes[k].name;
            let given = section.has(name);
            let range = self.reader.range(&mut section, name, name);
            let [low, high] = if given { range? } else { [f64::NEG_INFINITY, f64::INFINITY] };
            lower.push(low);
            upper.push(high);
        }
        if section.is_empty() {
            self.reader.missing(&section, &self.axes[0].name, "write a range, as in x = [0, 1]");
        }
        self.reader.finish(section);
        Some(vec![Piece::Box { lower, upper }])
    }

    fn half_plane(&mut self, path: String, node: &'a Node) -> Option<Vec<Piece>> {
        let mut section = self.reader.named_section(path, node);
        let mut read = |key: &str| -> Option<Vec<f64>> {
            let Some(node) = section.get(key) else {
                self.reader.missing(
                    &section,
                    key,
                    "write point = [0, 0], normal = [1, 0]: the normal leads out",
                );
                return None;
            };
            self.vector(key, node)
        };
        let (point, normal) = (read("point"), read("normal"));
        self.reader.finish(section);
        let (point, normal) = (point?, normal?);
        if normal.iter().all(|n| *n == 0.0) {
            self.reader.report(&node.place, ShapeIssue::NoNormal);
            return None;
        }
        Some(vec![Piece::HalfSpace { point, normal }])
    }

    /// Corners in the order around; the first may stand at the end once more.
    fn polygon(&mut self, path: &str, node: &'a Node) -> Option<Vec<Piece>> {
        self.is_plane("polygon", node)?;
        let Value::Array(items) = &node.value else {
            self.reader.wrong_type(path, "a list of corners, as in [[0, 0], [1, 0], [0, 1]]", node);
            return None;
        };
        let corners: Vec<Option<[f64; 2]>> = items
            .iter()
            .map(|item| self.vector(path, item).map(|corner| [corner[0], corner[1]]))
            .collect();
        let mut corners: Vec<[f64; 2]> = corners.into_iter().collect::<Option<_>>()?;
        if corners.len() > 1 && corners.first() == corners.last() {
            corners.pop();
        }
        if let Some(issue) = outline_mistake(&corners) {
            self.reader.report(&node.place, issue);
            return None;
        }
        Some(vec![Piece::Polygon(corners)])
    }

    /// `value < 0`, in the coordinates of space and in parameters.
    fn formula(&mut self, path: &str, node: &'a Node) -> Option<Vec<Piece>> {
        let space = space(self.axes);
        let coordinates: Vec<String> = space.iter().map(|&k| self.axes[k].name.clone()).collect();
        let parameters = self.names.parameters.clone();
        let tables = self.names.tables.clone();
        let names = Names { coordinates, parameters, tables, ..Names::default() };
        let value = sections::expression(self.reader, path, node, &names, Role::Shape)?;
        sought::refuse(self.reader, &node.place, "a shape", self.parameters, &[&value]);
        let values: Vec<f64> = self.parameters.iter().map(|p| p.value).collect();
        let value: Expression = value.substitute_parameters(&values);
        let piece = Piece::formula(value, space.len());
        let middle: Vec<f64> =
            space.iter().map(|&k| 0.5 * (self.axes[k].lower + self.axes[k].upper)).collect();
        let ends = space.iter().map(|&k| self.axes[k].lower).collect::<Vec<f64>>();
        for at in [middle, ends] {
            if !piece.signed(&at).is_finite() {
                let names = names.coordinates.iter().zip(&at);
                let place = names.map(|(name, x)| format!("{name} = {x}")).collect::<Vec<_>>();
                let issue = ShapeIssue::NotFinite { place: place.join(", ") };
                self.reader.report(&node.place, issue);
                return None;
            }
        }
        Some(vec![piece])
    }
}
