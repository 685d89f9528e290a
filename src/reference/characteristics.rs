//! Linear transport along its characteristics, to about round-off.
//!
//! `u_t + a . grad u = c u + s` has `u(x, t) = u_0(X) e^G + W`, where X is the foot of the
//! characteristic through (x, t), `X' = a`, and G and W gather c and s along it. They are found by
//! integrating backwards from (x, t) ([`extrapolation`](super::extrapolation)).
//!
//! A characteristic that leaves a periodic box comes in again on the other side. Where the
//! velocity is not itself periodic it jumps there: such a crossing is located, and the integration
//! begins anew behind it.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::ReferenceError;
use super::extrapolation::{State, Step, TOLERANCE, step};
use crate::problem::expression::{Expression, Place};
use crate::problem::{Boundary, Points, Problem, Transport};

/// Steps of one characteristic.
const MOST_STEPS: usize = 10_000;
/// Where two times count as the same, relative to the span.
const SAME: f64 = 1e-12;
/// Places at which a velocity is asked whether it is periodic.
const SAMPLES: usize = 64;
/// Iterations that locate a crossing.
const LOCATING: usize = 60;
/// A state nearer to a seam than this part of the box is on it, if its way out is shorter than
/// that part of the whole run.
const ON_SEAM: f64 = 1e-13;
const WAY_OUT: f64 = 1e-6;
/// Crossings of seams without a step in between.
const MOST_CROSSINGS: usize = 16;
/// Positions of G and W in a state, behind the coordinates.
const BEHIND: usize = crate::problem::expression::MAX_DIMENSIONS;

/// u of a linear transport equation at any time and place.
#[derive(Debug)]
pub struct Characteristics {
    transport: Transport,
    initial: Expression,
    ranges: Vec<[f64; 2]>,
    /// Coordinates at whose ends the velocity jumps.
    seams: Vec<bool>,
    start: f64,
    end: f64,
    autonomous: bool,
    conserves: bool,
    /// How far the last points were followed: those of a later time go on from there where the
    /// equation does not depend on time.
    kept: Mutex<Option<Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    time: f64,
    coordinates: Vec<f64>,
    states: Vec<State>,
}

impl Clone for Characteristics {
    fn clone(&self) -> Self {
        Self {
            transport: self.transport.clone(),
            initial: self.initial.clone(),
            ranges: self.ranges.clone(),
            seams: self.seams.clone(),
            kept: Mutex::new(None),
            ..*self
        }
    }
}

/// The same solution; what was computed of it so far does not matter.
impl PartialEq for Characteristics {
    fn eq(&self, other: &Self) -> bool {
        self.transport == other.transport
            && self.initial == other.initial
            && self.ranges == other.ranges
            && (self.start, self.end) == (other.start, other.end)
    }
}

impl Characteristics {
    /// The reference of a problem.
    ///
    /// # Errors
    /// [`ReferenceError::NotTransport`] where the equation is not linear transport,
    /// [`ReferenceError::NotPeriodic`] where a coordinate has ends.
    pub fn of(problem: &Problem) -> Result<Self, ReferenceError> {
        let transport = Transport::of(problem).ok_or(ReferenceError::NotTransport)?;
        let with_ends = problem.coordinates.iter().find(|c| c.boundary != Boundary::Periodic);
        if let Some(coordinate) = with_ends {
            return Err(ReferenceError::NotPeriodic { coordinate: coordinate.name.clone() });
        }
        let mut characteristics = Self {
            autonomous: transport.is_autonomous(),
            conserves: transport.conserves(),
            transport,
            initial: problem.initial[0]
                .substitute_parameters(&problem.parameter_values())
                .simplify(),
            ranges: problem.coordinates.iter().map(|c| [c.lower, c.upper]).collect(),
            seams: vec![false; problem.dimensions()],
            start: problem.time.start,
            end: problem.time.end,
            kept: Mutex::new(None),
        };
        let points = Points::sobol(&problem.coordinates, SAMPLES, 0);
        characteristics.seams =
            (0..problem.dimensions()).map(|k| characteristics.jumps(k, &points)).collect();
        Ok(characteristics)
    }

    /// Whether an end of coordinate `k` is a seam: whether some part of the equation is another
    /// function one period further on.
    fn jumps(&self, k: usize, points: &Points) -> bool {
        let [lower, upper] = self.ranges[k];
        let transport = &self.transport;
        let parts = transport.velocity.iter().chain([&transport.growth, &transport.source]);
        let differs = |part: &Expression, i: usize| {
            let here = points.point(i).to_vec();
            let mut there = here.clone();
            there[k] += upper - lower;
            let [a, b] = [here, there].map(|x| part.evaluate_at(&x, self.start, &[]));
            // Written so that what is not a number counts as a jump.
            let same = (a - b).abs() <= 1e-9 * (1.0 + a.abs());
            !same
        };
        parts.into_iter().any(|part| (0..points.len()).any(|i| differs(part, i)))
    }

    /// u at the points, whose coordinates lie point by point.
    ///
    /// # Errors
    /// [`ReferenceError::TimeOutside`] when `time` is outside the run,
    /// [`ReferenceError::Characteristic`] where one cannot be followed to the start.
    pub fn values(&self, time: f64, coordinates: &[f64]) -> Result<Vec<f64>, ReferenceError> {
        let (start, end) = (self.start, self.end);
        let slack = SAME * (end - start);
        if !(time >= start - slack && time <= end + slack) {
            return Err(ReferenceError::TimeOutside { time, start, end });
        }
        let states = self.states(time, coordinates)?;
        Ok(states.iter().map(|state| self.value(state)).collect())
    }

    /// Where the characteristics through the points at `time` begin, and G and W.
    fn states(&self, time: f64, coordinates: &[f64]) -> Result<Vec<State>, ReferenceError> {
        let dimensions = self.ranges.len();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = kept
            .take()
            .filter(|kept| self.autonomous && kept.time <= time && kept.coordinates == coordinates);
        let (done, states) = match earlier {
            Some(kept) => (kept.time - self.start, kept.states),
            None => {
                let begun = coordinates.chunks_exact(dimensions).map(|x| {
                    let mut state = State::default();
                    state[..dimensions].copy_from_slice(x);
                    state
                });
                (0.0, begun.collect())
            }
        };
        let span = time - self.start - done;
        let states: Result<Vec<State>, ReferenceError> =
            states.into_par_iter().map(|state| self.follow(state, time, span)).collect();
        let states = states?;
        let coordinates = coordinates.to_vec();
        *kept = Some(Kept { time, coordinates, states: states.clone() });
        Ok(states)
    }

    fn value(&self, state: &State) -> f64 {
        let mut foot = state[..self.ranges.len()].to_vec();
        for (x, &[lower, upper]) in foot.iter_mut().zip(&self.ranges) {
            *x = lower + (*x - lower).rem_euclid(upper - lower);
        }
        let start = self.initial.evaluate_at(&foot, self.start, &[]);
        if self.conserves { start } else { start * state[BEHIND].exp() + state[BEHIND + 1] }
    }

    /// d/ds of the state at the time t - s.
    fn rate(&self, time: f64, state: &State) -> State {
        let coordinates = &state[..self.ranges.len()];
        let place = Place { coordinates, time, parameters: &[] };
        let evaluate = |part: &Expression| part.evaluate(place, &|_| f64::NAN);
        let mut rate = State::default();
        for (rate, velocity) in rate.iter_mut().zip(&self.transport.velocity) {
            *rate = -evaluate(velocity);
        }
        if !self.conserves {
            rate[BEHIND] = evaluate(&self.transport.growth);
            rate[BEHIND + 1] = evaluate(&self.transport.source) * state[BEHIND].exp();
        }
        rate
    }

    /// Goes back from `time` by `span`.
    fn follow(&self, from: State, time: f64, span: f64) -> Result<State, ReferenceError> {
        let rate = |s: f64, state: &State| self.rate(time - s, state);
        let outside = |state: &State| self.exit(state).is_some();
        let (mut state, mut s, mut h, mut crossings) = (from, 0.0, span, 0);
        for _ in 0..MOST_STEPS {
            let left = span - s;
            if left <= 0.0 {
                return Ok(state);
            }
            let length = h.min(left);
            match step(&rate, s, &state, length, &outside) {
                Step::Rejected { factor } => h = length * factor,
                Step::Left { part } => {
                    h = length * part;
                    if h < WAY_OUT * (self.end - self.start)
                        && let Some(across) = self.across(state)
                    {
                        crossings += 1;
                        (state, h) = (across, left);
                    }
                }
                Step::Taken { end, factor } => match self.exit(&end) {
                    None => {
                        (state, h, crossings) = (end, length * factor, 0);
                        s = if length == left { span } else { s + length };
                    }
                    Some(k) => {
                        let Some((part, end)) = self.crossing(&rate, (s, &state), length, k) else {
                            break;
                        };
                        (state, s, h) = (end, s + part, length);
                    }
                },
            }
            if h < f64::EPSILON * span || crossings > MOST_CROSSINGS {
                // The way leads out on both sides of the seam: a place that begins there stays.
                if s == 0.0 && crossings > 0 {
                    return Ok(from);
                }
                break;
            }
        }
        let place = from[..self.ranges.len()].to_vec();
        Err(ReferenceError::Characteristic { place, time })
    }

    /// A state that is on a seam, on the other side of it.
    fn across(&self, mut state: State) -> Option<State> {
        for (x, (&[lower, upper], seam)) in
            state.iter_mut().zip(self.ranges.iter().zip(&self.seams))
        {
            let (below, above) = (*x - lower, upper - *x);
            if *seam && below.min(above) <= ON_SEAM * (upper - lower) {
                *x = if below < above { upper } else { lower };
                return Some(state);
            }
        }
        None
    }

    /// The coordinate beyond whose seam a state is.
    fn exit(&self, state: &State) -> Option<usize> {
        let beyond = |k: usize| {
            let [lower, upper] = self.ranges[k];
            self.seams[k] && !(lower..=upper).contains(&state[k])
        };
        (0..self.ranges.len()).find(|&k| beyond(k))
    }

    /// When coordinate `k` reaches its seam within a step of at most `longest`, and the state on
    /// the other side: Newton's method, kept within the bracket by bisection.
    fn crossing(
        &self,
        rate: &impl Fn(f64, &State) -> State,
        (s, from): (f64, &State),
        longest: f64,
        k: usize,
    ) -> Option<(f64, State)> {
        let [lower, upper] = self.ranges[k];
        let (mut short, mut long, mut h) = (0.0, longest, longest);
        for _ in 0..LOCATING {
            let Step::Taken { end, .. } = step(rate, s, from, h, &|_| false) else { return None };
            let (target, other) =
                if end[k] - lower < upper - end[k] { (lower, upper) } else { (upper, lower) };
            let beyond = end[k] - target;
            let inside = (lower..=upper).contains(&end[k]);
            if beyond.abs() <= 4.0 * f64::EPSILON * (upper - lower) || long - short < TOLERANCE * h
            {
                let mut end = end;
                end[k] = other;
                return Some((h, end));
            }
            *(if inside { &mut short } else { &mut long }) = h;
            let newton = h - beyond / rate(s + h, &end)[k];
            h = if newton > short && newton < long { newton } else { 0.5 * (short + long) };
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Overrides;

    fn problem(equation: &str, initial: &str, side: f64) -> Problem {
        let text = format!(
            "format = 1\n[equation]\ntext = '{equation}'\n[domain]\n\
             x = {{ range = [-{side}, {side}] }}\ny = {{ range = [-{side}, {side}] }}\n\
             [time]\nend = 3\n[initial]\nu = '{initial}'"
        );
        Problem::from_toml(&text, &Overrides::new()).expect("a problem")
    }

    /// Largest difference from `exact` over points of the box's inner part and several times.
    fn error(problem: &Problem, part: f64, exact: impl Fn(f64, &[f64]) -> f64) -> f64 {
        let reference = Characteristics::of(problem).expect("transport");
        let mut points = Points::sobol(&problem.coordinates, 200, 1).coordinates;
        points.iter_mut().for_each(|x| *x *= part);
        let mut most = 0.0f64;
        for time in [0.0, 0.1, 1.7, 3.0, 0.4] {
            let values = reference.values(time, &points).expect("values");
            for (value, x) in values.iter().zip(points.chunks_exact(2)) {
                most = most.max((value - exact(time, x)).abs());
            }
        }
        most
    }

    const BUMP: &str = "exp(-(x - 0.5)^2 - 2*y^2)";

    fn bump(x: f64, y: f64) -> f64 {
        (-(x - 0.5).powi(2) - 2.0 * y * y).exp()
    }

    #[test]
    fn a_rotation_turns_the_start() {
        let turned = |speed: f64| {
            move |t: f64, x: &[f64]| {
                let (sin, cos) = (speed * t).sin_cos();
                bump(x[0] * cos + x[1] * sin, x[1] * cos - x[0] * sin)
            }
        };
        let problem = problem("u_t = y*u_x - x*u_y", BUMP, 4.0);
        // What starts in this part stays within the box.
        let right = error(&problem, 0.7, turned(1.0));
        assert!(right < 1e-13, "{right:e}");
        let planted = error(&problem, 0.7, turned(1.0 + 1e-11));
        assert!(planted > 5e-12, "a slightly wrong rotation is seen: {planted:e}");
    }

    #[test]
    fn growth_and_sources_along_a_shear_that_depends_on_time() {
        // x' = cos(t) y, y' = 0, u' = u/2 + y.
        let problem = problem("u_t = -cos(t)*y*u_x + u/2 + y", BUMP, 40.0);
        let exact = |t: f64, x: &[f64]| {
            let start = bump(x[0] - t.sin() * x[1], x[1]);
            start * (t / 2.0).exp() + 2.0 * x[1] * ((t / 2.0).exp() - 1.0)
        };
        let most = error(&problem, 0.05, exact);
        assert!(most < 1e-12, "{most:e}");
    }

    /// x' = y is another velocity on the other side of the seam of y, where u goes on with it.
    #[test]
    fn a_velocity_that_jumps_at_the_seam_is_taken_from_the_right_side() {
        let problem = problem("u_t = -y*u_x - u_y", "sin(pi*x)", 1.0);
        let exact = |t: f64, x: &[f64]| {
            // Back along y' = -1: x changes by the integral of the wrapped y.
            let (mut left, mut moved, mut y) = (t, 0.0, x[1]);
            while left > 0.0 {
                let part = f64::min(left, y + 1.0);
                moved += part * (y - part / 2.0);
                (left, y) = (left - part, if part < left { 1.0 } else { y });
            }
            (std::f64::consts::PI * (x[0] - moved)).sin()
        };
        let most = error(&problem, 0.99, exact);
        assert!(most < 1e-12, "{most:e}");
        let unwrapped =
            |t: f64, x: &[f64]| (std::f64::consts::PI * (x[0] - t * x[1] + t * t / 2.0)).sin();
        assert!(error(&problem, 0.99, unwrapped) > 0.1, "without the seam it is another solution");
    }

    /// Places on the seam itself, from which the way back leads out of the box, at once or after
    /// standing still.
    #[test]
    fn characteristics_that_begin_on_a_seam_are_followed() {
        let problem = problem("u_t = -y*u_x - sin(pi*x)*u_y", "cos(pi*y)", 1.0);
        let reference = Characteristics::of(&problem).expect("transport");
        for x in [-0.7, -0.5, 0.3, 0.5] {
            // u is continuous across the seam of y.
            let [on, near] =
                [-1.0, -1.0 + 1e-9].map(|y| reference.values(0.2, &[x, y]).expect("a way back")[0]);
            assert!((on - near).abs() < 1e-7, "{x}: {on} and {near}");
        }
        // Both ways out lead to the other side: it stays.
        assert_eq!(reference.values(0.2, &[0.0, -1.0]).expect("a value"), [-1.0]);
    }

    #[test]
    fn the_vlasov_preset_has_a_value_everywhere_and_keeps_its_range() {
        let problem = Problem::preset("vlasov").expect("a preset");
        let reference = Characteristics::of(&problem).expect("transport");
        let grid = Points::evaluation_grid(&problem.coordinates, &[16, 24]).coordinates;
        let most = std::f64::consts::TAU.sqrt().recip();
        for time in [0.005, 1.0, 3.0] {
            let values = reference.values(time, &grid).expect("a value everywhere");
            assert!(values.iter().all(|u| (0.0..=most).contains(u)), "at {time}");
            // What begins at the bottom of the potential without speed stays there.
            let bottom = reference.values(time, &[std::f64::consts::PI, 0.0]).expect("a value");
            assert!((bottom[0] - most).abs() < 1e-15);
        }
    }

    #[test]
    fn later_times_go_on_from_earlier_ones_and_other_points_begin_anew() {
        let problem = problem("u_t = y*u_x - sin(x)*u_y", BUMP, 4.0);
        let (first, second) = ([0.3, -0.2, 1.5, 1.0], [0.1, 0.1]);
        let fresh = |time: f64, points: &[f64]| {
            Characteristics::of(&problem).expect("transport").values(time, points).expect("values")
        };
        let reference = Characteristics::of(&problem).expect("transport");
        for (time, points) in
            [(1.0, &first[..]), (2.0, &first), (2.5, &second), (0.5, &second), (3.0, &first)]
        {
            let values = reference.values(time, points).expect("values");
            for (a, b) in values.iter().zip(fresh(time, points)) {
                assert!((a - b).abs() < 1e-13, "{a} and {b} at {time}");
            }
        }
        assert!(matches!(reference.values(3.1, &first), Err(ReferenceError::TimeOutside { .. })));
    }

    #[test]
    fn what_has_no_characteristics_is_refused() {
        let diffusion = problem("u_t = u_xx - u_y", BUMP, 4.0);
        assert_eq!(Characteristics::of(&diffusion), Err(ReferenceError::NotTransport));
        // On the seam the velocity points into it from both sides, seen backwards.
        let sink = problem("u_t = x*u_x", BUMP, 1.0);
        let stuck = Characteristics::of(&sink).expect("transport").values(3.0, &[0.5, 0.0]);
        assert!(matches!(stuck, Err(ReferenceError::Characteristic { .. })), "{stuck:?}");
    }
}
