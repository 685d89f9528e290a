//! The gates of a modified MLP, forward and back: m = U + h (V - U) as series, with U and V the
//! encoders (Wang, Teng, Perdikaris, arXiv 2001.04536, equations 2.27 to 2.30).

use super::buffers::{Buffers, Sizes, lanes, lanes_mut};
use super::passes::accumulate;
use crate::scalar::Real;

/// After an encoder: V - U, once V is there. After a hidden layer: U + h (V - U) as series.
#[inline(always)]
pub(super) fn gate<T: Real, const L: usize>(
    sizes: &Sizes,
    activated: usize,
    blocks: usize,
    buffers: &mut Buffers<T>,
) {
    let (width, size) = (sizes.width, sizes.layer(1));
    let (first, second) = (sizes.layers, sizes.layers + 1);
    let u = &lanes::<T, L>(&buffers.h[first])[..blocks * size];
    if activated == second {
        let v = &lanes::<T, L>(&buffers.h[second])[..blocks * size];
        let difference = lanes_mut::<T, L>(&mut buffers.difference);
        for ((to, v), u) in difference.iter_mut().zip(v).zip(u) {
            for l in 0..L {
                to[l] = v[l] - u[l];
            }
        }
    }
    if activated == 0 || activated >= first {
        return;
    }
    let mixed = &mut lanes_mut::<T, L>(&mut buffers.mixed[activated])[..blocks * size];
    mixed.copy_from_slice(u);
    for block in 0..blocks {
        let range = block * size..(block + 1) * size;
        let h = &lanes::<T, L>(&buffers.h[activated])[range.clone()];
        let difference = &lanes::<T, L>(&buffers.difference)[range.clone()];
        let mixed = &mut mixed[range];
        for t in sizes.jets.products() {
            let (a, b, c) = (t.a as usize * width, t.b as usize * width, t.c as usize * width);
            accumulate(&h[a..a + width], &difference[b..b + width], &mut mixed[c..c + width]);
        }
    }
}

/// h_bar of a gated layer from the adjoint of what it passed on, m = U + h D with D = V - U:
/// `h_bar_a = sum over (a, b) -> c of D_b m_bar_c`; adds `m_bar` to the adjoint of U for constant
/// D, and what belongs to D to the adjoints of V and, with the other sign, of U.
#[inline(always)]
pub(super) fn ungate<T: Real, const L: usize>(
    sizes: &Sizes,
    layer: usize,
    blocks: usize,
    buffers: &mut Buffers<T>,
) {
    let (width, size) = (sizes.width, sizes.layer(1));
    let [room, of_difference] = &mut buffers.power;
    let h_bar = &mut lanes_mut::<T, L>(room)[..size];
    let d_bar = &mut lanes_mut::<T, L>(of_difference)[..size];
    let [u_bar, v_bar] = &mut buffers.gate_bar;
    for block in 0..blocks {
        let range = block * size..(block + 1) * size;
        let m_bar = &mut lanes_mut::<T, L>(&mut buffers.h_bar)[range.clone()];
        let h = &lanes::<T, L>(&buffers.h[layer])[range.clone()];
        let difference = &lanes::<T, L>(&buffers.difference)[range.clone()];
        h_bar.fill([T::ZERO; L]);
        d_bar.fill([T::ZERO; L]);
        for t in sizes.jets.products() {
            let (a, b, c) = (t.a as usize * width, t.b as usize * width, t.c as usize * width);
            let m_bar = &m_bar[c..c + width];
            accumulate(&difference[b..b + width], m_bar, &mut h_bar[a..a + width]);
            accumulate(&h[a..a + width], m_bar, &mut d_bar[b..b + width]);
        }
        let u_bar = &mut lanes_mut::<T, L>(u_bar)[range.clone()];
        let v_bar = &mut lanes_mut::<T, L>(v_bar)[range];
        for k in 0..size {
            for l in 0..L {
                u_bar[k][l] += m_bar[k][l] - d_bar[k][l];
                v_bar[k][l] += d_bar[k][l];
            }
        }
        m_bar.copy_from_slice(h_bar);
    }
}
