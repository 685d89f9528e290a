//! The gates of a modified MLP, forward, along a direction and back: m = U + h (V - U) as series,
//! with U and V the encoders (Wang, Teng, Perdikaris, arXiv 2001.04536, equations 2.27 to 2.30).

use super::forward::accumulate;
use super::lanes::add;
use super::tile::{Adjoint, Pass, PassMut, Room, Sizes, Tangent};
use crate::scalar::Real;

/// After an encoder: V - U, once V is there. After a hidden layer: U + h (V - U) as series.
#[inline(always)]
pub fn gate<T: Real, const L: usize>(
    sizes: &Sizes,
    activated: usize,
    blocks: usize,
    pass: &mut PassMut<'_, T, L>,
) {
    let (width, size, whole) = (sizes.width, sizes.block(), sizes.blocks * sizes.block());
    let (first, second) = (sizes.layers, sizes.layers + 1);
    let u = &pass.h[first * whole..][..blocks * size];
    if activated == second {
        let v = &pass.h[second * whole..][..blocks * size];
        for ((to, v), u) in pass.difference.iter_mut().zip(v).zip(u) {
            for l in 0..L {
                to[l] = v[l] - u[l];
            }
        }
    }
    if activated == 0 || activated >= first {
        return;
    }
    let mixed = &mut pass.mixed[activated * whole..][..blocks * size];
    mixed.copy_from_slice(u);
    for block in 0..blocks {
        let range = block * size..(block + 1) * size;
        let h = &pass.h[activated * whole..][range.clone()];
        let (difference, mixed) = (&pass.difference[range.clone()], &mut mixed[range]);
        for t in sizes.jets.products() {
            let (a, b, c) = (t.a as usize * width, t.b as usize * width, t.c as usize * width);
            accumulate(&h[a..a + width], &difference[b..b + width], &mut mixed[c..c + width]);
        }
    }
}

/// The tangent of what a layer passes on from that of its h, in place: an encoder's is kept, a
/// hidden layer's becomes `U' + h' D + h D'` with D = V - U.
#[inline(always)]
pub fn gate_along<T: Real, const L: usize>(
    sizes: &Sizes,
    activated: usize,
    blocks: usize,
    pass: &Pass<'_, T, L>,
    tangent: &mut Tangent<'_, T, L>,
    room: &mut Room<'_, T, L>,
) {
    let (width, size, whole) = (sizes.width, sizes.block(), sizes.blocks * sizes.block());
    let (u, difference) = tangent.gate.split_at_mut(whole);
    if activated == sizes.layers {
        u[..blocks * size].copy_from_slice(&tangent.h[..blocks * size]);
    } else if activated > sizes.layers {
        for ((to, v), u) in difference.iter_mut().zip(&tangent.h[..blocks * size]).zip(&*u) {
            for l in 0..L {
                to[l] = v[l] - u[l];
            }
        }
    }
    if activated == 0 || activated >= sizes.layers {
        return;
    }
    for block in 0..blocks {
        let range = block * size..(block + 1) * size;
        let h = &pass.h[activated * whole..][range.clone()];
        let (d, d_along) = (&pass.difference[range.clone()], &difference[range.clone()]);
        let h_along = &mut tangent.h[range.clone()];
        let mixed = &mut room.power[..size];
        mixed.copy_from_slice(&u[range]);
        for t in sizes.jets.products() {
            let (a, b, c) = (t.a as usize * width, t.b as usize * width, t.c as usize * width);
            let to = &mut mixed[c..c + width];
            accumulate(&h_along[a..a + width], &d[b..b + width], to);
            accumulate(&h[a..a + width], &d_along[b..b + width], to);
        }
        h_along.copy_from_slice(mixed);
    }
}

/// h_bar of a gated layer from the adjoint of what it passed on, m = U + h D with D = V - U:
/// `h_bar_a = sum over (a, b) -> c of D_b m_bar_c`; adds `m_bar` to the adjoint of U for constant
/// D, and what belongs to D to the adjoints of V and, with the other sign, of U.
#[inline(always)]
pub fn ungate<T: Real, const L: usize>(
    sizes: &Sizes,
    layer: usize,
    blocks: usize,
    pass: &Pass<'_, T, L>,
    adjoint: &mut Adjoint<'_, T, L>,
    room: &mut Room<'_, T, L>,
) {
    let (width, size, swept) = (sizes.width, sizes.block(), sizes.swept());
    let (h_bar, d_bar) = room.power.split_at_mut(size);
    let (h_bar, d_bar) = (&mut h_bar[..swept], &mut d_bar[..swept]);
    let (u_bar, v_bar) = adjoint.gate_bar.split_at_mut(sizes.blocks * swept);
    for block in 0..blocks {
        let range = block * swept..(block + 1) * swept;
        let m_bar = &mut adjoint.h_bar[range.clone()];
        let h = &pass.h[(layer * sizes.blocks + block) * size..][..size];
        let difference = &pass.difference[block * size..][..size];
        h_bar.fill([T::ZERO; L]);
        d_bar.fill([T::ZERO; L]);
        for t in sizes.adjoint.products() {
            let (a, b, c) = (t.a as usize * width, t.b as usize * width, t.c as usize * width);
            let m_bar = &m_bar[c..c + width];
            accumulate(&difference[b..b + width], m_bar, &mut h_bar[a..a + width]);
            accumulate(&h[a..a + width], m_bar, &mut d_bar[b..b + width]);
        }
        let (u_bar, v_bar) = (&mut u_bar[range.clone()], &mut v_bar[range]);
        for k in 0..swept {
            for l in 0..L {
                u_bar[k][l] += m_bar[k][l] - d_bar[k][l];
            }
            v_bar[k] = add(v_bar[k], d_bar[k]);
        }
        m_bar.copy_from_slice(h_bar);
    }
}
