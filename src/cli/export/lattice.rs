//! A grid over the domain of a solution, both ends of every coordinate included.

use crate::cli::failure::Failure;
use crate::solution::Solution;

pub struct Lattice {
    pub names: Vec<String>,
    pub axes: Vec<Vec<f64>>,
    /// One after the other; the last coordinate runs fastest.
    pub points: Vec<f64>,
}

/// Points along each coordinate by default, by the number of coordinates.
const RESOLUTION: [usize; 8] = [513, 97, 33, 13, 7, 5, 4, 3];
/// Points that a grid may have: the largest files are a few hundred megabytes a time then.
const MOST: usize = 1 << 24;

impl Lattice {
    /// With so many points along each coordinate: one number for all, a list, or none.
    pub fn new(solution: &Solution, counts: &[usize]) -> Result<Self, Failure> {
        let sides = solution.sides();
        let dimensions = sides.len();
        let counts = match counts {
            [] => vec![RESOLUTION[(dimensions - 1).min(RESOLUTION.len() - 1)]; dimensions],
            [same] => vec![*same; dimensions],
            each if each.len() == dimensions => each.to_vec(),
            each => return Err(Failure::GridCounts { given: each.len(), dimensions }),
        };
        let total = counts.iter().try_fold(1_usize, |all, &count| all.checked_mul(count));
        if counts.iter().any(|&count| count < 2) || total.is_none_or(|total| total > MOST) {
            return Err(Failure::GridSize { most: MOST });
        }
        let axis = |(side, &count): (&crate::solution::Side, &usize)| -> Vec<f64> {
            let step = (side.upper - side.lower) / (count - 1) as f64;
            let at =
                |k: usize| if k + 1 == count { side.upper } else { side.lower + k as f64 * step };
            (0..count).map(at).collect()
        };
        let axes: Vec<Vec<f64>> = sides.iter().zip(&counts).map(axis).collect();
        let mut points = Vec::with_capacity(total.unwrap_or(0) * dimensions);
        for index in 0..total.unwrap_or(0) {
            let mut rest = index;
            let mut point = vec![0.0; dimensions];
            for (to, axis) in point.iter_mut().zip(&axes).rev() {
                *to = axis[rest % axis.len()];
                rest /= axis.len();
            }
            points.extend(point);
        }
        Ok(Self { names: sides.into_iter().map(|side| side.name).collect(), axes, points })
    }

    /// Corners of the cells between the points, in VTK's order: lines, quadrilaterals or hexahedra.
    pub fn cells(&self) -> Vec<u64> {
        let counts: Vec<usize> = self.axes.iter().map(Vec::len).collect();
        // Steps from a cell's first corner, as many along each coordinate.
        let corners: &[[usize; 3]] = match counts.len() {
            1 => &[[0, 0, 0], [1, 0, 0]],
            2 => &[[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]],
            _ => &[
                [0, 0, 0],
                [1, 0, 0],
                [1, 1, 0],
                [0, 1, 0],
                [0, 0, 1],
                [1, 0, 1],
                [1, 1, 1],
                [0, 1, 1],
            ],
        };
        let cells: usize = counts.iter().map(|count| count - 1).product();
        let mut list = Vec::with_capacity(cells * corners.len());
        for cell in 0..cells {
            let mut rest = cell;
            let mut first = [0; 3];
            for (to, count) in first.iter_mut().zip(&counts).rev() {
                *to = rest % (count - 1);
                rest /= count - 1;
            }
            for corner in corners {
                let index = counts
                    .iter()
                    .enumerate()
                    .fold(0, |index, (k, count)| index * count + first[k] + corner[k]);
                list.push(index as u64);
            }
        }
        list
    }
}
