//! Matrices with a known singular value decomposition, and brute-force products.

use nalgebra::DMatrix;

use crate::random::{Philox, Stream};

/// `J = U diag(sigma) V^T` with random orthonormal factors.
pub struct Planted {
    pub matrix: DMatrix<f64>,
    pub left: DMatrix<f64>,
    pub right: DMatrix<f64>,
    pub sigma: Vec<f64>,
}

impl Planted {
    pub fn new(n: usize, s: usize, sigma: Vec<f64>) -> Self {
        assert!(sigma.len() <= n.min(s));
        let left = orthonormal(n, sigma.len(), 1);
        let right = orthonormal(s, sigma.len(), 2);
        let scaled = DMatrix::from_fn(n, sigma.len(), |i, k| left[(i, k)] * sigma[k]);
        Self { matrix: scaled * right.transpose(), left, right, sigma }
    }

    /// `sum phi(sigma_k) (u_k . r) v_k` from the planted factors: no solver is asked.
    pub fn filtered(&self, r: &[f64], phi: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut v = vec![0.0; self.right.nrows()];
        for (k, &sigma) in self.sigma.iter().enumerate() {
            let c: f64 = (0..r.len()).map(|i| self.left[(i, k)] * r[i]).sum();
            for (i, v) in v.iter_mut().enumerate() {
                *v += phi(sigma) * c * self.right[(i, k)];
            }
        }
        v
    }

    /// The truncated solution.
    pub fn truncated(&self, r: &[f64], rcond: f64) -> Vec<f64> {
        let largest = self.sigma[0];
        self.filtered(r, |sigma| if sigma >= rcond * largest { sigma.recip() } else { 0.0 })
    }
}

/// Columns orthonormalised by Gram and Schmidt, twice.
fn orthonormal(rows: usize, columns: usize, epoch: u64) -> DMatrix<f64> {
    let random = Philox::new(11, Stream::Vectors);
    let mut q =
        DMatrix::from_fn(rows, columns, |i, k| random.normal(epoch, (i * columns + k) as u32));
    for k in 0..columns {
        for _ in 0..2 {
            for j in 0..k {
                let overlap: f64 = (0..rows).map(|i| q[(i, j)] * q[(i, k)]).sum();
                for i in 0..rows {
                    q[(i, k)] -= overlap * q[(i, j)];
                }
            }
        }
        let length = (0..rows).map(|i| q[(i, k)] * q[(i, k)]).sum::<f64>().sqrt();
        for i in 0..rows {
            q[(i, k)] /= length;
        }
    }
    q
}

pub fn normals(count: usize, epoch: u64) -> Vec<f64> {
    let random = Philox::new(12, Stream::Vectors);
    (0..count as u32).map(|i| random.normal(epoch, i)).collect()
}

/// `base^-k`, k = 0..count.
pub fn decaying(count: usize, base: f64) -> Vec<f64> {
    (0..count).map(|k| base.powi(-(k as i32))).collect()
}

/// `|a - b|`.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}
