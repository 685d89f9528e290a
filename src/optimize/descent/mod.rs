//! Methods that see the gradient alone: Adam, BFGS, L-BFGS.

pub mod adam;
pub mod bfgs;
pub mod lbfgs;
pub mod methods;
pub mod wolfe;

/// A quasi-Newton method: one step at a time.
// Static dispatch within the crates; no auto traits are asked of the futures.
#[allow(async_fn_in_trait)]
pub trait QuasiNewton {
    /// The next point; `None` where no step along the direction lowers the objective, which gives
    /// its value and gradient.
    async fn step<E>(
        &mut self,
        from: &Sample,
        objective: &mut impl AsyncFnMut(&[f64]) -> Result<(f64, Vec<f64>), E>,
    ) -> Result<Option<Sample>, E>;
}

/// A point with the objective's value and gradient there.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub theta: Vec<f64>,
    pub value: f64,
    pub gradient: Vec<f64>,
}

impl Sample {
    pub async fn new<E>(
        theta: Vec<f64>,
        objective: &mut impl AsyncFnMut(&[f64]) -> Result<(f64, Vec<f64>), E>,
    ) -> Result<Self, E> {
        let (value, gradient) = objective(&theta).await?;
        Ok(Self { theta, value, gradient })
    }
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `x += factor * d`.
pub fn add(x: &mut [f64], factor: f64, d: &[f64]) {
    x.iter_mut().zip(d).for_each(|(x, d)| *x += factor * d);
}

pub fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}
