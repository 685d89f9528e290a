//! First-order methods: L-BFGS, and Adam with cosine decay.

use std::collections::VecDeque;

/// Pairs of steps and gradient differences that L-BFGS remembers.
const MEMORY: usize = 20;
/// Sufficient decrease and curvature (Wolfe).
const DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;
const TRIALS: usize = 40;

const RATE: f64 = 1e-3;
/// Steps of one cosine; then the rate starts anew.
const PERIOD: u64 = 500;
const FIRST_DECAY: f64 = 0.9;
const SECOND_DECAY: f64 = 0.999;
const ADAM_EPSILON: f64 = 1e-8;

/// A point with the objective's value and gradient there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    pub theta: Vec<f64>,
    pub value: f64,
    pub gradient: Vec<f64>,
}

impl Sample {
    pub fn new(theta: Vec<f64>, objective: &impl Fn(&[f64]) -> (f64, Vec<f64>)) -> Self {
        let (value, gradient) = objective(&theta);
        Self { theta, value, gradient }
    }
}

/// Limited-memory BFGS (Nocedal, Wright: "Numerical Optimization", algorithm 7.4) with the
/// bracketing line search for the weak Wolfe conditions of Lewis and Overton ("Nonsmooth
/// optimization via quasi-Newton methods", 2013), which keeps every remembered curvature positive.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lbfgs {
    /// (s, y), oldest first.
    pub pairs: VecDeque<(Vec<f64>, Vec<f64>)>,
}

impl Lbfgs {
    /// The next point; `None` where no step along the direction lowers the objective.
    pub fn step(
        &mut self,
        from: &Sample,
        objective: &impl Fn(&[f64]) -> (f64, Vec<f64>),
    ) -> Option<Sample> {
        let mut direction = self.direction(&from.gradient);
        if dot(&direction, &from.gradient) >= 0.0 {
            self.pairs.clear();
            direction = from.gradient.iter().map(|g| -g).collect();
        }
        // Without a memory the gradient has no natural length: move by one at most.
        let length = dot(&direction, &direction).sqrt();
        let first = if self.pairs.is_empty() { length.recip().min(1.0) } else { 1.0 };
        let next = line_search(from, &direction, first, objective)?;
        let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        let s: Vec<f64> = difference(&next.theta, &from.theta);
        let y: Vec<f64> = difference(&next.gradient, &from.gradient);
        if dot(&s, &y) > f64::EPSILON * dot(&y, &y) {
            self.pairs.push_back((s, y));
            if self.pairs.len() > MEMORY {
                self.pairs.pop_front();
            }
        }
        Some(next)
    }

    /// `-H g` by the two-loop recursion.
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut factors = Vec::with_capacity(self.pairs.len());
        for (s, y) in self.pairs.iter().rev() {
            let factor = dot(s, &q) / dot(s, y);
            add(&mut q, -factor, y);
            factors.push(factor);
        }
        if let Some((s, y)) = self.pairs.back() {
            let scale = dot(s, y) / dot(y, y);
            q.iter_mut().for_each(|q| *q *= scale);
        }
        for ((s, y), factor) in self.pairs.iter().zip(factors.into_iter().rev()) {
            let back = dot(y, &q) / dot(s, y);
            add(&mut q, factor - back, s);
        }
        q
    }
}

/// A step that decreases enough and flattens the slope enough; failing the second within
/// [`TRIALS`], the best that decreases enough.
fn line_search(
    from: &Sample,
    direction: &[f64],
    first: f64,
    objective: &impl Fn(&[f64]) -> (f64, Vec<f64>),
) -> Option<Sample> {
    let slope = dot(&from.gradient, direction);
    let (mut low, mut high, mut step) = (0.0, f64::INFINITY, first);
    let mut kept = None;
    for _ in 0..TRIALS {
        let mut theta = from.theta.clone();
        add(&mut theta, step, direction);
        let sample = Sample::new(theta, objective);
        // Not a number fails this too.
        if sample.value < from.value + DECREASE * step * slope {
            if dot(&sample.gradient, direction) >= CURVATURE * slope {
                return Some(sample);
            }
            low = step;
            kept = Some(sample);
        } else {
            high = step;
        }
        step = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * low };
    }
    kept
}

/// Adam (Kingma, Ba: arXiv 1412.6980) with the rate `1e-3 (1 + cos(pi k / 500)) / 2`, k the step
/// modulo 500, as in the code of arXiv 2310.04867.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Adam {
    pub steps: u64,
    /// Means of the gradient and of its square.
    pub first: Vec<f64>,
    pub second: Vec<f64>,
}

impl Adam {
    pub fn new(parameters: usize) -> Self {
        Self { steps: 0, first: vec![0.0; parameters], second: vec![0.0; parameters] }
    }

    pub fn step(&mut self, theta: &mut [f64], gradient: &[f64]) {
        let phase = (self.steps % PERIOD) as f64 / PERIOD as f64;
        let rate = RATE * 0.5 * (1.0 + (std::f64::consts::PI * phase).cos());
        self.steps += 1;
        let power = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let (first_bias, second_bias) =
            (1.0 - FIRST_DECAY.powi(power), 1.0 - SECOND_DECAY.powi(power));
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((theta, g), (first, second)) in theta.iter_mut().zip(gradient).zip(moments) {
            *first = FIRST_DECAY * *first + (1.0 - FIRST_DECAY) * g;
            *second = SECOND_DECAY * *second + (1.0 - SECOND_DECAY) * g * g;
            let spread = (*second / second_bias).sqrt() + ADAM_EPSILON;
            *theta -= rate * (*first / first_bias) / spread;
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `x += factor * d`.
fn add(x: &mut [f64], factor: f64, d: &[f64]) {
    x.iter_mut().zip(d).for_each(|(x, d)| *x += factor * d);
}
