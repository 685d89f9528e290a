//! A saved run goes on to the same bits.

use super::dirichlet::WARMED;
use super::support::*;
use crate::{Evolution, EvolutionState, StepReport};

/// Everything that must agree: the state to the bit, and what the steps reported.
fn steps(evolution: &mut Evolution, count: usize) -> (EvolutionState, Vec<StepReport>) {
    let reports =
        (0..count).map(|_| pollster::block_on(evolution.step()).expect("a solution")).collect();
    (evolution.save(), reports)
}

fn bits(theta: &[f64]) -> Vec<u64> {
    theta.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn a_restored_run_goes_on_to_the_same_bits() {
    let fixed: &[(&str, &str)] = &[("method.step", "0.003")];
    let adaptive: &[(&str, &str)] = &[
        ("method.step", "0.05"),
        ("method.integrator", "dormand-prince"),
        ("method.tolerance", "1e-5"),
    ];
    let stiff: &[(&str, &str)] =
        &[("method.integrator", "rosenbrock-4"), ("method.tolerance", "1e-4")];
    let chosen: &[(&str, &str)] = &[("method.integrator", "auto"), ("method.tolerance", "1e-4")];
    for text in [REACTION, WARMED] {
        for scheme in ["parameter-ode", "stage-fit"] {
            for steps_of in [fixed, adaptive, stiff, chosen] {
                if steps_of == stiff && scheme == "parameter-ode" {
                    continue;
                }
                let mut overrides = vec![
                    ("method.scheme", scheme),
                    ("method.update", "random-sparse"),
                    ("method.columns", "30"),
                    ("method.rcond", "1e-5"),
                ];
                overrides.extend(steps_of);
                let problem = problem(text, &overrides);
                let theta = crate::network::Network::of(&problem).initialise(1);
                let mut whole = evolution(&problem, theta.clone());
                let (saved, _) = steps(&mut whole, 3);
                let (end, reports) = steps(&mut whole, 4);

                let mut resumed = evolution(&problem, theta);
                resumed.restore(saved.clone()).expect("the same network");
                assert_eq!(resumed.save(), saved);
                let (resumed_end, resumed_reports) = steps(&mut resumed, 4);
                assert_eq!(bits(&resumed_end.theta), bits(&end.theta), "{overrides:?}");
                assert_eq!(resumed_end, end, "{overrides:?}");
                assert_eq!(resumed_reports, reports, "{overrides:?}");

                // The comparison sees a state that is off by one bit.
                let mut other = saved;
                other.theta[0] = f64::from_bits(other.theta[0].to_bits() ^ 1);
                resumed.restore(other).expect("the same network");
                assert_ne!(bits(&steps(&mut resumed, 4).0.theta), bits(&end.theta));
            }
        }
    }
}
