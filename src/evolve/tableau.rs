//! Butcher tableaux of the explicit Runge-Kutta methods.

use crate::problem::Integrator;

/// An explicit Runge-Kutta method: stage i is evaluated at t + c_i dt and at
/// u + dt sum_j a_ij k_j; the step ends at u + dt sum_i b_i k_i.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tableau {
    /// Rows of the strictly lower triangle: row i has i entries.
    pub a: &'static [&'static [f64]],
    pub b: &'static [f64],
    pub c: &'static [f64],
    /// b minus the weights of the embedded method: dt sum_i e_i k_i estimates the local error.
    pub error: Option<&'static [f64]>,
    /// Order p of the step: its local error is O(dt^(p + 1)).
    pub order: u32,
}

const EULER: Tableau = Tableau { a: &[&[]], b: &[1.0], c: &[0.0], error: None, order: 1 };

/// The classical method of order 4 (Kutta 1901).
const RK4: Tableau = Tableau {
    a: &[&[], &[0.5], &[0.0, 0.5], &[0.0, 0.0, 1.0]],
    b: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
    c: &[0.0, 0.5, 0.5, 1.0],
    error: None,
    order: 4,
};

/// Dormand and Prince, "A family of embedded Runge-Kutta formulae" (1980), RK5(4)7M.
const DORMAND_PRINCE: Tableau = Tableau {
    a: &[
        &[],
        &[1.0 / 5.0],
        &[3.0 / 40.0, 9.0 / 40.0],
        &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
        &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
        &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
        &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
    ],
    b: &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0, 0.0],
    c: &[0.0, 0.2, 0.3, 0.8, 8.0 / 9.0, 1.0, 1.0],
    error: Some(&[
        71.0 / 57600.0,
        0.0,
        -71.0 / 16695.0,
        71.0 / 1920.0,
        -17253.0 / 339200.0,
        22.0 / 525.0,
        -1.0 / 40.0,
    ]),
    order: 5,
};

impl Tableau {
    /// The explicit method of that name; Dormand and Prince's beside an implicit one, for what is
    /// explicit all the same: the parameter ODE.
    #[must_use]
    pub fn of(integrator: Integrator) -> Self {
        match integrator {
            Integrator::Euler => EULER,
            Integrator::Rk4 => RK4,
            Integrator::Auto
            | Integrator::DormandPrince
            | Integrator::Rosenbrock3
            | Integrator::Rosenbrock4 => DORMAND_PRINCE,
        }
    }

    /// Is the last stage evaluated where the step ends ("first same as last")?
    #[must_use]
    pub fn last_stage_is_step(&self) -> bool {
        let last = self.a.last().copied().unwrap_or_default();
        !last.is_empty() && self.b.split_last() == Some((&0.0, last))
    }
}

/// `sum_i weights_i k_i`.
#[must_use]
pub fn combine(weights: &[f64], stages: &[Vec<f64>]) -> Vec<f64> {
    let mut sum = vec![0.0; stages.first().map_or(0, Vec::len)];
    for (&weight, stage) in weights.iter().zip(stages) {
        if weight != 0.0 {
            sum.iter_mut().zip(stage).for_each(|(sum, k)| *sum += weight * k);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Integrator; 3] = [Integrator::Euler, Integrator::Rk4, Integrator::DormandPrince];

    /// y' = y cos(t), y = exp(sin(t)): the error at t = 1 for a given number of steps.
    fn error(tableau: &Tableau, steps: usize) -> f64 {
        let dt = 1.0 / steps as f64;
        let mut y = [1.0];
        for step in 0..steps {
            let t = step as f64 * dt;
            let mut k: Vec<Vec<f64>> = Vec::new();
            for (row, c) in tableau.a.iter().zip(tableau.c) {
                let inner = combine(row, &k).first().map_or(y[0], |sum| y[0] + dt * sum);
                k.push(vec![inner * (t + c * dt).cos()]);
            }
            y[0] += dt * combine(tableau.b, &k)[0];
        }
        (y[0] - 1f64.sin().exp()).abs()
    }

    #[test]
    fn every_method_has_its_order() {
        for integrator in ALL {
            let tableau = Tableau::of(integrator);
            let measured = (error(&tableau, 20) / error(&tableau, 40)).log2();
            let order = f64::from(tableau.order);
            assert!((measured - order).abs() < 0.3, "{integrator:?}: {measured}");
        }
        let planted = Tableau { b: &[0.2, 0.3, 0.3, 0.2], ..Tableau::of(Integrator::Rk4) };
        let measured = (error(&planted, 20) / error(&planted, 40)).log2();
        assert!(measured < 2.5, "a wrong weight lowers the order: {measured}");
    }

    #[test]
    fn rows_sum_to_their_times_and_weights_to_one() {
        for integrator in ALL {
            let tableau = Tableau::of(integrator);
            for (row, c) in tableau.a.iter().zip(tableau.c) {
                assert!((row.iter().sum::<f64>() - c).abs() < 1e-14);
            }
            assert!((tableau.b.iter().sum::<f64>() - 1.0).abs() < 1e-14);
            let same = integrator == Integrator::DormandPrince;
            assert_eq!(tableau.last_stage_is_step(), same);
            assert!(tableau.error.is_none_or(|e| e.iter().sum::<f64>().abs() < 1e-15));
        }
    }
}
