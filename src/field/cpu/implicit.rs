//! Products with chosen columns of du/dtheta that are never stored.
//!
//! `J v` is a tangent and `J^T w` a sweep back; both begin with the forward pass of the value
//! alone. For 200,000 points and 757 columns in f32 the matrix would be 605 MB, and writing it takes
//! longer than all the products that a solve needs.

use pulp::Simd;
use rayon::prelude::*;

use super::Evaluator;
use super::backward::backward;
use super::columns::{LaneSums, Plan, Swept, columns};
use super::forward::forward;
use super::kernel::Kernel;
use super::output::cut;
use super::tangent::{Direction, tangent};
use super::tile::{Buffers, Pass, PassMut, Sizes};
use super::weights::Weights;
use crate::scalar::Real;

/// Sums over points are taken in so many parts, whatever the number of threads, so that they do
/// not depend on it.
const PARTS: usize = 32;
/// Tiles after which sums in T are added to those in f64.
const FLUSH: usize = 4;

/// J: the derivatives of the unknowns at an evaluator's points by some of the parameters, at theta.
pub struct ImplicitColumns<'a, T> {
    evaluator: &'a Evaluator<T>,
    weights: Weights<T>,
    plan: Plan,
    columns: &'a [u32],
    sizes: Sizes,
}

impl<'a, T: Kernel> ImplicitColumns<'a, T> {
    #[must_use]
    pub fn new(evaluator: &'a Evaluator<T>, theta: &[f64], columns: &'a [u32]) -> Self {
        let network = &evaluator.network;
        let weights = Weights::new(network, theta);
        let plan = Plan::new(network, columns);
        let sizes = evaluator.sizes_of(&evaluator.value, 1, &evaluator.value);
        Self { evaluator, weights, plan, columns, sizes }
    }

    /// n m.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.evaluator.rows()
    }

    /// s.
    #[must_use]
    pub fn count(&self) -> usize {
        self.columns.len()
    }

    /// `out = J v`.
    pub fn multiply(&self, v: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        self.sweep(Some(v), 0.0, out, false);
    }

    /// `out = J^T w`.
    pub fn multiply_transposed(&self, w: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&self.sweep(None, 0.0, &mut w.to_vec(), true));
    }

    /// `u = J v - alpha u`, then `out = J^T u`, in one pass over the points.
    pub fn multiply_both(&self, v: &[f64], alpha: f64, u: &mut [f64], out: &mut [f64]) {
        out.copy_from_slice(&self.sweep(Some(v), alpha, u, true));
    }

    /// `u = J v - alpha u` where there is a v, then `J^T u` where that is wanted.
    fn sweep(&self, v: Option<&[f64]>, alpha: f64, u: &mut [f64], back: bool) -> Vec<f64> {
        assert_eq!(u.len(), self.rows(), "one entry per row");
        let direction = v.map(|v| self.direction(v));
        let tile = self.sizes.blocks;
        let blocks = self.evaluator.blocks().div_ceil(PARTS).next_multiple_of(tile).max(tile);
        let sums = if back { self.count() } else { 0 };
        let parts: Vec<Vec<f64>> = cut(u, self.evaluator.points, blocks * T::LANES)
            .into_par_iter()
            .enumerate()
            .map(|(index, u)| {
                let mut part = vec![0.0; sums];
                T::run_product(Run {
                    matrix: self,
                    direction: direction.as_ref(),
                    alpha,
                    first_block: index * blocks,
                    u,
                    sums: &mut part,
                });
                part
            })
            .collect();
        let mut out = vec![0.0; sums];
        for part in parts {
            out.iter_mut().zip(part).for_each(|(out, sum)| *out += sum);
        }
        out
    }

    fn direction(&self, v: &[f64]) -> Direction<T> {
        assert_eq!(v.len(), self.count(), "one entry per column");
        let network = &self.evaluator.network;
        let mut whole = vec![0.0; network.parameters()];
        for (&column, v) in self.columns.iter().zip(v) {
            whole[column as usize] = *v;
        }
        Direction::new(network, &self.weights, &whole)
    }
}

/// A run of blocks. A type with `with_simd`, not a closure: a closure that the compiler does not
/// inline is compiled for the oldest processor, silently.
pub struct Run<'a, T> {
    matrix: &'a ImplicitColumns<'a, T>,
    direction: Option<&'a Direction<T>>,
    alpha: f64,
    first_block: usize,
    /// One slice per unknown.
    u: Vec<&'a mut [f64]>,
    /// Empty where nothing is swept back.
    sums: &'a mut [f64],
}

impl<T: Kernel> pulp::WithSimd for Run<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match T::LANES {
            8 => self.run::<S, 8>(simd),
            _ => self.run::<S, 16>(simd),
        }
    }
}

impl<T: Kernel> Run<'_, T> {
    #[inline(always)]
    fn run<S: Simd, const L: usize>(self, simd: S) {
        let Self { matrix, direction, alpha, first_block, mut u, sums } = self;
        let ImplicitColumns { evaluator, weights, plan, sizes, .. } = matrix;
        let mut memory = T::take_memory(Buffers::<T, L>::lanes(sizes));
        let Buffers { own, mut adjoint, mut along, mut room } = Buffers::of(sizes, &mut memory);
        let mut lane_sums = vec![[T::ZERO; L]; sums.len()];
        let (mut features, mut seed) = (Vec::new(), Vec::new());
        let (points, outputs) = (u[0].len(), sizes.outputs);
        for (index, first) in (0..points).step_by(sizes.blocks * L).enumerate() {
            let start = first_block + index * sizes.blocks;
            let count = (points - first).min(sizes.blocks * L);
            let blocks = start..start + count.div_ceil(L);
            evaluator.load_features::<L>(sizes, blocks.clone(), &mut features);
            let to = &mut PassMut::of(sizes, own);
            forward(simd, sizes, weights, &features, to, &mut room);
            let pass = Pass::of(sizes, own);
            seed.clear();
            for block in blocks {
                let of = |unknown| evaluator.block_distances::<L>(block, unknown);
                seed.extend((0..outputs).map(|q| of(q).map_or([T::ONE; L], |d| d[0])));
            }
            if let Some(direction) = direction {
                let to = &mut along;
                tangent(simd, sizes, weights, direction, &features, &pass, to, &mut room);
            }
            for (unknown, u) in u.iter_mut().enumerate() {
                let u = &mut u[first..first + count];
                let lanes = seed.iter_mut().skip(unknown).step_by(outputs);
                let images = along.output.iter().skip(unknown).step_by(outputs);
                for ((u, lanes), image) in u.chunks_mut(L).zip(lanes).zip(images) {
                    for (l, u) in u.iter_mut().enumerate() {
                        if direction.is_some() {
                            *u = (lanes[l] * image[l]).to_f64() - alpha * *u;
                        }
                        // The distance's lanes become the seed.
                        lanes[l] *= T::of(*u);
                    }
                    // Those behind the last point count nothing.
                    lanes[u.len()..].fill(T::ZERO);
                }
            }
            if sums.is_empty() {
                continue;
            }
            backward(simd, sizes, weights, plan, &seed, &pass, &mut adjoint, &mut room);
            let swept = Swept { features: &features, pass: &pass, adjoint: &adjoint, seed: &seed };
            columns(sizes, weights, plan, &swept, &mut LaneSums { sums: &mut lane_sums });
            if (index + 1) % FLUSH == 0 {
                flush(&mut lane_sums, sums);
            }
        }
        flush(&mut lane_sums, sums);
        T::keep_memory(memory);
    }
}

/// Moves the lanes' sums to those in f64.
#[inline(always)]
fn flush<T: Real, const L: usize>(lanes: &mut [[T; L]], sums: &mut [f64]) {
    for (lanes, sum) in lanes.iter_mut().zip(sums) {
        for lane in lanes {
            *sum += lane.to_f64();
            *lane = T::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;

    use super::*;
    use crate::network::Network;
    use crate::problem::{Overrides, Points, Problem};
    use crate::random::{Philox, Stream};

    /// Both kinds of boundary, so that there is a distance, and an activation with coefficients.
    const TEXT: &str = "format = 1\n[equation]\ntext = 'u_t = laplace(u)'\n[domain]\n\
        x = { range = [0, 2] }\ny = { range = [0, 1], boundary = 'dirichlet' }\n\
        [time]\nend = 1\n[initial]\nu = 'sin(pi*x)*y*(1 - y)'\n\
        [network]\nwidth = 7\nhidden_layers = 2\n[points]\ncount = [37, 29]\n";

    /// Largest errors of the three products, relative to the sizes of the factors.
    fn errors<T: Kernel>(planted: f64) -> [f64; 3] {
        let problem = Problem::from_toml(TEXT, &Overrides::new()).expect("a problem");
        let network = Network::of(&problem);
        let theta = network.initialise(3);
        let points = Points::of(&problem).coordinates;
        let columns = Philox::new(1, Stream::Columns).subset(1, theta.len(), 90);
        let truth = Evaluator::<f64>::new(&problem, &network, &points);
        let mut j = DMatrix::zeros(truth.points(), columns.len());
        truth.columns(&theta, 0.0, &columns, 0, j.as_view_mut());
        j[(500, 40)] += planted;
        let draw = |epoch: u64, count: usize| -> Vec<f64> {
            let random = Philox::new(9, Stream::Vectors);
            (0..count).map(|i| random.normal(epoch, i as u32)).collect()
        };
        let (n, s) = j.shape();
        let (v, w, alpha) = (draw(1, s), draw(2, n), 0.3);
        let column = |x: &[f64]| DMatrix::from_fn(x.len(), 1, |i, _| x[i]);
        let list = |x: DMatrix<f64>| -> Vec<f64> { x.column(0).iter().copied().collect() };
        let image = list(&j * column(&v));
        let both: Vec<f64> = image.iter().zip(&w).map(|(a, w)| a - alpha * w).collect();
        let exact = [&w, &both].map(|w| list(j.transpose() * column(w)));

        let evaluator = Evaluator::<T>::new(&problem, &network, &points);
        let implicit = ImplicitColumns::new(&evaluator, &theta, &columns);
        let (mut forward, mut back) = (vec![f64::NAN; n], vec![f64::NAN; s]);
        implicit.multiply(&v, &mut forward);
        implicit.multiply_transposed(&w, &mut back);
        let (mut u, mut g) = (w.clone(), vec![f64::NAN; s]);
        implicit.multiply_both(&v, alpha, &mut u, &mut g);
        let distance = |a: &[f64], b: &[f64]| {
            let square = |x: &mut dyn Iterator<Item = f64>| x.map(|d| d * d).sum::<f64>().sqrt();
            let difference = square(&mut a.iter().zip(b).map(|(a, b)| a - b));
            difference / square(&mut b.iter().copied())
        };
        let first = distance(&forward, &image).max(distance(&u, &both));
        [first, distance(&back, &exact[0]), distance(&g, &exact[1])]
    }

    #[test]
    fn products_are_those_of_the_stored_columns() {
        for (errors, unit) in
            [(errors::<f64>(0.0), f64::EPSILON), (errors::<f32>(0.0), f64::from(f32::EPSILON))]
        {
            for error in errors {
                assert!(error < 50.0 * unit, "{errors:?} in units of {unit:e}");
            }
        }
        let off = errors::<f64>(1e-6);
        assert!(off.iter().all(|&error| error > 1e-11), "a wrong entry is seen: {off:?}");
    }
}
