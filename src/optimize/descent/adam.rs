//! Adam.

const FIRST_DECAY: f64 = 0.9;
const SECOND_DECAY: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Kingma, Ba: "Adam: a method for stochastic optimization", arXiv 1412.6980.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Adam {
    pub steps: u64,
    /// Means of the gradient and of its square.
    pub first: Vec<f64>,
    pub second: Vec<f64>,
}

impl Adam {
    pub fn new(parameters: usize) -> Self {
        Self { steps: 0, first: vec![0.0; parameters], second: vec![0.0; parameters] }
    }

    /// `theta -= rate m / (sqrt(v) + 1e-8)` with the bias of both means taken out.
    pub fn step(&mut self, theta: &mut [f64], gradient: &[f64], rate: f64) {
        self.steps += 1;
        let power = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let (first_bias, second_bias) =
            (1.0 - FIRST_DECAY.powi(power), 1.0 - SECOND_DECAY.powi(power));
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((theta, g), (first, second)) in theta.iter_mut().zip(gradient).zip(moments) {
            *first = FIRST_DECAY * *first + (1.0 - FIRST_DECAY) * g;
            *second = SECOND_DECAY * *second + (1.0 - SECOND_DECAY) * g * g;
            let spread = (*second / second_bias).sqrt() + EPSILON;
            *theta -= rate * (*first / first_bias) / spread;
        }
    }
}

/// `(1 + cos(pi k / period)) / 2`, k modulo the period: the cosine decay with warm restarts.
pub fn cosine(step: u64, period: u64) -> f64 {
    let phase = (step % period.max(1)) as f64 / period.max(1) as f64;
    0.5 * (1.0 + (std::f64::consts::PI * phase).cos())
}
