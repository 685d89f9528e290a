//! Coefficients of the linearly implicit Runge-Kutta methods.

use crate::problem::Integrator;

/// A Rosenbrock method in transformed coefficients (Hairer and Wanner, "Solving Ordinary
/// Differential Equations II", section IV.7): for u' = F(u, t) and A = dF/du, each stage solves
///
/// ```text
/// (1 - gamma dt A) U_i = gamma (dt F(u + sum_j a_ij U_j, t + alpha_i dt) + sum_j c_ij U_j
///                               + gamma_i dt^2 dF/dt)
/// ```
///
/// and the step ends at u + sum_i m_i U_i.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rosenbrock {
    pub gamma: f64,
    /// Rows of the strictly lower triangle: row i has i entries.
    pub a: &'static [&'static [f64]],
    pub c: &'static [&'static [f64]],
    pub alpha: &'static [f64],
    pub gammas: &'static [f64],
    pub m: &'static [f64],
    /// m minus the weights of the embedded method: sum_i e_i U_i estimates the local error.
    pub error: &'static [f64],
    /// Order p of the step: its local error is O(dt^(p + 1)).
    pub order: u32,
}

/// Of order 3, L-stable and stiffly accurate, embedded order 2: RODAS3 of Sandu, Verwer, Blom,
/// Spee, Carmichael and Potra, "Benchmarking stiff ODE solvers for atmospheric chemistry problems
/// II: Rosenbrock solvers", Atmospheric Environment 31 (1997).
const RODAS3: Rosenbrock = Rosenbrock {
    gamma: 0.5,
    a: &[&[], &[0.0], &[2.0, 0.0], &[2.0, 0.0, 1.0]],
    c: &[&[], &[4.0], &[1.0, -1.0], &[1.0, -1.0, -8.0 / 3.0]],
    alpha: &[0.0, 0.0, 1.0, 1.0],
    gammas: &[0.5, 1.5, 0.0, 0.0],
    m: &[2.0, 0.0, 1.0, 1.0],
    error: &[0.0, 0.0, 0.0, 1.0],
    order: 3,
};

/// Of order 4 also on semi-discrete parabolic equations, L-stable and stiffly accurate, embedded
/// order 3: RODASP of Steinebach, "Order-reduction of ROW-methods for DAEs and method of lines
/// applications", preprint 1741, TH Darmstadt (1995), with the coefficients of Hairer and Wanner's
/// code.
const RODASP: Rosenbrock = Rosenbrock {
    gamma: 0.25,
    a: &[
        &[],
        &[3.0],
        &[1.831036793486759, 0.4955183967433795],
        &[2.304376582692669, -0.05249275245743001, -1.176798761832782],
        &[-7.170454962423024, -4.741636671481785, -16.31002631330971, -1.062004044111401],
        &[-7.170454962423024, -4.741636671481785, -16.31002631330971, -1.062004044111401, 1.0],
    ],
    c: &[
        &[],
        &[-12.0],
        &[-8.791795173947035, -2.207865586973518],
        &[10.81793056857153, 6.780270611428266, 19.5348594464241],
        &[34.19095006749676, 15.49671153725963, 54.7476087596413, 14.16005392148534],
        &[
            34.62605830930532,
            15.30084976114473,
            56.99955578662667,
            18.40807009793095,
            -5.714285714285717,
        ],
    ],
    alpha: &[0.0, 0.75, 0.21, 0.63, 1.0, 1.0],
    gammas: &[0.25, -0.5, -0.023504, -0.0362, 0.0, 0.0],
    m: &[-7.170454962423024, -4.741636671481785, -16.31002631330971, -1.062004044111401, 1.0, 1.0],
    error: &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
    order: 4,
};

impl Rosenbrock {
    /// The implicit method of that name, or that it may turn to; `None` for explicit ones.
    #[must_use]
    pub fn of(integrator: Integrator) -> Option<Self> {
        match integrator {
            Integrator::Rosenbrock3 => Some(RODAS3),
            Integrator::Rosenbrock4 | Integrator::Auto => Some(RODASP),
            Integrator::Euler | Integrator::Rk4 | Integrator::DormandPrince => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tableau::combine;

    const ALL: [Integrator; 2] = [Integrator::Rosenbrock3, Integrator::Rosenbrock4];

    /// A system of two equations with its exact derivatives.
    struct System {
        rate: fn([f64; 2], f64) -> [f64; 2],
        jacobian: fn([f64; 2], f64) -> [[f64; 2]; 2],
        by_time: fn([f64; 2], f64) -> [f64; 2],
    }

    /// x' = y cos t - x^2 y, y' = x + sin(2 t) y^2: every elementary differential takes part.
    const MIXED: System = System {
        rate: |[x, y], t| [y * t.cos() - x * x * y, x + (2.0 * t).sin() * y * y],
        jacobian: |[x, y], t| [[-2.0 * x * y, t.cos() - x * x], [1.0, 2.0 * (2.0 * t).sin() * y]],
        by_time: |[_, y], t| [-y * t.sin(), 2.0 * (2.0 * t).cos() * y * y],
    };

    /// (1 - gamma dt A)^-1 r.
    fn solve(a: [[f64; 2]; 2], factor: f64, r: [f64; 2]) -> [f64; 2] {
        let [[p, q], [s, t]] = [
            [1.0 - factor * a[0][0], -factor * a[0][1]],
            [-factor * a[1][0], 1.0 - factor * a[1][1]],
        ];
        let determinant = p * t - q * s;
        [(t * r[0] - q * r[1]) / determinant, (p * r[1] - s * r[0]) / determinant]
    }

    /// One step, and its embedded estimate.
    fn step(r: &Rosenbrock, system: &System, y: [f64; 2], t: f64, dt: f64) -> [[f64; 2]; 2] {
        let (a, rate) = ((system.jacobian)(y, t), (system.by_time)(y, t));
        let mut stages: Vec<Vec<f64>> = Vec::new();
        let sum = |weights: &[f64], stages: &[Vec<f64>]| {
            let sum = combine(weights, stages);
            if sum.is_empty() { [0.0; 2] } else { [sum[0], sum[1]] }
        };
        for i in 0..r.m.len() {
            let (shift, old) = (sum(r.a[i], &stages), sum(r.c[i], &stages));
            let at = [y[0] + shift[0], y[1] + shift[1]];
            let f = (system.rate)(at, t + r.alpha[i] * dt);
            let right = |k: usize| r.gamma * (dt * f[k] + old[k] + r.gammas[i] * dt * dt * rate[k]);
            stages.push(solve(a, r.gamma * dt, [right(0), right(1)]).to_vec());
        }
        let (move_, error) = (sum(r.m, &stages), sum(r.error, &stages));
        [[y[0] + move_[0], y[1] + move_[1]], error]
    }

    fn end(r: &Rosenbrock, steps: usize) -> [f64; 2] {
        let dt = 1.0 / steps as f64;
        (0..steps).fold([0.8, -0.5], |y, k| step(r, &MIXED, y, k as f64 * dt, dt)[0])
    }

    /// The order of the steps, from three numbers of steps.
    fn measured(r: &Rosenbrock) -> f64 {
        let [coarse, middle, fine] = [20, 40, 80].map(|steps| end(r, steps));
        let distance = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
        (distance(coarse, middle) / distance(middle, fine)).log2()
    }

    #[test]
    fn every_method_has_its_order() {
        for integrator in ALL {
            let method = Rosenbrock::of(integrator).expect("an implicit method");
            let order = measured(&method);
            assert!((order - f64::from(method.order)).abs() < 0.4, "{integrator:?}: {order}");
            // Of its two numbers of steps the estimate falls as its own order says.
            let estimate = |dt: f64| {
                let [_, e] = step(&method, &MIXED, [0.8, -0.5], 0.2, dt);
                e[0].hypot(e[1])
            };
            let order = (estimate(0.02) / estimate(0.01)).log2();
            assert!((order - f64::from(method.order)).abs() < 0.4, "{integrator:?}: {order}");
        }
        let planted = Rosenbrock { gammas: &[0.25, -0.5, -0.02, -0.0362, 0.0, 0.0], ..RODASP };
        assert!(measured(&planted) < 3.0, "a wrong coefficient of dF/dt is seen");
        let planted = Rosenbrock { m: &[2.0, 0.01, 1.0, 1.0], ..RODAS3 };
        assert!(measured(&planted) < 2.5, "a wrong weight is seen");
    }

    /// R(infinity) = 0: what decays fast is gone after one step, however long.
    #[test]
    fn every_method_is_l_stable() {
        let decay = System {
            rate: |[x, y], _| [-1e9 * x, -y],
            jacobian: |_, _| [[-1e9, 0.0], [0.0, -1.0]],
            by_time: |_, _| [0.0; 2],
        };
        for integrator in ALL {
            let method = Rosenbrock::of(integrator).expect("an implicit method");
            let [y, _] = step(&method, &decay, [1.0, 1.0], 0.0, 0.1);
            assert!(y[0].abs() < 1e-6, "{integrator:?}: {}", y[0]);
            assert!((y[1] - (-0.1f64).exp()).abs() < 1e-4, "{integrator:?}");
        }
    }
}
