//! Contradictions between the parts of a residual problem, found numerically at sample points.

use super::reader::Reader;
use super::residual::Places;
use crate::SettingIssue;
use crate::expression::{Channel, Entry, Expression, MAX_DIMENSIONS};
use crate::residual::{
    Axis, Condition, Location, Part, Plane, ResidualBlock, ResidualIssue, ResidualProblem,
};
use crate::tabulated::uncovered;

/// Relative difference above which two formulas disagree.
const TOLERANCE: f64 = 1e-6;
/// Sample points of a block, on all of its planes together, and the fewest of one plane.
const SAMPLES: usize = 64;
const FEWEST: usize = 8;
/// The largest derivative of an exact solution that is made for the check.
const MAX_SIZE: usize = 4096;

pub(super) fn consistency(problem: &ResidualProblem, places: &Places, reader: &mut Reader<'_>) {
    let check = Check { problem, values: problem.parameter_values() };
    check.same_part(places, reader);
    check.exact(places, reader);
    check.companion(places, reader);
    check.tables(places, reader);
}

struct Check<'p> {
    problem: &'p ResidualProblem,
    values: Vec<f64>,
}

impl Check<'_> {
    fn evaluate(&self, expression: &Expression, point: &[f64]) -> f64 {
        expression.evaluate_at(point, 0.0, &self.values)
    }

    /// Tables reach as far as the coordinates that they are used with.
    fn tables(&self, places: &Places, reader: &mut Reader<'_>) {
        let problem = self.problem;
        let blocks = problem.blocks.iter().flat_map(|block| block.condition.expressions());
        let formulas: Vec<&Expression> = blocks.chain(problem.exact.iter().flatten()).collect();
        let range = |argument: &Expression| match argument {
            // What stands behind the coordinates is the normal.
            Expression::Coordinate(k) => problem.axes.get(*k).map(|axis| [axis.lower, axis.upper]),
            _ => None,
        };
        if let Some((table, issue)) = uncovered(&formulas, &problem.names(), &range) {
            reader.report(&places.tables[table], issue);
        }
    }

    fn describe(&self, point: &[f64]) -> String {
        let names = self.problem.axes.iter().map(|axis| &axis.name);
        let parts = names.zip(point).map(|(name, value)| format!("{name} = {}", rounded(*value)));
        parts.collect::<Vec<_>>().join(", ")
    }

    /// Two blocks that prescribe the unknown itself on one part must prescribe the same.
    fn same_part(&self, places: &Places, reader: &mut Reader<'_>) {
        let conditions: Vec<(usize, Part, usize, Expression)> = self
            .problem
            .blocks
            .iter()
            .enumerate()
            .flat_map(|(index, block)| {
                prescribed(block).into_iter().map(move |of| (index, block, of))
            })
            .filter(|(_, _, (_, value))| !self.problem.is_sought_in(value))
            .flat_map(|(index, block, (unknown, value))| {
                let parts = match &block.location {
                    Location::Parts(parts) => parts.clone(),
                    _ => Vec::new(),
                };
                parts.into_iter().map(move |part| (index, part, unknown, value.clone()))
            })
            .collect();
        for (number, (first, part, unknown, a)) in conditions.iter().enumerate() {
            let others = conditions[number + 1..].iter();
            let same = |(index, p, of, _): &&(usize, Part, usize, Expression)| {
                p == part && of == unknown && index != first
            };
            for (second, _, _, b) in others.filter(same) {
                let differs = |point: &Vec<f64>| {
                    let (a, b) = (self.evaluate(a, point), self.evaluate(b, point));
                    let scale = 1f64.max(a.abs()).max(b.abs());
                    (a - b).abs() > TOLERANCE * scale
                };
                if let Some(point) = self.on(part).into_iter().find(differs) {
                    let name = |index: usize| self.problem.blocks[index].name.clone();
                    let issue = ResidualIssue::ConditionsDisagree {
                        first: name(*first),
                        second: name(*second),
                        place: self.describe(&point),
                        a: rounded(self.evaluate(a, &point)),
                        b: rounded(self.evaluate(b, &point)),
                    };
                    reader.report(&places.blocks[*second], issue);
                }
            }
        }
    }

    /// The reference must start where the blocks at its start say.
    fn companion(&self, places: &Places, reader: &mut Reader<'_>) {
        let Some(companion) = &self.problem.companion else { return };
        let plane = Plane { coordinate: companion.time, at: companion.problem.time.start };
        for block in &self.problem.blocks {
            let at_start =
                matches!(&block.location, Location::Parts(p) if p.contains(&Part::Plane(plane)));
            let Some((_, wanted)) = prescribed(block).pop().filter(|_| at_start) else { continue };
            if self.problem.is_sought_in(&wanted) {
                continue;
            }
            let values = |point: &[f64]| {
                let found = companion.initial_at(point[companion.space]);
                (self.evaluate(&wanted, point), found)
            };
            let differs = |point: &Vec<f64>| {
                let (a, b) = values(point);
                let close = (a - b).abs() <= TOLERANCE * 1f64.max(a.abs());
                !close
            };
            if let Some(point) = self.samples(Some(plane)).into_iter().find(differs) {
                let (a, b) = values(&point);
                let (first, second) = (block.name.clone(), "the reference".to_owned());
                let place = self.describe(&point);
                let (a, b) = (rounded(a), rounded(b));
                let issue = ResidualIssue::ConditionsDisagree { first, second, place, a, b };
                reader.report(&places.companion, issue);
            }
        }
    }

    /// The exact solution must be finite and satisfy every equation.
    fn exact(&self, places: &Places, reader: &mut Reader<'_>) {
        let Some(exact) = &self.problem.exact else { return };
        let finite = |point: &&Vec<f64>| exact.iter().any(|e| !self.evaluate(e, point).is_finite());
        if let Some(point) = self.samples(None).iter().find(finite) {
            let (what, place) = ("the exact solution", self.describe(point));
            reader.report(&places.exact, SettingIssue::NotFinite { what, place });
            return;
        }
        // With constants to be found nobody knows yet what the equations are.
        let sought = |block: &ResidualBlock| {
            block.condition.expressions().iter().any(|e| self.problem.is_sought_in(e))
        };
        let blocks = self.problem.blocks.iter().zip(&places.blocks);
        for (block, place) in blocks.filter(|(block, _)| !sought(block)) {
            if let Some((point, value)) = self.missed(exact, block) {
                let issue = ResidualIssue::ExactFails {
                    block: block.name.clone(),
                    place: self.describe(&point),
                    value: rounded(value),
                };
                reader.report(place, issue);
            }
        }
    }

    /// Where and by how much the exact solution misses a block, if it does. Data may be noisy, and
    /// an energy is not zero: neither can be missed.
    fn missed(&self, exact: &[Expression], block: &ResidualBlock) -> Option<(Vec<f64>, f64)> {
        let wanted = block.condition.expressions().iter().flat_map(Expression::entries);
        let derivatives = Derivatives::new(exact, wanted, self.problem.dimensions())?;
        let at = |expression: &Expression, point: &[f64]| {
            let place = crate::expression::Place {
                coordinates: point,
                time: 0.0,
                parameters: &self.values,
            };
            let known = |(entry, e): &(Entry, Expression)| (*entry, self.evaluate(e, point));
            let values: Vec<(Entry, f64)> = derivatives.0.iter().map(known).collect();
            let jet = |entry: Entry| {
                values
                    .iter()
                    .find(|(known, _)| *known == entry)
                    .map_or(f64::NAN, |(_, value)| *value)
            };
            // The sizes of the terms are those of the jet: what is lost is relative to them.
            let size = values.iter().map(|(_, value)| value.abs()).fold(1.0, f64::max);
            (expression.evaluate(place, &jet), size)
        };
        let wrong = |value: f64, scale: f64| value.is_nan() || value.abs() > TOLERANCE * scale;
        let mut cases: Vec<(Vec<f64>, f64, f64)> = Vec::new();
        match (&block.location, &block.condition) {
            (location, Condition::Equations(list)) => {
                let points = match location {
                    Location::Parts(parts) => self.on_parts(parts),
                    _ => self.samples(None),
                };
                for point in points {
                    for equation in list {
                        let (value, scale) = at(equation, &point);
                        cases.push((point.clone(), value, scale));
                    }
                }
            }
            (Location::Seam { coordinate }, Condition::Match(list)) => {
                let axis = &self.problem.axes[*coordinate];
                let plane = Plane { coordinate: *coordinate, at: axis.lower };
                for point in self.samples(Some(plane)) {
                    let mut partner = point.clone();
                    partner[*coordinate] = axis.upper;
                    for expression in list {
                        let ((a, size), (b, _)) =
                            (at(expression, &point), at(expression, &partner));
                        cases.push((point.clone(), a - b, size));
                    }
                }
            }
            _ => {}
        }
        let found = cases.into_iter().find(|(_, value, scale)| wrong(*value, *scale));
        found.map(|(point, value, _)| (point, value))
    }

    /// Points of a Weyl sequence, moved onto a plane where one is given: the fractional parts of
    /// multiples of square roots of primes fill the box evenly.
    fn samples(&self, plane: Option<Plane>) -> Vec<Vec<f64>> {
        const PRIMES: [f64; MAX_DIMENSIONS] = [2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0];
        let point = |index: usize| -> Vec<f64> {
            let along = |(k, (axis, prime)): (usize, (&Axis, f64))| match plane {
                Some(plane) if plane.coordinate == k => plane.at,
                _ => axis.lower + ((index as f64 + 0.5) * prime.sqrt()).fract() * axis.length(),
            };
            self.problem.axes.iter().zip(PRIMES).enumerate().map(along).collect()
        };
        let domain = self.problem.domain();
        let inside = |point: &Vec<f64>| plane.is_some() || domain.contains(point);
        (0..).map(point).filter(inside).take(SAMPLES).collect()
    }

    /// Points of a part: of a plane in a whole box, or of what a shape leaves.
    fn on(&self, part: &Part) -> Vec<Vec<f64>> {
        match (part, &self.problem.shape) {
            (Part::Plane(plane), None) => self.samples(Some(*plane)),
            _ => self.problem.domain().points_of_part(part, SAMPLES),
        }
    }

    /// Points of several parts, with the normals behind the coordinates.
    fn on_parts(&self, parts: &[Part]) -> Vec<Vec<f64>> {
        let count = (SAMPLES / parts.len()).max(FEWEST);
        let with_normal = |part: &Part| -> Vec<Vec<f64>> {
            let points: Vec<Vec<f64>> = self.on(part).into_iter().take(count).collect();
            let normals = self.problem.domain().normals(&[*part], &points.concat());
            let joined = |(i, mut point): (usize, Vec<f64>)| {
                point.extend(normals.iter().map(|column| column[i]));
                point
            };
            points.into_iter().enumerate().map(joined).collect()
        };
        parts.iter().flat_map(with_normal).collect()
    }
}

/// The values that a block prescribes for unknowns: g of `u = g`.
fn prescribed(block: &ResidualBlock) -> Vec<(usize, Expression)> {
    let Condition::Equations(list) = &block.condition else { return Vec::new() };
    let of = |equation: &Expression| {
        let entries: Vec<Entry> = equation.entries().into_iter().collect();
        let [entry] = entries.as_slice() else { return None };
        let slope = equation.derivative_by(*entry).simplify();
        let only_value = entry.channel == Channel::value();
        (only_value && slope.entries().is_empty()).then(|| {
            let rest = equation.substitute_jet(&|_| Expression::Constant(0.0));
            (entry.unknown, (-rest / slope).simplify())
        })
    };
    list.iter().filter_map(of).collect()
}

/// The derivatives of the exact solution that equations name.
pub(super) struct Derivatives(pub Vec<(Entry, Expression)>);

impl Derivatives {
    /// `None` where they would be too large to be made.
    pub fn new(
        exact: &[Expression],
        wanted: impl Iterator<Item = Entry>,
        dimensions: usize,
    ) -> Option<Self> {
        let along = |e: &Expression, k: usize| -> Option<Expression> {
            (e.derivative_size_bound() <= MAX_SIZE)
                .then(|| e.differentiate_coordinate(k, dimensions).simplify())
        };
        let partial = |entry: &Entry| -> Option<Expression> {
            let exact = &exact[entry.unknown];
            match entry.channel {
                Channel::Partial(index) => {
                    let mut result = exact.clone();
                    for (k, &times) in index.0.iter().enumerate() {
                        for _ in 0..times {
                            result = along(&result, k)?;
                        }
                    }
                    Some(result)
                }
                Channel::Laplacian => (0..dimensions)
                    .try_fold(0.0.into(), |sum, k| Some(sum + along(&along(exact, k)?, k)?)),
            }
        };
        let found: Option<Vec<_>> = wanted.map(|entry| Some((entry, partial(&entry)?))).collect();
        found.map(Self)
    }
}

/// Four significant digits, for messages.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}
