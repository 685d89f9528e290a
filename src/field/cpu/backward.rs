//! The sweep back over the channels of a jet.

use pulp::Simd;

use super::activation::{MAX_COEFFICIENTS, Rational, rational_sensitivities};
use super::columns::Plan;
use super::forward::{accumulate, powers};
use super::gate::ungate;
use super::lanes::fma;
use super::product::multiply;
use super::tile::{Adjoint, Pass, Room, Sizes};
use super::weights::Weights;
use crate::network::RATIONAL_COEFFICIENTS;
use crate::scalar::Real;

/// Fills `adjoint` with the derivatives of `sum_g seed_g N_g` by z of every layer and by the
/// activations' coefficients that the plan asks for. N_g is the network's Taylor coefficient: block
/// by block, in each the channels that are swept back, and in these output by output.
#[inline(always)]
pub fn backward<S: Simd, T: Real, const L: usize>(
    simd: S,
    sizes: &Sizes,
    weights: &Weights<T>,
    plan: &Plan,
    seed: &[[T; L]],
    pass: &Pass<'_, T, L>,
    adjoint: &mut Adjoint<'_, T, L>,
    room: &mut Room<'_, T, L>,
) {
    let blocks = seed.len() / sizes.seed();
    let (size, whole) = (blocks * sizes.swept(), sizes.blocks * sizes.swept());
    multiply(simd, &weights.transposed[sizes.layers - 1], seed, &mut adjoint.h_bar[..size]);
    adjoint.gate_bar.fill([T::ZERO; L]);
    for layer in (0..sizes.layers).rev() {
        if sizes.encoders > 0 && layer > 0 {
            ungate(sizes, layer, blocks, pass, adjoint, room);
        }
        through_slope(sizes, layer, blocks, pass, adjoint);
        if plan.has_coefficients(layer) {
            let rational = &weights.rational[layer];
            for block in 0..blocks {
                // A value's Jacobian needs one coefficient of the sensitivities' series.
                let sums = match sizes.adjoint.order() {
                    0 => {
                        coefficients::<T, L, 1>(sizes, rational, layer, block, pass, adjoint, room)
                    }
                    1 | 2 => {
                        coefficients::<T, L, 3>(sizes, rational, layer, block, pass, adjoint, room)
                    }
                    _ => coefficients::<T, L, MAX_COEFFICIENTS>(
                        sizes, rational, layer, block, pass, adjoint, room,
                    ),
                };
                let first = layer * RATIONAL_COEFFICIENTS * sizes.blocks + block;
                for (k, sum) in sums.into_iter().enumerate() {
                    adjoint.coefficients[first + k * sizes.blocks] = sum;
                }
            }
        }
        if layer > 0 {
            let z_bar = &adjoint.z_bar[layer * whole..][..size];
            multiply(simd, &weights.transposed[layer - 1], z_bar, &mut adjoint.h_bar[..size]);
        }
    }
    for encoder in 0..sizes.encoders {
        adjoint.h_bar.copy_from_slice(&adjoint.gate_bar[encoder * whole..(encoder + 1) * whole]);
        through_slope(sizes, sizes.layers + encoder, blocks, pass, adjoint);
    }
}

/// z_bar of a layer from h_bar: `z_bar_a = sum over (a, b) -> c of slope_b h_bar_c`.
#[inline(always)]
fn through_slope<T: Real, const L: usize>(
    sizes: &Sizes,
    layer: usize,
    blocks: usize,
    pass: &Pass<'_, T, L>,
    adjoint: &mut Adjoint<'_, T, L>,
) {
    let (width, slopes, swept) = (sizes.width, sizes.slopes * sizes.width, sizes.swept());
    for block in 0..blocks {
        let at = layer * sizes.blocks + block;
        let slope = &pass.slope[at * slopes..(at + 1) * slopes];
        let h_bar = &adjoint.h_bar[block * swept..(block + 1) * swept];
        let z_bar = &mut adjoint.z_bar[at * swept..(at + 1) * swept];
        z_bar.fill([T::ZERO; L]);
        for t in sizes.adjoint.products() {
            let (a, b, c) = (t.a as usize * width, t.b as usize * width, t.c as usize * width);
            accumulate(&slope[b..b + width], &h_bar[c..c + width], &mut z_bar[a..a + width]);
        }
    }
}

/// Per coefficient of the layer's activation: the sum over units and channels of h_bar times the
/// composed series of the activation's derivative by the coefficient. The series have N
/// coefficients, more than the order of what is swept back.
#[inline(always)]
fn coefficients<T: Real, const L: usize, const N: usize>(
    sizes: &Sizes,
    rational: &Rational<T>,
    layer: usize,
    block: usize,
    pass: &Pass<'_, T, L>,
    adjoint: &Adjoint<'_, T, L>,
    room: &mut Room<'_, T, L>,
) -> [[T; L]; RATIONAL_COEFFICIENTS] {
    let (width, size, swept) = (sizes.width, sizes.block(), sizes.swept());
    let count = usize::from(sizes.adjoint.order()) + 1;
    let z = &pass.z[(layer * sizes.blocks + block) * size..][..size];
    let h_bar = &adjoint.h_bar[block * swept..(block + 1) * swept];
    // Entry m, unit j: sum_c h_bar_c (h^m)_c, h the unit's series without its constant.
    let contracted = &mut room.series[..count * width];
    contracted[..width].copy_from_slice(&h_bar[..width]);
    contracted[width..].fill([T::ZERO; L]);
    powers(
        &sizes.adjoint,
        width,
        z,
        room.power,
        #[inline(always)]
        |m, power| {
            for c in (width..swept).step_by(width) {
                let to = &mut contracted[m * width..(m + 1) * width];
                accumulate(&h_bar[c..c + width], &power[c..c + width], to);
            }
        },
    );
    let mut sums = [[T::ZERO; L]; RATIONAL_COEFFICIENTS];
    for j in 0..width {
        let series = rational_sensitivities::<T, L, N>(rational, &z[j]);
        for (sum, series) in sums.iter_mut().zip(&series) {
            for m in 0..count.min(N) {
                *sum = fma(series[m], contracted[m * width + j], *sum);
            }
        }
    }
    sums
}
