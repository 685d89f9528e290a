//! What the kernels of a sweep have to do at least: operations of their products, an activation not
//! counted, and every number from and to memory once. Weights are too few to count.

use super::sweep::Sweep;
use crate::gpu::profile::Work;
use crate::network::RATIONAL_COEFFICIENTS;

impl Sweep {
    /// Of so many operations and numbers a point.
    fn at_all_points(&self, operations: usize, numbers: usize) -> Work {
        let count = self.count();
        let bytes = (numbers * count * self.scalar.bytes()) as f64;
        Work { operations: (operations * count) as f64, bytes }
    }

    fn jet_of_layer(&self) -> usize {
        self.plan.width * self.channels
    }

    /// Of a layer with its activation, from so many jets: z = W h + b, and what stays of it.
    pub(super) fn layer_work(&self, [inputs, _]: [u32; 2]) -> Work {
        let (inputs, jet) = (inputs as usize, self.jet_of_layer());
        let kept = if self.plan.back { 2 } else { 1 };
        self.at_all_points(2 * inputs * jet, inputs * self.channels + kept * jet)
    }

    pub(super) fn output_work(&self) -> Work {
        self.at_all_points(2 * self.jet_of_layer(), self.jet_of_layer() + self.channels)
    }

    /// Of the adjoint of a layer below so many rows: W^T delta, z read and delta written.
    pub(super) fn adjoint_work(&self, [_, above]: [u32; 2]) -> Work {
        let (above, jet) = (above as usize, self.jet_of_layer());
        self.at_all_points(2 * above * jet, above * self.channels + 2 * jet)
    }

    /// Of the derivatives by a layer's coefficients: z and the adjoint of h are read.
    pub(super) fn coefficients_work(&self) -> Work {
        self.at_all_points(0, 2 * self.jet_of_layer() + RATIONAL_COEFFICIENTS * self.channels)
    }

    /// Of turned waves: two rotations each.
    pub(super) fn turn_work(&self, waves: u32) -> Work {
        let numbers = waves as usize * self.channels;
        self.at_all_points(6 * numbers, 2 * numbers + 2 * self.channels)
    }

    /// Rows of the factors that so many columns of J are products of, at most.
    fn factor_rows(&self, columns: usize) -> usize {
        self.plan.rows.min(2 * columns * self.channels)
    }

    /// Of so many columns of J, stored.
    pub(super) fn entries_work(&self, columns: usize) -> Work {
        let operations = columns * (2 * self.channels - 1);
        self.at_all_points(operations, self.factor_rows(columns) + columns)
    }

    /// Of J v and J^T w with so many columns: an entry, and its share of the sum.
    pub(super) fn product_work(&self, columns: usize) -> Work {
        self.at_all_points(columns * (2 * self.channels + 1), self.factor_rows(columns) + 1)
    }

    /// Of so many rows of S J that hold `hits` points in all.
    pub(super) fn sketch_work(&self, columns: usize, hits: usize, rows: usize) -> Work {
        let numbers = self.factor_rows(columns) * self.count().min(hits) + 2 * rows * columns;
        Work {
            operations: (hits * columns * 2 * self.channels) as f64,
            bytes: (numbers * self.scalar.bytes()) as f64,
        }
    }
}
