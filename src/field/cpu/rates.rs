//! How the right-hand side changes with the parameters.
//!
//! With channels u_c (derivatives of u), F = F(x, t, u_1, u_2, ...) and
//!
//! ```text
//! A = dF/dtheta = sum_c diag(dF/du_c) du_c/dtheta
//! ```
//!
//! which is one sweep back, seeded with the symbolic dF/du_c at every point.

use faer::MatMut;

use super::backward::ColumnPlan;
use super::output::Output;
use super::sweep::{Request, Wanted};
use super::weights::Weights;
use super::{Evaluator, Linearisation};
use crate::jet::JetSet;
use crate::problem::expression::Expression;
use crate::program::{Block, Program, Registers, Rows};
use crate::scalar::Real;

/// dF/du_c, one output per channel c of `jets`.
pub(super) fn sensitivities(right_hand_side: &Expression, jets: &JetSet) -> Program {
    let by_channel = |&channel| right_hand_side.derivative_by_channel(channel).simplify();
    let list: Vec<Expression> = jets.channels().iter().map(by_channel).collect();
    Program::compile(&list, jets.channels())
}

impl<T: Real> Evaluator<T> {
    /// The chosen columns of A = dF/dtheta as points x columns, F the equation's right-hand side of
    /// the ansatz at `theta` and `time`. The lift's rate of change, which [`Evaluator::field`]
    /// subtracts from F, does not depend on theta and adds nothing.
    pub fn rate_columns(&self, theta: &[f64], time: f64, columns: &[u32], out: MatMut<'_, T>) {
        let weights = Weights::unpack(&self.network, theta);
        self.sweep_rates(Request::new(&weights, time), columns, out);
    }

    /// [`Evaluator::rate_columns`] where `at` stands, from the passes it keeps.
    ///
    /// # Panics
    /// When `at` is a linearisation at no parameters yet, or one of another evaluator.
    pub fn rate_columns_at(
        &self,
        at: &Linearisation<T>,
        time: f64,
        columns: &[u32],
        out: MatMut<'_, T>,
    ) {
        self.sweep_rates(at.request(time), columns, out);
    }

    fn sweep_rates(&self, request: Request<'_, T>, columns: &[u32], out: MatMut<'_, T>) {
        assert_eq!((out.nrows(), out.ncols()), (self.points, columns.len()), "shape of A");
        let mut fields = Output::fields(self.points);
        fields.derivatives = vec![vec![0.0; self.points]; self.jets.len()];
        self.sweep(&request, &mut fields);
        let seeds = self.seeds(&fields.derivatives, request.time);
        let plan = ColumnPlan::new(&self.network, request.weights, columns);
        let mut output = Output::fields(self.points);
        output.jacobian = Some(out);
        let (plan, seeds, wanted) = (Some(&plan), Some(seeds.as_slice()), Wanted::Nothing);
        self.sweep(&Request { plan, seeds, wanted, ..request }, &mut output);
    }

    /// dF/d(Taylor coefficient c) at every point: block by block, channel by channel, lane by lane.
    fn seeds(&self, derivatives: &[Vec<f64>], time: f64) -> Vec<T> {
        let (channels, padded) = (self.jets.len(), self.padded());
        let convert = |v: &f64| T::of(*v);
        let last = self.points - 1;
        let jets: Vec<T> = derivatives
            .iter()
            .flat_map(|row| (0..padded).map(move |i| T::of(row[i.min(last)])))
            .collect();
        let coordinates: Vec<T> = self.coordinates.iter().map(convert).collect();
        let parameters: Vec<T> = self.parameters.iter().map(convert).collect();
        let block = Block {
            count: padded,
            coordinates: Rows { data: &coordinates, stride: padded },
            channels: Rows { data: &jets, stride: padded },
            time: T::of(time),
            parameters: &parameters,
        };
        let mut rows = vec![T::ZERO; channels * padded];
        self.sensitivities.run(&block, &mut Registers::new(), &mut rows, padded);
        let mut seeds = Vec::with_capacity(rows.len());
        for first in (0..padded).step_by(T::LANES) {
            for (c, row) in rows.chunks_exact(padded).enumerate() {
                let factor = T::of(self.jets.factor(c));
                seeds.extend(row[first..first + T::LANES].iter().map(|&v| factor * v));
            }
        }
        seeds
    }
}

#[cfg(test)]
mod tests {
    use faer::Mat;

    use super::*;
    use crate::network::Network;
    use crate::problem::{Overrides, Problem};
    use crate::random::{Philox, Stream};

    /// Equations of order 1 to 4, of one to three coordinates, with lifts and distances.
    const EQUATIONS: [(&str, &str); 6] = [
        ("x = { range = [0, 2] }", "-(2 + cos(t))*u*u_x + u^2"),
        ("x = { range = [0, 2] }", "-u*u_x - 0.022*u_xxx"),
        (
            "x = { range = [0, 1], boundary = 'dirichlet', lower = 't', upper = 'sin(t)' }",
            "0.1*u_xx*u + u^3",
        ),
        ("x = { range = [0, 6] }", "-u_xx - u_xxxx*(1 + u_x^2)/9 - u*u_x*sin(x)"),
        (
            "x = { range = [0, 2] }\ny = { range = [0, 1], boundary = 'dirichlet' }",
            "u*laplace(u) + u_x*u_y",
        ),
        (
            "x = { range = [0, 2] }\ny = { range = [0, 1], boundary = 'dirichlet' }\n\
             z = { range = [0, 1] }",
            "u_x*u_yz + 0.3*u_xxy - exp(-u)",
        ),
    ];

    fn problem(domain: &str, equation: &str, activation: &str) -> Problem {
        let text = format!(
            "format = 1\n[equation]\ntext = 'u_t = {equation}'\n[domain]\n{domain}\n\
             [time]\nend = 1\n[initial]\nu = '0'\n[network]\nwidth = 5\nhidden_layers = 2\n\
             activation = '{activation}'\n[points]\ncount = 4\n"
        );
        Problem::from_toml(&text, &Overrides::new()).expect("a problem")
    }

    fn points(dimensions: usize, count: usize) -> Vec<f64> {
        let random = Philox::new(11, Stream::Points);
        (0..count * dimensions).map(|k| random.uniform(0, k as u32)).collect()
    }

    fn parameters(network: &Network) -> Vec<f64> {
        let random = Philox::new(2, Stream::Initialisation);
        let mut theta = network.initialise(5);
        for (k, v) in theta.iter_mut().enumerate() {
            *v += 0.1 * random.normal(0, k as u32);
        }
        theta
    }

    fn matrix<T: Real>(problem: &Problem, theta: &[f64], x: &[f64], columns: &[u32]) -> Mat<T> {
        let evaluator = Evaluator::<T>::new(problem, &Network::of(problem), x);
        let mut out = Mat::zeros(evaluator.points(), columns.len());
        evaluator.rate_columns(theta, 0.3, columns, out.as_mut());
        let mut at = Linearisation::default();
        let _ = evaluator.linearise(theta, 0.3, &mut at);
        let mut kept = Mat::zeros(evaluator.points(), columns.len());
        evaluator.rate_columns_at(&at, 0.3, columns, kept.as_mut());
        assert_eq!(out, kept, "kept passes change no bit");
        out
    }

    /// Every parameter's column against central differences of F.
    #[test]
    fn rate_columns_are_central_differences_of_the_right_hand_side() {
        for activation in ["rational", "tanh", "sin", "swish"] {
            for (domain, equation) in EQUATIONS {
                let problem = problem(domain, equation, activation);
                let network = Network::of(&problem);
                let theta = parameters(&network);
                let x = points(network.inputs().len(), 11);
                let all: Vec<u32> = (0..theta.len() as u32).collect();
                let exact = matrix::<f64>(&problem, &theta, &x, &all);
                let evaluator = Evaluator::<f64>::new(&problem, &network, &x);
                let step = 1e-5;
                let scale = exact.norm_max().max(1.0);
                for k in 0..theta.len() {
                    let at = |sign: f64| {
                        let mut moved = theta.clone();
                        moved[k] += sign * step;
                        evaluator.field(&moved, 0.3).right_hand_side
                    };
                    let (up, down) = (at(1.0), at(-1.0));
                    for i in 0..11 {
                        let slope = (up[i] - down[i]) / (2.0 * step);
                        let error = (slope - exact[(i, k)]).abs();
                        assert!(error < 1e-6 * scale, "{activation}, {equation}, {k}: {error:e}");
                        let planted = (slope - 1.01 * exact[(i, k)]).abs();
                        let seen = planted > 1e-6 * scale || exact[(i, k)].abs() < 1e-3 * scale;
                        assert!(seen, "an error of one per cent is seen");
                    }
                }
            }
        }
    }

    /// Chosen columns in f32 against all in f64, for points that fill no whole block.
    #[test]
    fn single_precision_follows_double() {
        for (domain, equation) in EQUATIONS {
            let problem = problem(domain, equation, "rational");
            let network = Network::of(&problem);
            let theta = parameters(&network);
            let x = points(network.inputs().len(), 37);
            let all: Vec<u32> = (0..theta.len() as u32).collect();
            let some: Vec<u32> = all.iter().copied().step_by(3).collect();
            let double = matrix::<f64>(&problem, &theta, &x, &all);
            let single = matrix::<f32>(&problem, &theta, &x, &some);
            let tolerance = 2e3 * f64::from(f32::EPSILON) * double.norm_max();
            for (k, &column) in some.iter().enumerate() {
                for i in 0..37 {
                    let error = f64::from(single[(i, k)]) - double[(i, column as usize)];
                    assert!(error.abs() < tolerance, "{equation}: {error:e}, {tolerance:e}");
                }
            }
        }
    }
}
