//! Truncation follows the precision in which J is known.

use faer::{MatMut, MatRef};

use super::support::{Linear, Whole};
use crate::evaluate::residual::{ResidualError, ResidualSystem, Rounding};
use crate::optimize::{Method, Passes, SngdSettings, StoppingRule, Training};

/// A system that says how well it knows its J.
struct Rounded(Whole<Linear>, Rounding);

impl ResidualSystem for Rounded {
    fn parameters(&self) -> usize {
        self.0.parameters()
    }

    fn rows(&self) -> usize {
        self.0.rows()
    }

    async fn residual(&mut self, theta: &[f64], out: &mut [f64]) -> Result<(), ResidualError> {
        self.0.residual(theta, out).await
    }

    async fn losses(&mut self, thetas: &[&[f64]]) -> Result<Vec<f64>, ResidualError> {
        self.0.losses(thetas).await
    }

    async fn jacobian(
        &mut self,
        theta: &[f64],
        residual: &mut [f64],
        jacobian: MatMut<'_, f64>,
    ) -> Result<(), ResidualError> {
        self.0.jacobian(theta, residual, jacobian).await
    }

    async fn jacobian_blocks(
        &mut self,
        theta: &[f64],
        visit: &mut dyn FnMut(usize, MatRef<'_, f64>),
    ) -> Result<(), ResidualError> {
        self.0.jacobian_blocks(theta, visit).await
    }

    fn rounding(&self) -> Rounding {
        self.1
    }
}

/// Singular values kept by the first iteration of a method, of those that fall by factors of four.
fn rank(method: Method, rounding: Rounding) -> usize {
    let system = Rounded(Linear::new(12, 12), rounding);
    let mut training = pollster::block_on(Training::new(
        system,
        method,
        StoppingRule::default(),
        vec![0.1; 12],
        0,
    ))
    .expect("finite");
    pollster::block_on(training.iterate()).expect("finite").record.rank
}

#[test]
fn singular_values_below_the_rounding_of_the_jacobian_are_not_inverted() {
    let coarse = Rounding { entries: 1e-3, products: 1e-3 };
    // 0.25^k stays above 1e-3 for k up to 4, and above its root, which products of J^T J know, for
    // k up to 2.
    let sngd = |passes| Method::Sngd(SngdSettings { passes, ..SngdSettings::default() });
    let anagram = Method::of("anagram").expect("a method");
    for (method, most) in [(sngd(Passes::Two), 5), (anagram, 5), (sngd(Passes::Single), 3)] {
        let (fine, coarse) = (rank(method.clone(), Rounding::DOUBLE), rank(method.clone(), coarse));
        assert!(coarse <= most && coarse >= 1, "{method:?}: {coarse}");
        assert!(fine > 6, "{method:?}: {fine}");
    }
}
