//! Whole trainings on problems with a known solution.

use super::support::{Poisson, Rosenbrock, Whole};
use crate::field::residual::{ResidualError, ResidualSystem};
use crate::*;
use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

fn rule(max_iterations: usize, loss: f64) -> StoppingRule {
    StoppingRule { max_iterations, loss: Some(loss), ..StoppingRule::default() }
}

#[test]
fn every_method_finds_the_minimum_of_rosenbrock() {
    for method in Method::all() {
        let word = method.word();
        let (method, iterations) = match method {
            Method::Adam(settings) => {
                (Method::Adam(AdamSettings { rate: 0.02, ..settings }), 20_000)
            }
            Method::Spring(settings) => {
                (Method::Spring(SpringSettings { momentum: 0.3, ..settings }), 200)
            }
            // Of a 2 x 2 matrix a tenth of the rows is a half of it.
            Method::Nystrom(settings) => {
                (Method::Nystrom(NystromSettings { rank: 2, ..settings }), 200)
            }
            method => (method, 200),
        };
        let rule = rule(iterations, 1e-18);
        let mut training =
            pollster::block_on(Training::new(Whole(Rosenbrock), method, rule, vec![-1.2, 1.0], 0))
                .expect("finite");
        let report = loop {
            let report = pollster::block_on(training.iterate()).expect("finite");
            if report.reason.is_some() {
                break report;
            }
        };
        assert_eq!(report.reason, Some(StopReason::Loss), "{word}: {report:?}");
        let theta = training.parameters();
        assert!((theta[0] - 1.0).abs() < 1e-8 && (theta[1] - 1.0).abs() < 1e-8, "{word}");
        assert_eq!(training.history().records.len(), report.record.iteration);
    }
}

/// Poisson's equation by one hidden layer, from `theta`: the parameters after so many iterations,
/// and their error.
fn poisson(method: Method, iterations: usize, theta: Vec<f64>) -> (Vec<f64>, f64) {
    let rule = StoppingRule { max_iterations: iterations, ..StoppingRule::default() };
    let system = Poisson::new(14, 14);
    let mut training =
        pollster::block_on(Training::new(system, method, rule, theta, 1)).expect("finite");
    let mut last = f64::INFINITY;
    while training.reason().is_none() {
        let loss = pollster::block_on(training.iterate()).expect("finite").record.loss;
        assert!(loss <= last, "the loss rises");
        last = loss;
    }
    let theta = training.parameters().to_vec();
    let error = training.system_mut().0.error(&theta);
    (theta, error)
}

#[test]
fn levenberg_solves_poissons_equation_in_few_iterations() {
    let settings = LevenbergSettings::default();
    for (subspace, bound) in
        [(Subspace::Full, 1e-5), (settings.subspace, 1e-5), (Subspace::Columns(30), 1e-2)]
    {
        let start = Poisson::new(14, 14).0.start(5);
        let method = Method::Levenberg(LevenbergSettings { subspace, ..settings });
        let (_, error) = poisson(method, 60, start);
        assert!(error < bound, "{subspace:?}: {error}");
    }
}

/// With a cutoff well above round-off the others come from the random start, too.
#[test]
fn natural_gradients_solve_poissons_equation() {
    let start = Poisson::new(14, 14).0.start(5);
    let before = pollster::block_on(Poisson::new(14, 14).losses(&[&start])).expect("finite")[0];
    let gram = Cutoff::Relative(1e-8);
    let fixed = SingularCutoff::Fixed(Cutoff::Relative(1e-4));
    let sngd = SngdSettings { cutoff: gram, first_sketch: 40, ..SngdSettings::default() };
    for method in [
        Method::Engd(EngdSettings { cutoff: Some(gram), ..EngdSettings::default() }),
        Method::Sngd(sngd),
        Method::Sngd(SngdSettings { passes: Passes::Single, ..sngd }),
        Method::Sngd(SngdSettings { adapted: true, ..sngd }),
        Method::Anagram(AnagramSettings { cutoff: fixed, ..AnagramSettings::default() }),
        Method::Anagram(AnagramSettings::default()),
        Method::Kernel(KernelSettings::default()),
    ] {
        let (theta, _) = poisson(method.clone(), 60, start.clone());
        let after = pollster::block_on(Poisson::new(14, 14).losses(&[&theta])).expect("finite")[0];
        assert!(after < 1e-3 * before, "{method:?}: {after:e} from {before:e}");
    }
}

/// An energy whose gradient and Hessian r and J carry, but which is no sum of squares.
struct Energy;

impl ResidualSystem for Energy {
    fn parameters(&self) -> usize {
        2
    }

    fn rows(&self) -> usize {
        2
    }

    async fn residual(&mut self, theta: &[f64], out: &mut [f64]) -> Result<(), ResidualError> {
        out.copy_from_slice(&[theta[0] - 3.0, 2.0 * theta[1] + 1.0]);
        Ok(())
    }

    async fn losses(&mut self, thetas: &[&[f64]]) -> Result<Vec<f64>, ResidualError> {
        let energy =
            |theta: &&[f64]| (theta[0] - 3.0).powi(2) + (2.0 * theta[1] + 1.0).powi(2) - 7.0;
        Ok(thetas.iter().map(energy).collect())
    }

    async fn jacobian(
        &mut self,
        theta: &[f64],
        residual: &mut [f64],
        mut jacobian: DMatrixViewMut<'_, f64>,
    ) -> Result<(), ResidualError> {
        jacobian.fill(0.0);
        (jacobian[(0, 0)], jacobian[(1, 1)]) = (1.0, 2.0);
        self.residual(theta, residual).await
    }

    async fn jacobian_blocks(
        &mut self,
        theta: &[f64],
        visit: &mut dyn FnMut(usize, DMatrixView<'_, f64>),
    ) -> Result<(), ResidualError> {
        let mut jacobian = DMatrix::zeros(2, 2);
        self.jacobian(theta, &mut [0.0; 2], jacobian.as_view_mut()).await?;
        visit(0, jacobian.as_view());
        Ok(())
    }
}

#[test]
fn an_energy_below_zero_is_minimised() {
    for word in ["lm", "engd", "sngd", "anagram", "kernel", "lbfgs", "bfgs"] {
        let method = Method::of(word).expect("a method");
        let mut training = pollster::block_on(Training::new(
            Energy,
            method,
            rule(40, -7.0 + 1e-9),
            vec![0.5; 2],
            0,
        ))
        .expect("finite");
        while pollster::block_on(training.iterate()).expect("finite").reason.is_none() {}
        assert_eq!(training.reason(), Some(StopReason::Loss), "{word}");
        let theta = training.parameters();
        assert!((theta[0] - 3.0).abs() < 1e-4 && (theta[1] + 0.5).abs() < 1e-4, "{word}");
    }
}

#[test]
fn an_observed_error_ends_a_training() {
    let rule = StoppingRule { error: Some(0.5), ..StoppingRule::default() };
    let method = Method::of("lm").expect("a method");
    let mut training =
        pollster::block_on(Training::new(Whole(Rosenbrock), method, rule, vec![-1.2, 1.0], 0))
            .expect("finite");
    pollster::block_on(training.iterate()).expect("finite");
    assert_eq!(training.observe(Some(0.6), 1.5).reason, None);
    let report = training.observe(Some(0.4), 2.5);
    assert_eq!(report.reason, Some(StopReason::Error));
    assert_eq!((report.record.error, report.record.seconds), (Some(0.4), 2.5));
    assert_eq!(pollster::block_on(training.iterate()).expect("finite"), report, "over is over");
}
