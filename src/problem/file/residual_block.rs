//! One block of a residual problem.

use super::document::{Node, Place, Value};
use super::reader::{Reader, Section};
use super::residual::DomainRead;
use super::{residual_settings, sections, symbols};
use crate::equation::{Role, parse_constant, parse_residual};
use crate::expression::{Expression, MAX_UNKNOWNS, Names};
use crate::nearest::nearest;
use crate::residual::{
    Axis, Condition, Domain, Location, Part, Plane, ResidualBlock, ResidualIssue, SampleLayout,
    SampleSettings, space,
};
use crate::settings::Choice;
use crate::shape::{Shape, ShapeIssue};

/// The most parts of one block, those of named shapes counted once.
const MAX_PARTS: usize = 64;
/// The most equations of one block.
const MAX_EQUATIONS: usize = 2 * MAX_UNKNOWNS;
/// The most expressions that agree at one seam.
const MAX_MATCHES: usize = 4 * MAX_UNKNOWNS;

/// One block while it is read.
pub(super) struct Block<'r, 'a> {
    pub reader: &'r mut Reader<'a>,
    pub names: &'r Names,
    pub domain: &'r DomainRead<'r>,
    pub name: &'a str,
    pub section: Section<'a>,
}

/// Whether points can be drawn by the size of the one residual.
fn is_refinable(condition: Option<&Condition>) -> bool {
    match condition {
        None => true,
        Some(Condition::Equations(list)) => list.len() == 1,
        Some(_) => false,
    }
}

/// The key that says where a block is.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    On,
    Seam,
    Data,
}

impl<'a> Block<'_, 'a> {
    /// With where its equation stands, and whether the file says its weight.
    pub(super) fn read(mut self) -> Option<(ResidualBlock, Place, bool)> {
        let kind = self.kind();
        let location = self.location(kind);
        let role = self.role(location.as_ref());
        let (condition, text, place) = self.condition(kind, role);
        let positive = |w: f64| w > 0.0;
        let weight = self.reader.number(&mut self.section, "weight", "a positive number", positive);
        let norm = self.reader.choice(&mut self.section, "norm").unwrap_or_default();
        let samples = match kind {
            // Listed points are the samples.
            Kind::Data => SampleSettings::listed(),
            Kind::On | Kind::Seam => self.samples(location.as_ref()),
        };
        if samples.refine > 0.0 && !is_refinable(condition.as_ref()) {
            let place = self.section.place_of("points");
            let (first, second) = ("refine", "anything but one equation");
            self.reader.report(&place, ResidualIssue::Exclusive { first, second });
        }
        self.reader.finish(self.section);
        let (location, condition) = (location?, condition?);
        let name = self.name.to_owned();
        let weighed = weight.is_some();
        let weight = weight.unwrap_or(1.0);
        let block = ResidualBlock { name, text, location, condition, weight, norm, samples };
        Some((block, place, weighed))
    }

    /// By the key that is there; two of them are one too many.
    fn kind(&mut self) -> Kind {
        const KEYS: [(&str, Kind); 3] =
            [("on", Kind::On), ("periodic", Kind::Seam), ("data", Kind::Data)];
        let mut present = |(key, _): &(&str, Kind)| self.section.get(key).is_some();
        let found: Vec<(&'static str, Kind)> = KEYS.into_iter().filter(&mut present).collect();
        let Some(&(first, kind)) = found.first() else { return Kind::On };
        for &(second, _) in &found[1..] {
            self.exclusive(first, second);
        }
        kind
    }

    /// Reports `second`, and counts it as read.
    fn exclusive(&mut self, first: &'static str, second: &'static str) {
        let place = self.section.place_of(second);
        let _ = self.section.get(second);
        self.reader.report(&place, ResidualIssue::Exclusive { first, second });
    }

    fn location(&mut self, kind: Kind) -> Option<Location> {
        match kind {
            Kind::On => self.parts(),
            Kind::Seam => {
                let place = self.section.place_of("periodic");
                let name = self.reader.text(&mut self.section, "periodic")?;
                self.coordinate(name, &place).map(|coordinate| Location::Seam { coordinate })
            }
            Kind::Data => {
                let rows = self.rows()?;
                let without = |row: &Vec<f64>| row[..row.len() - 1].to_vec();
                Some(Location::Listed(rows.iter().flat_map(without).collect()))
            }
        }
    }

    fn coordinate(&mut self, name: &str, place: &Place) -> Option<usize> {
        let position = self.names.coordinates.iter().position(|known| known == name);
        if position.is_none() {
            let coordinates = self.names.coordinates.clone();
            let near = nearest(name, coordinates.iter().map(String::as_str)).map(Into::into);
            let name = name.to_owned();
            let issue = ResidualIssue::UnknownCoordinate { name, nearest: near, coordinates };
            self.reader.report(place, issue);
        }
        position
    }

    /// Whether the equations are where there is an outward normal.
    fn role(&self, location: Option<&Location>) -> Role {
        let (Some(Location::Parts(parts)), Some(axes)) = (location, self.domain.axes) else {
            return Role::Residual;
        };
        let space = space(axes);
        let in_space = |part: &Part| match part {
            Part::Plane(plane) => space.contains(&plane.coordinate),
            Part::Piece(_) => true,
        };
        if parts.iter().all(in_space) { Role::Boundary } else { Role::Residual }
    }

    /// `on`: one part of the domain, or a list of parts of its boundary.
    fn parts(&mut self) -> Option<Location> {
        let Some(node) = self.section.get("on") else { return Some(Location::Interior) };
        let items = symbols::items(node);
        if items.is_empty() {
            let block = self.name.to_owned();
            self.reader.report(&node.place, ResidualIssue::EmptyBlock { block });
        }
        if items.len() > MAX_PARTS {
            let (what, found, limit) = ("parts in one block", items.len(), MAX_PARTS);
            self.reader.report(&node.place, ResidualIssue::TooMany { what, found, limit });
            return None;
        }
        let mut parts = Vec::new();
        for item in items {
            let Value::Text(text) = &item.value else {
                self.reader.wrong_type("on", "text such as \"x = 0\", or a list of such", item);
                return None;
            };
            if text.trim() == "interior" && items.len() == 1 {
                return Some(Location::Interior);
            }
            let found = self.part(text, item)?;
            if self.is_empty(&found) {
                let what = text.trim().to_owned();
                self.reader.report(&item.place, ShapeIssue::NotOnBoundary { what });
            }
            parts.extend(found);
        }
        (!parts.is_empty()).then_some(Location::Parts(parts))
    }

    fn is_empty(&self, parts: &[Part]) -> bool {
        let shape = self.domain.shape.map(|read| &read.shape);
        let domain = self.domain.axes.map(|axes| Domain { axes, shape });
        domain.is_some_and(|domain| parts.iter().all(|part| domain.is_empty_part(part)))
    }

    /// What one text of `on` stands for; of everything that bounds the domain without what is not
    /// there.
    fn part(&mut self, text: &'a str, item: &Node) -> Option<Vec<Part>> {
        let shape = self.domain.shape.map(|read| &read.shape);
        match text.trim() {
            "boundary" => {
                let pieces = (0..shape.map_or(0, Shape::pieces)).map(Part::Piece);
                Some(
                    self.sides()?
                        .into_iter()
                        .chain(pieces.filter(|p| !self.is_empty(&[*p])))
                        .collect(),
                )
            }
            "box" => self.sides(),
            text if text.contains('=') => self.plane(text, item).map(|p| vec![Part::Plane(p)]),
            text => {
                let number = shape.and_then(|s| s.names().iter().position(|name| name == text));
                let pieces = shape.zip(number).map(|(s, number)| s.pieces_of(number));
                if pieces.is_none() && self.domain.sound {
                    let coordinates = self.names.coordinates.clone();
                    let shapes = shape.map_or(Vec::new(), |shape| shape.names().to_vec());
                    let found = text.to_owned();
                    let issue = ResidualIssue::UnknownPlace { found, coordinates, shapes };
                    self.reader.report(&item.place, issue);
                }
                pieces.map(|pieces| pieces.map(Part::Piece).collect())
            }
        }
    }

    /// Every side of the box in space, as far as it bounds the domain.
    fn sides(&self) -> Option<Vec<Part>> {
        let axes = self.domain.axes?;
        let of = |coordinate: usize| {
            let axis = &axes[coordinate];
            [axis.lower, axis.upper].map(|at| Part::Plane(Plane { coordinate, at }))
        };
        let sides = space(axes).into_iter().flat_map(of);
        Some(sides.filter(|side| !self.is_empty(&[*side])).collect())
    }

    /// `x = 0`: a coordinate and a number.
    fn plane(&mut self, text: &'a str, node: &Node) -> Option<Plane> {
        let (name, value) = text.split_once('=')?;
        let coordinate = self.coordinate(name.trim(), &node.place);
        let at = match parse_constant(value) {
            Ok(at) => at,
            Err(mut errors) => {
                let Value::Text(whole) = &node.value else { return None };
                let before = value.as_ptr() as usize - whole.as_ptr() as usize;
                for error in &mut errors {
                    error.span = error.span.start + before..error.span.end + before;
                }
                self.reader.report_equation(&node.place, errors);
                return None;
            }
        };
        let axis = &self.domain.axes?[coordinate?];
        if (axis.lower..=axis.upper).contains(&at) {
            return Some(Plane { coordinate: coordinate?, at });
        }
        self.outside(axis.clone(), at, &node.place);
        None
    }

    fn outside(&mut self, axis: Axis, value: f64, place: &Place) {
        let Axis { name, lower, upper, .. } = axis;
        self.reader.report(place, ResidualIssue::OutsideDomain { name, value, lower, upper });
    }

    /// The rows of `data`: coordinates of a point, then the value.
    fn rows(&mut self) -> Option<Vec<Vec<f64>>> {
        let node = self.section.get("data")?;
        if let Value::Table(_) = &node.value {
            // Why its file is not in its place is told already.
            return None;
        }
        let Value::Array(items) = &node.value else {
            self.reader.wrong_type("data", "a list of rows", node);
            return None;
        };
        if items.is_empty() {
            let block = self.name.to_owned();
            self.reader.report(&node.place, ResidualIssue::EmptyBlock { block });
            return None;
        }
        let rows: Vec<Option<Vec<f64>>> = items.iter().map(|item| self.row(item)).collect();
        rows.into_iter().collect()
    }

    fn row(&mut self, node: &Node) -> Option<Vec<f64>> {
        let Value::Array(items) = &node.value else {
            self.reader.wrong_type("data", "a list of rows", node);
            return None;
        };
        let expected = self.names.coordinates.len() + 1;
        if items.len() != expected {
            let found = items.len();
            self.reader.report(&node.place, ResidualIssue::RowLength { found, expected });
            return None;
        }
        let row: Vec<Option<f64>> =
            items.iter().map(|item| self.reader.number_of("data", item)).collect();
        let row: Vec<f64> = row.into_iter().collect::<Option<_>>()?;
        for ((axis, &x), item) in self.domain.axes?.iter().zip(&row).zip(items) {
            if !(axis.lower..=axis.upper).contains(&x) {
                self.outside(axis.clone(), x, &item.place);
            }
        }
        Some(row)
    }

    /// What the block asks for, as typed, and where that stands.
    fn condition(&mut self, kind: Kind, role: Role) -> (Option<Condition>, String, Place) {
        let (condition, key) = match kind {
            Kind::On if self.section.has("energy") => {
                if self.section.has("equation") {
                    self.exclusive("energy", "equation");
                }
                (self.expression("energy").map(Condition::Energy), "energy")
            }
            Kind::On => (self.equations(role).map(Condition::Equations), "equation"),
            Kind::Seam => (self.matches().map(Condition::Match), "match"),
            Kind::Data => {
                let quantity = if self.section.has("quantity") {
                    self.expression("quantity")
                } else {
                    let _ = self.section.get("quantity");
                    if self.names.unknowns.len() > 1 {
                        let remedy = "write quantity = \"u\", or what the values are of";
                        self.reader.missing(&self.section, "quantity", remedy);
                    }
                    Some(Expression::unknown(0))
                };
                let rows = self.rows();
                let last = |row: &Vec<f64>| row.last().copied().unwrap_or(f64::NAN);
                let values = rows.map(|rows| rows.iter().map(last).collect());
                let positive = |v: f64| v > 0.0;
                let noise =
                    self.reader.number(&mut self.section, "noise", "a positive number", positive);
                let condition = quantity
                    .zip(values)
                    .map(|(quantity, values)| Condition::Observed { quantity, values, noise });
                (condition, "quantity")
            }
        };
        let place = self.section.place_of(key);
        let written = match self.section.get(key).map(|node| &node.value) {
            Some(Value::Text(text)) => text.trim().to_owned(),
            Some(Value::Array(items)) => {
                let text = |node: &Node| match &node.value {
                    Value::Text(text) => text.trim().to_owned(),
                    _ => String::new(),
                };
                items.iter().map(text).collect::<Vec<_>>().join("\n")
            }
            _ => self.names.unknowns.join("\n"),
        };
        if let Some(condition) = &condition {
            self.contains_unknown(condition, &place);
        }
        (condition, written, place)
    }

    fn contains_unknown(&mut self, condition: &Condition, place: &Place) {
        if condition.expressions().iter().any(|e| e.entries().is_empty()) {
            let (block, unknown) = (self.name.to_owned(), self.names.unknowns.join(" or "));
            self.reader.report(place, ResidualIssue::NothingUnknown { block, unknown });
        }
    }

    /// `equation`: one or a list.
    fn equations(&mut self, role: Role) -> Option<Vec<Expression>> {
        let _ = self.section.get("energy");
        if !self.section.has("equation") {
            let remedy = "write equation = \"u = 0\", or what holds there";
            self.reader.missing(&self.section, "equation", remedy);
        }
        let node = self.section.get("equation")?;
        let items = symbols::items(node);
        if items.is_empty() {
            let block = self.name.to_owned();
            self.reader.report(&node.place, ResidualIssue::EmptyBlock { block });
            return None;
        }
        if items.len() > MAX_EQUATIONS {
            let (what, found, limit) = ("equations in one block", items.len(), MAX_EQUATIONS);
            self.reader.report(&node.place, ResidualIssue::TooMany { what, found, limit });
        }
        let parsed: Vec<Option<Vec<Expression>>> =
            items.iter().map(|item| self.equation(item, role)).collect();
        let parsed: Option<Vec<Vec<Expression>>> = parsed.into_iter().collect();
        parsed.map(|list| list.concat())
    }

    /// One equation, or both parts of a complex one.
    fn equation(&mut self, node: &Node, role: Role) -> Option<Vec<Expression>> {
        let Value::Text(text) = &node.value else {
            let key = format!("residual.{}.equation", self.name);
            self.reader.wrong_type(&key, "text in quotes, or a list of such", node);
            return None;
        };
        match parse_residual(text, self.names, role) {
            Ok(list) => Some(list.iter().map(Expression::simplify).collect()),
            Err(errors) => {
                self.reader.report_equation(&node.place, errors);
                None
            }
        }
    }

    fn expression(&mut self, key: &'static str) -> Option<Expression> {
        let node = self.section.get(key)?;
        let path = format!("residual.{}.{key}", self.name);
        sections::expression(self.reader, &path, node, self.names, Role::Quantity)
    }

    /// `match`: one expression or a list; the unknowns themselves where nothing is said.
    fn matches(&mut self) -> Option<Vec<Expression>> {
        let Some(node) = self.section.get("match") else {
            return Some((0..self.names.unknowns.len()).map(Expression::unknown).collect());
        };
        let items = match &node.value {
            Value::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        if items.is_empty() {
            let block = self.name.to_owned();
            self.reader.report(&node.place, ResidualIssue::EmptyBlock { block });
            return None;
        }
        if items.len() > MAX_MATCHES {
            let (what, found, limit) = ("expressions to match", items.len(), MAX_MATCHES);
            self.reader.report(&node.place, ResidualIssue::TooMany { what, found, limit });
        }
        let path = format!("residual.{}.match", self.name);
        let parse = |item: &Node| {
            let (re, im) = sections::complex(self.reader, &path, item, self.names, Role::Quantity)?;
            Some(std::iter::once(re).chain(im).collect())
        };
        let parsed: Vec<Option<Vec<Expression>>> = items.iter().map(parse).collect();
        let parsed: Option<Vec<Vec<Expression>>> = parsed.into_iter().collect();
        parsed.map(|list| list.concat())
    }

    fn samples(&mut self, location: Option<&Location>) -> SampleSettings {
        let dimensions = self.names.coordinates.len();
        let interior = matches!(location, None | Some(Location::Interior));
        let free = if interior { dimensions } else { dimensions.saturating_sub(1) };
        let section = self.reader.section(&mut self.section, "points");
        let whole = self.domain.shape.is_none();
        let fewest = if interior { self.domain.fewest } else { 0 };
        let samples =
            residual_settings::samples(self.reader, section, free, whole, !interior, fewest);
        self.layout_fits(location, &samples);
        let each = |n: usize| match samples.layout {
            SampleLayout::Grid if !samples.walls => n.saturating_sub(2),
            _ => n,
        };
        if free > 0 && samples.count.iter().any(|&n| each(n) == 0) {
            let block = self.name.to_owned();
            let place = self.section.place_of("points");
            self.reader.report(&place, ResidualIssue::EmptyBlock { block });
        }
        samples
    }

    /// Grids and rules of quadrature are for boxes; grids also for what a shape leaves of them.
    fn layout_fits(&mut self, location: Option<&Location>, samples: &SampleSettings) {
        let curved = matches!(location, Some(Location::Parts(parts))
            if parts.iter().any(|part| matches!(part, Part::Piece(_))));
        let gauss = samples.layout == SampleLayout::Gauss && self.domain.shape.is_some();
        if gauss || (curved && samples.layout.is_grid()) {
            let place = self.section.place_of("points");
            let (what, layout) = (self.name.to_owned(), samples.layout.word());
            self.reader.report(&place, ShapeIssue::Layout { what, layout });
        }
    }
}
