//! The line search of the quasi-Newton methods.

use super::{Sample, add, dot};

/// Sufficient decrease and curvature (Wolfe).
const DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;
const TRIALS: usize = 40;

/// A step that decreases enough and flattens the slope enough; failing the second within
/// [`TRIALS`], the best that decreases enough; `None` where none does. By bracketing, for the weak
/// Wolfe conditions (Lewis, Overton: "Nonsmooth optimization via quasi-Newton methods",
/// Mathematical Programming 2013), which keep every curvature positive.
pub async fn line_search<E>(
    from: &Sample,
    direction: &[f64],
    first: f64,
    objective: &mut impl AsyncFnMut(&[f64]) -> Result<(f64, Vec<f64>), E>,
) -> Result<Option<Sample>, E> {
    let slope = dot(&from.gradient, direction);
    let (mut low, mut high, mut step) = (0.0, f64::INFINITY, first);
    let mut kept = None;
    for _ in 0..TRIALS {
        let mut theta = from.theta.clone();
        add(&mut theta, step, direction);
        let sample = Sample::new(theta, objective).await?;
        // Not a number fails this too.
        if sample.value < from.value + DECREASE * step * slope {
            if dot(&sample.gradient, direction) >= CURVATURE * slope {
                return Ok(Some(sample));
            }
            low = step;
            kept = Some(sample);
        } else {
            high = step;
        }
        step = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * low };
    }
    Ok(kept)
}
