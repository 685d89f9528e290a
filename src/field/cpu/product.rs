//! Small matrices times many lanes.

use bytemuck::{cast_slice, cast_slice_mut};
use pulp::Simd;

use super::weights::{Packed, TILE};
use crate::scalar::Real;

/// One register of the instruction set S.
pub type Vector<T, S> = <T as Real>::Vector<S>;

/// `output = weight * input` for every group: `columns` lanes become `rows` lanes.
///
/// Written in registers, not lanes: of sums of several rows and groups the compiler makes scalars.
/// Every entry of the matrix is loaded once for as many groups as registers can sum.
#[inline(always)]
pub fn multiply<S: Simd, T: Real, const L: usize>(
    simd: S,
    weight: &Packed<T>,
    input: &[[T; L]],
    output: &mut [[T; L]],
) {
    let groups = input.len() / weight.columns;
    let input: &[Vector<T, S>] = cast_slice(input.as_flattened());
    let output: &mut [Vector<T, S>] = cast_slice_mut(output.as_flattened_mut());
    // 512 bits come with 32 registers, less with 16.
    let wide = size_of::<Vector<T, S>>() >= 64;
    let parts = L * size_of::<T>() / size_of::<Vector<T, S>>();
    let mut done = 0;
    while done < groups {
        let from = &input[done * weight.columns * parts..];
        let to = &mut output[done * weight.rows * parts..];
        done += match groups - done {
            4.. if wide => product::<S, T, 4>(simd, parts, weight, from, to),
            3 if wide => product::<S, T, 3>(simd, parts, weight, from, to),
            2.. => product::<S, T, 2>(simd, parts, weight, from, to),
            _ => product::<S, T, 1>(simd, parts, weight, from, to),
        };
    }
}

/// Adds a number to the lanes of each unit. Also in registers: the compiler would gather the same
/// lane of several units.
#[inline(always)]
pub fn add_constants<S: Simd, T: Real, const L: usize>(
    simd: S,
    constants: &[T],
    to: &mut [[T; L]],
) {
    for (to, constant) in to.iter_mut().zip(constants) {
        let constant = T::splat(simd, *constant);
        let to: &mut [Vector<T, S>] = cast_slice_mut(to.as_mut_slice());
        for to in to {
            *to = T::add_vectors(simd, *to, constant);
        }
    }
}

/// The first G groups of a product; returns G. A lane array is `parts` registers.
#[inline(always)]
fn product<S: Simd, T: Real, const G: usize>(
    simd: S,
    parts: usize,
    weight: &Packed<T>,
    input: &[Vector<T, S>],
    output: &mut [Vector<T, S>],
) -> usize {
    let Packed { rows, columns, .. } = *weight;
    for (first, tile) in weight.tiles() {
        for part in 0..parts {
            let mut sums = [[T::splat(simd, T::ZERO); TILE]; G];
            let x: [&[Vector<T, S>]; G] =
                std::array::from_fn(|g| &input[g * columns * parts..][..tile.len() * parts]);
            for (k, w) in tile.iter().enumerate() {
                for r in 0..TILE {
                    let w = T::splat(simd, w[r]);
                    for g in 0..G {
                        sums[g][r] = T::multiply_add(simd, w, x[g][k * parts + part], sums[g][r]);
                    }
                }
            }
            for g in 0..G {
                for r in 0..TILE {
                    if first + r < rows {
                        output[(g * rows + first + r) * parts + part] = sums[g][r];
                    }
                }
            }
        }
    }
    G
}
