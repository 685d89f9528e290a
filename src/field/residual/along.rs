//! Rows of the linearised equations along functions that are not the network's own.

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::operators::normals;
use super::{Collocation, rows};
use crate::plane_waves::Functions;
use crate::problem::expression::{Entry, Expression};
use crate::problem::residual::ResidualBlock;

impl Collocation {
    /// `W dF/du[phi]` at theta for every function phi of every unknown: rows x (unknowns x functions),
    /// in the order and with the weights W of the residual's rows,
    ///
    /// ```text
    /// (dF/du[phi])(x) = sum over derivatives D that F names of dF/d(D u) (x) D phi(x).
    /// ```
    ///
    /// An energy counts by its density, as if that were to vanish.
    #[must_use]
    pub fn along(&self, theta: &[f64], functions: &impl Functions) -> DMatrix<f64> {
        let columns = self.problem.unknowns.len() * functions.len();
        let mut parts = Vec::new();
        for (index, block) in self.problem.blocks.iter().enumerate() {
            let points = &self.points[index];
            let normals = normals(&self.problem, block, points);
            let given: Vec<&[f64]> = normals.iter().map(Vec::as_slice).collect();
            let mut of_block =
                self.linearised(block, (&points.coordinates, &given), theta, functions);
            if let Some(partners) = &points.partners {
                let there = self.linearised(block, (partners, &given), theta, functions);
                let pairs = of_block.iter_mut().zip(there);
                pairs.for_each(|(here, there)| {
                    here.iter_mut().zip(there).for_each(|(a, b)| *a -= b);
                });
            }
            let weights = self.weights(index);
            let roots = weights.iter().map(|w| w.sqrt()).collect::<Vec<f64>>();
            let weighted = of_block.iter_mut().zip(roots.iter().cycle());
            weighted.for_each(|(row, root)| row.iter_mut().for_each(|v| *v *= root));
            parts.append(&mut of_block);
        }
        DMatrix::from_fn(parts.len(), columns, |i, j| parts[i][j])
    }

    /// The rows of one block at points, without weights: point by point of one expression after the
    /// other.
    fn linearised(
        &self,
        block: &ResidualBlock,
        (coordinates, given): (&[f64], &[&[f64]]),
        theta: &[f64],
        functions: &impl Functions,
    ) -> Vec<Vec<f64>> {
        let dimensions = self.problem.dimensions();
        let (unknowns, count) = (self.problem.unknowns.len(), functions.len());
        let mut all = Vec::new();
        for expression in block.condition.expressions() {
            let entries: Vec<Entry> = expression.entries().into_iter().collect();
            let slopes: Vec<Expression> =
                entries.iter().map(|&entry| expression.derivative_by(entry).simplify()).collect();
            let at = (coordinates, given);
            let slopes = rows(&self.problem, &self.network, theta, &slopes, at);
            let row = |(i, point): (usize, &[f64])| {
                let mut row = vec![0.0; unknowns * count];
                for (entry, slope) in entries.iter().zip(&slopes) {
                    let mine = &mut row[entry.unknown * count..][..count];
                    functions.add(point, entry.channel, slope[i], mine);
                }
                row
            };
            all.par_extend(coordinates.par_chunks_exact(dimensions).enumerate().map(row));
        }
        all
    }
}
