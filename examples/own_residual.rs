//! A residual of one's own in Rust, minimised by the library's methods: the catenary, a chain whose
//! length is given, as a least-squares problem for its heights.
//! `cargo run --release --example own_residual`.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use sketchpde::{Method, OptimizeError, ResidualError, ResidualSystem, StoppingRule, Training};

/// Heights y_1 .. y_n between two fixed ends obey `y'' = k sqrt(1 + y'^2)`: one row per inner point,
/// by central differences of width h.
struct Catenary {
    n: usize,
    k: f64,
    ends: [f64; 2],
}

impl Catenary {
    fn neighbours(&self, y: &[f64], i: usize) -> (f64, f64) {
        let before = if i == 0 { self.ends[0] } else { y[i - 1] };
        (before, y.get(i + 1).copied().unwrap_or(self.ends[1]))
    }

    fn h(&self) -> f64 {
        1.0 / (self.n + 1) as f64
    }
}

impl ResidualSystem for Catenary {
    fn parameters(&self) -> usize {
        self.n
    }

    fn rows(&self) -> usize {
        self.n
    }

    async fn residual(&mut self, y: &[f64], out: &mut [f64]) -> Result<(), ResidualError> {
        let h = self.h();
        for (i, r) in out.iter_mut().enumerate() {
            let (a, b) = self.neighbours(y, i);
            let slope = (b - a) / (2.0 * h);
            *r = (a - 2.0 * y[i] + b) / (h * h) - self.k * (1.0 + slope * slope).sqrt();
        }
        Ok(())
    }

    async fn losses(&mut self, list: &[&[f64]]) -> Result<Vec<f64>, ResidualError> {
        let mut r = vec![0.0; self.n];
        let mut losses = Vec::new();
        for y in list {
            self.residual(y, &mut r).await?;
            losses.push(r.iter().map(|r| r * r).sum());
        }
        Ok(losses)
    }

    async fn jacobian(
        &mut self,
        y: &[f64],
        residual: &mut [f64],
        mut jacobian: DMatrixViewMut<'_, f64>,
    ) -> Result<(), ResidualError> {
        let h = self.h();
        jacobian.fill(0.0);
        for i in 0..self.n {
            let (a, b) = self.neighbours(y, i);
            let slope = (b - a) / (2.0 * h);
            let bend = self.k * slope / (1.0 + slope * slope).sqrt() / (2.0 * h);
            jacobian[(i, i)] = -2.0 / (h * h);
            if i > 0 {
                jacobian[(i, i - 1)] = 1.0 / (h * h) + bend;
            }
            if i + 1 < self.n {
                jacobian[(i, i + 1)] = 1.0 / (h * h) - bend;
            }
        }
        self.residual(y, residual).await
    }

    async fn jacobian_blocks(
        &mut self,
        y: &[f64],
        visit: &mut dyn FnMut(usize, DMatrixView<'_, f64>),
    ) -> Result<(), ResidualError> {
        let mut jacobian = DMatrix::zeros(self.n, self.n);
        self.jacobian(y, &mut vec![0.0; self.n], jacobian.as_view_mut()).await?;
        visit(0, jacobian.as_view());
        Ok(())
    }
}

fn main() -> Result<(), OptimizeError> {
    let (n, k) = (99, 2.0);
    // The exact chain: cosh(k (x - 1/2)) / k.
    let exact = |x: f64| (k * (x - 0.5)).cosh() / k;
    let system = Catenary { n, k, ends: [exact(0.0), exact(1.0)] };
    let rule = StoppingRule { max_iterations: 50, loss: Some(1e-18), ..StoppingRule::default() };
    let start = vec![exact(0.0); n];
    pollster::block_on(async {
        let method = Method::of("lm").expect("a method of the library");
        let mut training = Training::new(system, method, rule, start, 0).await?;
        loop {
            let report = training.iterate().await?;
            println!("iteration {:2}: loss {:.1e}", report.record.iteration, report.record.loss);
            if report.reason.is_some() {
                break;
            }
        }
        let y = training.parameters()[n / 2];
        println!("in the middle {y:.8}, exact {:.8}", exact(0.5));
        Ok(())
    })
}
