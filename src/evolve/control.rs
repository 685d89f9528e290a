//! The step-size controller: how long the next step may be.

/// A proportional-integral controller (Hairer, Norsett, Wanner, "Solving Ordinary Differential
/// Equations I", section II.4): `dt *= safety (tol / err)^alpha (err_before / tol)^beta`.
#[derive(Clone, Debug, PartialEq)]
pub struct Controller {
    tolerance: f64,
    /// Order of the error estimate plus one.
    exponent: f64,
    /// Error of the last accepted step over the tolerance.
    previous: f64,
    /// The last attempt was rejected: do not grow right after.
    rejected: bool,
}

const SAFETY: f64 = 0.9;
const SHRINK: f64 = 0.2;
const GROW: f64 = 2.0;
/// A step whose error is below this part of the tolerance is not shortened, however small the
/// error before it was.
const FAR: f64 = 0.1;

impl Controller {
    /// `order` of the embedded estimate: its error is O(dt^order).
    #[must_use]
    pub fn new(tolerance: f64, order: u32) -> Self {
        Self { tolerance, exponent: f64::from(order), previous: 1.0, rejected: false }
    }

    #[must_use]
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// Judges a step of local error `error`: whether it stands, and the factor for the next one.
    pub fn judge(&mut self, error: f64) -> (bool, f64) {
        if !error.is_finite() {
            self.rejected = true;
            return (false, SHRINK);
        }
        let ratio = (error / self.tolerance).max(1e-10);
        if ratio > 1.0 {
            self.rejected = true;
            return (false, (SAFETY * ratio.powf(-1.0 / self.exponent)).clamp(SHRINK, 0.7));
        }
        let alpha = 0.7 / self.exponent;
        let beta = 0.4 / self.exponent;
        let factor = SAFETY * ratio.powf(-alpha) * self.previous.powf(beta);
        let least = if ratio < FAR { 1.0 } else { SHRINK };
        let most = if self.rejected { 1.0 } else { GROW };
        self.previous = ratio;
        self.rejected = false;
        (true, factor.clamp(least, most))
    }

    /// The state as numbers, for checkpoints.
    #[must_use]
    pub fn save(&self) -> Vec<f64> {
        vec![self.previous, f64::from(u8::from(self.rejected))]
    }

    pub fn restore(&mut self, state: &[f64]) {
        if let [previous, rejected] = *state {
            (self.previous, self.rejected) = (previous, rejected != 0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a model error C dt^5 the controller settles where the error is just under the tolerance.
    #[test]
    fn it_settles_just_under_the_tolerance() {
        let mut controller = Controller::new(1e-6, 5);
        let (mut dt, mut rejected) = (1.0f64, 0);
        for _ in 0..60 {
            let (accepted, factor) = controller.judge(3.0 * dt.powi(5));
            rejected += usize::from(!accepted);
            dt *= factor;
        }
        let error = 3.0 * dt.powi(5);
        assert!(error < 1e-6 && error > 1e-7, "{error}");
        assert!(rejected < 20, "{rejected}");
    }

    #[test]
    fn a_step_that_is_not_finite_is_rejected_and_shrinks() {
        assert_eq!(Controller::new(1e-6, 5).judge(f64::NAN), (false, SHRINK));
        assert_eq!(Controller::new(1e-6, 5).judge(f64::INFINITY), (false, SHRINK));
    }
}
