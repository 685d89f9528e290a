//! Small matrices times many lanes.

use bytemuck::{cast_slice, cast_slice_mut};
use faer::traits::ComplexField;
use pulp::Simd;

use super::layers::{TILE, Tiles};
use crate::scalar::Real;

/// One register of the instruction set S.
type Register<T, S> = <T as ComplexField>::SimdVec<S>;

/// `output = weight * input` for every group: `columns` lanes become `rows` lanes.
///
/// Written in registers, not lanes: of sums of several rows and groups the compiler makes scalars.
/// Every entry of the matrix is loaded once for as many groups as registers can sum.
#[inline(always)]
pub fn multiply<S: Simd, T: Real, const L: usize>(
    simd: S,
    weight: &Tiles<T>,
    input: &[[T; L]],
    output: &mut [[T; L]],
) {
    let groups = input.len() / weight.columns;
    let input: &[Register<T, S>] = cast_slice(input.as_flattened());
    let output: &mut [Register<T, S>] = cast_slice_mut(output.as_flattened_mut());
    // 512 bits come with 32 registers, less with 16.
    let wide = size_of::<Register<T, S>>() >= 64;
    let parts = L * size_of::<T>() / size_of::<Register<T, S>>();
    let mut done = 0;
    while done < groups {
        let from = &input[done * weight.columns * parts..];
        let to = &mut output[done * weight.rows * parts..];
        done += match groups - done {
            4.. if wide => product::<S, T, 4>(simd, parts, weight, from, to),
            2.. => product::<S, T, 2>(simd, parts, weight, from, to),
            _ => product::<S, T, 1>(simd, parts, weight, from, to),
        };
    }
}

/// The first G groups of a product; returns G. A lane array is `parts` registers.
#[inline(always)]
fn product<S: Simd, T: Real, const G: usize>(
    simd: S,
    parts: usize,
    weight: &Tiles<T>,
    input: &[Register<T, S>],
    output: &mut [Register<T, S>],
) -> usize {
    let simd = T::simd_ctx(simd);
    let Tiles { rows, columns, .. } = *weight;
    for (first, tile) in weight.tiles() {
        for part in 0..parts {
            let mut sums = [[T::simd_splat(&simd, &T::ZERO); TILE]; G];
            let x: [&[Register<T, S>]; G] =
                std::array::from_fn(|g| &input[g * columns * parts..][..tile.len() * parts]);
            for (k, w) in tile.iter().enumerate() {
                for r in 0..TILE {
                    let w = T::simd_splat(&simd, &w[r]);
                    for g in 0..G {
                        sums[g][r] = T::simd_mul_add(&simd, w, x[g][k * parts + part], sums[g][r]);
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
