//! Truncation follows the precision in which J is known.

use nalgebra::{DMatrixView, DMatrixViewMut};

use super::support::{Linear, Small, Whole};
use crate::field::residual::{ResidualError, ResidualSystem, Rounding};
use crate::linalg::testing::distance;
use crate::{
    KernelSettings, LineSearch, Method, Passes, SngdSettings, SpringSettings, StoppingRule,
    Training,
};

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
        jacobian: DMatrixViewMut<'_, f64>,
    ) -> Result<(), ResidualError> {
        self.0.jacobian(theta, residual, jacobian).await
    }

    async fn jacobian_blocks(
        &mut self,
        theta: &[f64],
        visit: &mut dyn FnMut(usize, DMatrixView<'_, f64>),
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
    let of = |word| Method::of(word).expect("a method");
    for (method, most) in [
        (sngd(Passes::Two), 5),
        (sngd(Passes::Single), 3),
        (of("anagram"), 5),
        (of("engd"), 5),
        (Method::Kernel(KernelSettings { damping: 1e-12, trials: 1 }), 5),
    ] {
        let (fine, coarse) = (rank(method.clone(), Rounding::DOUBLE), rank(method.clone(), coarse));
        assert!(coarse <= most && coarse >= 1, "{method:?}: {coarse}");
        assert!(fine > 6, "{method:?}: {fine}");
    }
}

/// The kernel with momentum has no rank to tell, but a longest step: `|d| <= |r| / (2 sqrt(lambda))`.
#[test]
fn a_damping_below_the_rounding_of_the_jacobian_is_raised() {
    let settings = SpringSettings {
        damping: 1e-13,
        line_search: LineSearch::Fixed { rate: 1.0 },
        ..SpringSettings::default()
    };
    let start = vec![0.1; 12];
    let step = |rounding| {
        let system = Rounded(Linear::new(12, 12), rounding);
        let (method, rule) = (Method::Spring(settings), StoppingRule::default());
        let begun = pollster::block_on(Training::new(system, method, rule, start.clone(), 0));
        let mut training = begun.expect("finite");
        pollster::block_on(training.iterate()).expect("finite");
        distance(training.parameters(), &start)
    };
    let residual = Linear::new(12, 12).0.evaluate(&start).0;
    let size = residual.iter().map(|r| r * r).sum::<f64>().sqrt();
    // The largest singular value is 2: lambda is at least (2 * 1e-3)^2.
    let longest = size / (2.0 * 2.0 * 1e-3);
    let coarse = Rounding { entries: 1e-3, products: 1e-3 };
    assert!(step(coarse) <= longest, "{} {longest}", step(coarse));
    assert!(step(Rounding::DOUBLE) > 10.0 * longest, "{}", step(Rounding::DOUBLE));
}
