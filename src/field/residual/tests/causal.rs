//! Weights along time against their definition.

use super::{computed, problem};
use crate::residual::Collocation;

const SLICES: usize = 4;

/// Unequal numbers of points per slice, an initial and a boundary block.
fn text(method: &str) -> String {
    format!(
        r#"
format = 1
[domain]
t = {{ range = [1, 3] }}
x = {{ range = [-1, 1] }}
[residual.interior]
equation = "u_t = 0.1*u_xx + sin(3*t)"
weight = 2
points = {{ layout = "random", count = 40 }}
[residual.initial]
on = "t = 1"
equation = "u = x"
weight = 0.3
points = {{ count = 5 }}
[residual.ends]
on = ["x = -1", "x = 1"]
equation = "u = t"
points = {{ count = 5 }}
[network]
layers = [4, 4]
deviation = 0.7
[method]
name = "adam"
{method}
"#
    )
}

/// The weights of the interior's rows, and all rows, without and with causal weights.
fn both(tolerance: f64, precision: &str) -> (Vec<f64>, Vec<f64>, Vec<usize>) {
    let run = format!("[run]\nprecision = \"{precision}\"");
    let mut plain = Collocation::new(&problem(&format!("{}{run}", text(""))));
    let theta = plain.initial_parameters();
    let causal = format!("causal = {{ tolerance = {tolerance}, slices = {SLICES} }}\n{run}");
    let mut weighted = Collocation::new(&problem(&text(&causal)));
    let slices = plain.points()[0]
        .coordinates
        .chunks_exact(2)
        .map(|point| (((point[0] - 1.0) / 2.0 * SLICES as f64) as usize).min(SLICES - 1))
        .collect();
    assert!(weighted.begin_iteration(0, &theta).expect("finite"), "the weights are new");
    let (before, jacobian_before) = computed(&mut plain, &theta);
    let (after, jacobian) = computed(&mut weighted, &theta);
    for i in 0..before.len() {
        // J is weighted as r is.
        let difference = jacobian[(i, 3)] * before[i] - jacobian_before[(i, 3)] * after[i];
        assert!(difference.abs() < 1e-5, "row {i}");
    }
    (before, after, slices)
}

#[test]
fn later_slices_wait_for_earlier_ones() {
    for (precision, allowed) in [("f64", 1e-13), ("mixed", 1e-13), ("f32", 1e-5)] {
        let tolerance = 0.7;
        let (before, after, slices) = both(tolerance, precision);
        // |r|^2 = 2 * 4 / 40 * F^2 in the interior: weight, measure, mean.
        let square = |i: usize| before[i] * before[i] * 40.0 / 8.0;
        let mut sum: f64 = before[40..45].iter().map(|r| r * r).sum();
        let mut least: f64 = 1.0;
        for slice in 0..SLICES {
            let mine: Vec<usize> = (0..40).filter(|&i| slices[i] == slice).collect();
            assert!(mine.len() > 2, "points in every slice");
            let weight = (-tolerance * sum).exp();
            least = least.min(weight);
            for &i in &mine {
                let wanted = weight.sqrt() * before[i];
                assert!((after[i] - wanted).abs() < allowed, "{} {wanted}", after[i]);
            }
            sum += mine.iter().map(|&i| square(i)).sum::<f64>() / mine.len() as f64;
        }
        assert!(least < 0.5, "the weights differ: {least}");
        assert_eq!(before[40..], after[40..], "conditions keep their weight");
    }
}

/// The first slice waits for the start alone; without tolerance nothing waits.
#[test]
fn a_small_tolerance_changes_nothing_and_a_large_one_stops_everything() {
    let (before, after, _) = both(1e-18, "f64");
    assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 1e-15));
    let (before, after, _) = both(1e9, "f64");
    assert!(after[..40].iter().all(|r| r.abs() < 1e-100), "nothing counts before the start holds");
    assert_eq!(before[40..], after[40..]);
}
