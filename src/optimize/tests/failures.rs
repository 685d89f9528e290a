//! Wrong input is named before anything is computed; overflow is named when it happens.

use super::support::{Poisson, Rosenbrock, Small, Whole};
use crate::*;
use nalgebra::DMatrix;

fn begin(method: Method, theta: Vec<f64>) -> Option<OptimizeError> {
    pollster::block_on(Training::new(Whole(Rosenbrock), method, StoppingRule::default(), theta, 0))
        .err()
}

#[test]
fn settings_out_of_range_are_named() {
    let mut wrong = [
        Method::Adam(AdamSettings { rate: 0.0, ..AdamSettings::default() }),
        Method::Kernel(KernelSettings { damping: f64::NAN, ..KernelSettings::default() }),
        Method::Spring(SpringSettings { momentum: 1.0, ..SpringSettings::default() }),
        Method::Engd(EngdSettings {
            cutoff: Some(Cutoff::Relative(1.0)),
            ..EngdSettings::default()
        }),
        Method::Anagram(AnagramSettings {
            line_search: LineSearch::Golden { halvings: 3, tolerance: 0.0 },
            ..AnagramSettings::default()
        }),
        Method::Sngd(SngdSettings { first_sketch: 0, ..SngdSettings::default() }),
        Method::Levenberg(LevenbergSettings {
            subspace: Subspace::Columns(0),
            ..LevenbergSettings::default()
        }),
    ];
    for method in &mut wrong {
        let error = begin(method.clone(), vec![0.0; 2]);
        assert!(matches!(error, Some(OptimizeError::Setting { .. })), "{method:?}: {error:?}");
    }
    let error = begin(Method::Bfgs, vec![0.0; 3]);
    assert_eq!(error, Some(OptimizeError::Parameters { expected: 2, found: 3 }));
}

/// The exponential of the parameter, which overflows beyond 709.
struct Exponential;

impl Small for Exponential {
    fn shape(&self) -> (usize, usize) {
        (1, 1)
    }

    fn evaluate(&self, theta: &[f64]) -> (Vec<f64>, DMatrix<f64>) {
        let value = theta[0].exp();
        (vec![value - 1.0], DMatrix::from_fn(1, 1, |_, _| value))
    }
}

#[test]
fn overflow_is_named_at_the_start_and_survived_in_a_trial() {
    let method = Method::of("lm").expect("a method");
    let rule = StoppingRule { max_iterations: 100, loss: Some(1e-20), ..StoppingRule::default() };
    let error =
        pollster::block_on(Training::new(Whole(Exponential), method, rule, vec![800.0], 0)).err();
    assert!(matches!(error, Some(OptimizeError::LossNotFinite { iteration: 0, .. })), "{error:?}");
    // From -20 a Gauss-Newton step goes to 5e8, far beyond the overflow.
    for word in ["lm", "anagram", "kernel", "lbfgs"] {
        let method = Method::of(word).expect("a method");
        let begun =
            pollster::block_on(Training::new(Whole(Exponential), method, rule, vec![-20.0], 0));
        let mut training = begun.expect("finite");
        for _ in 0..100 {
            pollster::block_on(training.iterate()).expect("trial points may overflow");
        }
        assert!(training.loss().is_finite(), "{word}");
    }
}

#[test]
fn a_matrix_beyond_memory_is_refused() {
    struct Wide;
    impl Small for Wide {
        fn shape(&self) -> (usize, usize) {
            (2, 20_000)
        }
        fn evaluate(&self, _: &[f64]) -> (Vec<f64>, DMatrix<f64>) {
            (vec![1.0; 2], DMatrix::zeros(2, 20_000))
        }
    }
    for word in ["engd", "bfgs"] {
        let method = Method::of(word).expect("a method");
        let rule = StoppingRule::default();
        let begun =
            pollster::block_on(Training::new(Whole(Wide), method, rule, vec![0.0; 20_000], 0));
        let error = pollster::block_on(begun.expect("finite").iterate()).err();
        assert!(matches!(error, Some(OptimizeError::TooLarge { .. })), "{word}: {error:?}");
    }
    let _ = Poisson::new(1, 2);
}
