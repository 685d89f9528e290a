//! The gradient methods alone.

use std::convert::Infallible;

use crate::descent::adam::{Adam, cosine};
use crate::descent::bfgs::Bfgs;
use crate::descent::lbfgs::Lbfgs;
use crate::descent::{QuasiNewton, Sample, dot};

async fn rosenbrock(x: &[f64]) -> Result<(f64, Vec<f64>), Infallible> {
    let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
    Ok((a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b]))
}

/// Rosenbrock's valley has its only minimum, 0, at (1, 1); every step goes down.
#[test]
fn quasi_newton_methods_find_the_minimum_of_rosenbrock() {
    let mut lbfgs = Lbfgs::default();
    let mut bfgs = Bfgs::default();
    let run = |step: &mut dyn FnMut(&Sample) -> Option<Sample>| {
        let Ok(mut sample) = pollster::block_on(Sample::new(vec![-1.2, 1.0], &mut rosenbrock));
        let mut steps = 0;
        while sample.value > 1e-24 {
            let next = step(&sample).expect("a step that goes down");
            assert!(next.value < sample.value);
            sample = next;
            steps += 1;
            assert!(steps < 100, "{steps} steps");
        }
        assert!(sample.theta.iter().all(|x| (x - 1.0).abs() < 1e-10));
    };
    run(&mut |from| {
        let Ok(next) = pollster::block_on(lbfgs.step(from, &mut rosenbrock));
        next
    });
    run(&mut |from| {
        let Ok(next) = pollster::block_on(bfgs.step(from, &mut rosenbrock));
        next
    });
}

/// The last pair satisfies the secant equation `H y = s`, and H stays symmetric.
#[test]
fn bfgs_satisfies_the_secant_equation() {
    let objective = async |x: &[f64]| {
        let value = x.iter().enumerate().map(|(k, x)| (1.0 + k as f64) * x * x + x.powi(4)).sum();
        let slope = |(k, x): (usize, &f64)| 2.0 * (1.0 + k as f64) * x + 4.0 * x.powi(3);
        Ok::<(f64, Vec<f64>), Infallible>((value, x.iter().enumerate().map(slope).collect()))
    };
    let mut objective = objective;
    let mut bfgs = Bfgs::default();
    let Ok(mut sample) = pollster::block_on(Sample::new(vec![1.0, -0.7, 0.4, 0.9], &mut objective));
    for _ in 0..5 {
        let Ok(next) = pollster::block_on(bfgs.step(&sample, &mut objective));
        let next = next.expect("a step that goes down");
        for i in 0..4 {
            let hy: f64 = (0..4)
                .map(|k| bfgs.inverse[(i, k)] * (next.gradient[k] - sample.gradient[k]))
                .sum();
            let s = next.theta[i] - sample.theta[i];
            assert!((hy - s).abs() < 1e-12, "{hy} {s}");
            (0..4).for_each(|k| {
                assert!((bfgs.inverse[(i, k)] - bfgs.inverse[(k, i)]).abs() < 1e-13);
            });
        }
        sample = next;
    }
    assert!(dot(&sample.theta, &sample.theta) < 0.1);
}

#[test]
fn the_cosine_falls_from_one_to_zero_and_starts_again() {
    assert_eq!(cosine(0, 500), 1.0);
    assert!((cosine(250, 500) - 0.5).abs() < 1e-15);
    assert!(cosine(499, 500) < 1e-4);
    assert_eq!(cosine(500, 500), 1.0);
}

/// Adam's first step is the rate times the sign of the gradient, whatever its size.
#[test]
fn adam_starts_with_the_rate_and_minimises_a_quadratic() {
    let mut adam = Adam::new(2);
    let mut x = vec![0.3, -0.2];
    adam.step(&mut x, &[100.0, -1e-3], 1e-3);
    assert!((x[0] - 0.299).abs() < 1e-9 && (x[1] + 0.199).abs() < 1e-7, "{x:?}");
    for _ in 0..4_999 {
        let gradient = [2.0 * x[0], 20.0 * x[1]];
        let rate = 1e-3 * cosine(adam.steps, 500);
        adam.step(&mut x, &gradient, rate);
    }
    assert!(x.iter().all(|x| x.abs() < 1e-3), "{x:?}");
}
