//! Contradictions between the parts of a problem, found numerically at sample points.

use super::document::Place;
use super::exact_check::missed;
use super::reader::Reader;
use super::sections::Places;
use super::sides;
use crate::expression::{Expression, MAX_DIMENSIONS};
use crate::tabulated::uncovered;
use crate::{
    Boundary, Coordinate, FokkerPlanck, PointLayout, Problem, ReferenceKind, SettingIssue, Side,
    Transport,
};

/// Relative difference above which two formulas disagree.
const TOLERANCE: f64 = 1e-6;
/// Sample points inside the domain.
const SAMPLES: usize = 200;
/// Where the other coordinates stand, as fractions of their ranges, when sides are compared.
const FRACTIONS: [f64; 5] = [0.0, 0.137, 0.5, 0.831, 1.0];

pub(super) fn consistency(problem: &Problem, places: &Places, reader: &mut Reader<'_>) {
    let check = Check { problem, values: problem.parameter_values() };
    sides::factors(&problem.coordinates, &problem.names(), &places.coordinates, reader);
    check.corners(places, reader);
    if reader.issues.is_empty() {
        check.initial_on_sides(places, reader);
    }
    check.formulas(places, reader);
    check.characteristics(places, reader);
    check.tables(places, reader);
    if reader.issues.is_empty() {
        check.draws(places, reader);
    }
}

struct Check<'p> {
    problem: &'p Problem,
    values: Vec<f64>,
}

/// One side of the domain: coordinate, its value there with the sign of the outward normal, and what
/// holds there for one unknown.
struct End<'p> {
    coordinate: usize,
    at: [f64; 2],
    unknown: usize,
    side: &'p Side,
}

fn disagree(a: f64, b: f64, scale: f64) -> bool {
    let agree = (a - b).abs() <= TOLERANCE * scale.max(a.abs()).max(b.abs());
    // NaN agrees with nothing.
    !agree
}

impl<'p> Check<'p> {
    fn ends(&self) -> Vec<End<'p>> {
        let of = |(coordinate, c): (usize, &'p Coordinate)| {
            c.sides().into_iter().flatten().flat_map(move |(sides, at)| {
                let end = move |(unknown, side)| End { coordinate, at, unknown, side };
                sides.iter().enumerate().map(end)
            })
        };
        self.problem.coordinates.iter().enumerate().flat_map(of).collect()
    }

    /// What a side looks at, of a function.
    fn seen(&self, end: &End<'_>, u: &Expression) -> Expression {
        end.side.apply(u, (end.coordinate, self.problem.dimensions()), end.at)
    }

    fn times(&self) -> [f64; 3] {
        let time = self.problem.time;
        [0.0, 0.371, 1.0].map(|share| time.start + share * (time.end - time.start))
    }

    fn at_fraction(&self, fraction: f64) -> Vec<f64> {
        let inside = |c: &Coordinate| c.lower + fraction * (c.upper - c.lower);
        self.problem.coordinates.iter().map(inside).collect()
    }

    fn evaluate(&self, expression: &Expression, point: &[f64], time: f64) -> f64 {
        expression.evaluate_at(point, time, &self.values)
    }

    fn name(&self, end: &End<'_>) -> String {
        format!("{} = {}", self.problem.coordinates[end.coordinate].name, end.at[0])
    }

    fn describe(&self, point: &[f64]) -> String {
        let names = self.problem.coordinates.iter().map(|c| &c.name);
        let parts = names.zip(point).map(|(name, value)| format!("{name} = {}", rounded(*value)));
        parts.collect::<Vec<_>>().join(", ")
    }

    /// What two sides that meet ask for must agree where they meet: what each of them looks at, of
    /// what the other one asks for.
    fn corners(&self, places: &Places, reader: &mut Reader<'_>) {
        let ends = self.ends();
        for (index, first) in ends.iter().enumerate() {
            let meets =
                |s: &&End<'_>| s.coordinate != first.coordinate && s.unknown == first.unknown;
            for second in ends[index..].iter().filter(meets) {
                let meeting = |fraction: f64| {
                    let mut point = self.at_fraction(fraction);
                    point[first.coordinate] = first.at[0];
                    point[second.coordinate] = second.at[0];
                    point
                };
                let of_first = self.seen(second, first.side.value());
                let of_second = self.seen(first, second.side.value());
                let places_and_times =
                    FRACTIONS.iter().flat_map(|&f| self.times().map(|time| (meeting(f), time)));
                let mut pairs = places_and_times.map(|(point, time)| {
                    let of = |e: &Expression| self.evaluate(e, &point, time);
                    (of(&of_first), of(&of_second))
                });
                if let Some((a, b)) = pairs.find(|&(a, b)| disagree(a, b, 1.0)) {
                    let issue = SettingIssue::CornerDisagrees {
                        first: self.name(first),
                        second: self.name(second),
                        a: rounded(a),
                        b: rounded(b),
                    };
                    reader.report(&places.coordinates[second.coordinate], issue);
                }
            }
        }
    }

    /// The ansatz has the given values from the start: the initial state must have them too.
    fn initial_on_sides(&self, places: &Places, reader: &mut Reader<'_>) {
        for end in self.ends().iter().filter(|end| !end.side.is_flux()) {
            for fraction in FRACTIONS {
                let mut point = self.at_fraction(fraction);
                point[end.coordinate] = end.at[0];
                let start = self.problem.time.start;
                let initial = self.evaluate(&self.problem.initial[end.unknown], &point, start);
                let value = self.evaluate(end.side.value(), &point, start);
                if disagree(initial, value, 1.0) {
                    let issue = SettingIssue::InitialDisagrees {
                        place: self.describe(&point),
                        initial: rounded(initial),
                        value: rounded(value),
                    };
                    reader.report(&places.initial, issue);
                    break;
                }
            }
        }
    }

    /// Formulas must be finite, and the exact solution must start at the initial state.
    fn formulas(&self, places: &Places, reader: &mut Reader<'_>) {
        let start = self.problem.time.start;
        let points: Vec<Vec<f64>> = (0..SAMPLES).map(|index| self.sample(index)).collect();
        for (unknown, initial) in self.problem.initial.iter().enumerate() {
            let initial = |point: &[f64]| self.evaluate(initial, point, start);
            if let Some(point) = points.iter().find(|point| !initial(point).is_finite()) {
                self.not_finite("the initial state", point, &places.initial, reader);
                return;
            }
            let Some(exact) = &self.problem.exact else { continue };
            self.exact(&exact[unknown], &initial, &points, places, reader);
        }
        // Where another reference is asked for, nothing is compared with the exact solution.
        let compared =
            matches!(self.problem.reference.kind, ReferenceKind::Auto | ReferenceKind::Exact);
        if !reader.issues.is_empty() || !compared {
            return;
        }
        if self.exact_on_sides(places, reader) {
            return;
        }
        if let Some((unknown, point, value)) = missed(self.problem, &points, &self.times()) {
            let issue = SettingIssue::ExactFails {
                unknown: self.problem.unknowns[unknown].clone(),
                place: self.describe(&point),
                value: rounded(value),
            };
            reader.report(&places.exact, issue);
        }
    }

    /// Whether the exact solution misses what a side asks for, which is reported.
    fn exact_on_sides(&self, places: &Places, reader: &mut Reader<'_>) -> bool {
        let Some(exact) = &self.problem.exact else { return false };
        let scale = |unknown: usize| {
            let value = |index: usize| {
                let at = |time| self.evaluate(&exact[unknown], &self.sample(index), time).abs();
                // What starts at rest is as large as it becomes.
                self.times().map(at).into_iter().fold(0.0, f64::max)
            };
            (0..SAMPLES).map(value).fold(0.0, f64::max)
        };
        for end in self.ends() {
            let scale = scale(end.unknown);
            let seen = self.seen(&end, &exact[end.unknown]);
            for (fraction, time) in FRACTIONS.iter().flat_map(|f| self.times().map(|t| (*f, t))) {
                let mut point = self.at_fraction(fraction);
                point[end.coordinate] = end.at[0];
                let own = self.evaluate(&seen, &point, time);
                let value = self.evaluate(end.side.value(), &point, time);
                if disagree(own, value, scale) {
                    let issue = SettingIssue::ExactOnSide {
                        place: self.describe(&point),
                        time: rounded(time),
                        exact: rounded(own),
                        value: rounded(value),
                    };
                    reader.report(&places.exact, issue);
                    return true;
                }
            }
        }
        false
    }

    fn exact(
        &self,
        exact: &Expression,
        initial: &dyn Fn(&[f64]) -> f64,
        points: &[Vec<f64>],
        places: &Places,
        reader: &mut Reader<'_>,
    ) {
        let start = self.problem.time.start;
        for time in self.times() {
            let bad = |point: &&Vec<f64>| !self.evaluate(exact, point, time).is_finite();
            if let Some(point) = points.iter().find(bad) {
                self.not_finite("the exact solution", point, &places.exact, reader);
                return;
            }
        }
        let scale = points.iter().map(|point| initial(point).abs()).fold(0.0, f64::max);
        for point in points {
            let (exact, initial) = (self.evaluate(exact, point, start), initial(point));
            if disagree(exact, initial, scale) {
                let issue = SettingIssue::ExactDisagrees {
                    place: self.describe(point),
                    exact: rounded(exact),
                    initial: rounded(initial),
                };
                reader.report(&places.exact, issue);
                return;
            }
        }
    }

    /// Tables reach as far as the coordinates that they are used with.
    fn tables(&self, places: &Places, reader: &mut Reader<'_>) {
        let problem = self.problem;
        let sides = problem.coordinates.iter().flat_map(|c| c.sides().into_iter().flatten());
        let asked = sides.flat_map(|(sides, _)| sides.iter().map(Side::value));
        let formulas = problem.right_hand_side.iter().chain(&problem.initial).chain(asked);
        let formulas: Vec<&Expression> = formulas.chain(problem.exact.iter().flatten()).collect();
        let range = |argument: &Expression| match argument {
            Expression::Coordinate(k) => {
                let c = problem.coordinates.get(*k)?;
                (c.boundary != Boundary::Open).then_some([c.lower, c.upper])
            }
            Expression::Time => Some([problem.time.start, problem.time.end]),
            _ => None,
        };
        if let Some((table, issue)) = uncovered(&formulas, &problem.names(), &range) {
            reader.report(&places.tables[table], issue);
        }
    }

    /// Only linear transport in a periodic box is followed along characteristics.
    fn characteristics(&self, places: &Places, reader: &mut Reader<'_>) {
        let problem = self.problem;
        let periodic = problem.coordinates.iter().all(|c| c.boundary == Boundary::Periodic);
        let wanted = problem.reference.kind == ReferenceKind::Characteristics;
        if wanted && !(periodic && Transport::of(problem).is_some()) {
            reader.report(&places.reference, SettingIssue::NoCharacteristics);
        }
    }

    /// Points are drawn from a density that is somewhere; the Gaussian reference is for linear
    /// Fokker-Planck equations.
    fn draws(&self, places: &Places, reader: &mut Reader<'_>) {
        let problem = self.problem;
        let adaptive = problem.points.layout == PointLayout::Adaptive;
        if adaptive && problem.unknowns.len() > 1 {
            let unknowns = problem.unknowns.len();
            reader.report(&places.points, SettingIssue::DrawsOfSystem { unknowns });
            return;
        }
        for (coordinate, place) in problem.coordinates.iter().zip(&places.coordinates) {
            if coordinate.boundary == Boundary::Open && !adaptive {
                let name = coordinate.name.clone();
                reader.report(place, SettingIssue::OpenWithoutDraws { name });
            }
        }
        let somewhere = |index: usize| {
            let u = self.evaluate(&problem.initial[0], &self.sample(index), problem.time.start);
            problem.points.density.logarithm(u).is_finite()
        };
        if adaptive && !(0..SAMPLES).any(somewhere) {
            reader.report(&places.initial, SettingIssue::NothingToDraw);
        }
        let wanted = problem.reference.kind == ReferenceKind::Gaussian;
        if wanted && FokkerPlanck::of(problem).is_none() {
            reader.report(&places.reference, SettingIssue::NoGaussian);
        }
    }

    fn not_finite(
        &self,
        what: &'static str,
        point: &[f64],
        place: &Place,
        reader: &mut Reader<'_>,
    ) {
        reader.report(place, SettingIssue::NotFinite { what, place: self.describe(point) });
    }

    /// Point `index` of a Weyl sequence: the fractional parts of multiples of square roots of
    /// primes fill the box evenly.
    fn sample(&self, index: usize) -> Vec<f64> {
        const PRIMES: [f64; MAX_DIMENSIONS] = [2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0];
        let along = |(c, prime): (&Coordinate, f64)| {
            let fraction = ((index as f64 + 0.5) * prime.sqrt()).fract();
            c.lower + fraction * (c.upper - c.lower)
        };
        self.problem.coordinates.iter().zip(PRIMES).map(along).collect()
    }
}

/// Four significant digits, for messages.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}
