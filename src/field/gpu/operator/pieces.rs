//! The operators of all blocks with their sweeps, cut into runs of points.

use std::ops::Range;

use super::scalar::Scalar;
use super::sweep::Sweep;
use super::texts::Texts;
use crate::cpu::operator::Operator;
use crate::gpu::device::Gpu;
use crate::gpu::error::GpuError;
use crate::jet::JetSet;
use crate::network::Network;

/// The sweeps of all operators in one type of number; operators with the same channels share one.
#[derive(Debug)]
pub struct Sweeps {
    list: Vec<Sweep>,
    /// Per operator.
    of: Vec<usize>,
}

/// A run of points of one side of an operator.
#[derive(Clone, Debug)]
pub struct Run {
    pub operator: usize,
    pub side: usize,
    pub range: Range<usize>,
}

impl Sweeps {
    /// Compiles what the operators need.
    ///
    /// # Errors
    /// When the device rejects a kernel, or a run of 64 points does not fit its buffers.
    pub async fn new(
        gpu: &Gpu,
        network: &Network,
        operators: &[Operator<f64>],
        (scalar, back): (Scalar, bool),
    ) -> Result<Self, GpuError> {
        let mut kinds: Vec<(JetSet, usize)> = Vec::new();
        let mut of = Vec::new();
        for operator in operators {
            let jets = operator.head().jets();
            let at = kinds.iter().position(|(known, _)| known == jets).unwrap_or_else(|| {
                kinds.push((jets.clone(), 0));
                kinds.len() - 1
            });
            kinds[at].1 = kinds[at].1.max(operator.points());
            of.push(at);
        }
        let mut list = Vec::with_capacity(kinds.len());
        for (jets, points) in &kinds {
            let texts = Texts::new(network, jets, scalar, back)?;
            let sweep = Sweep::new(gpu, network, &texts, *points).await?;
            list.push(if back { sweep.with_products(network, &texts).await? } else { sweep });
        }
        Ok(Self { list, of })
    }

    pub fn of(&mut self, operator: usize) -> &mut Sweep {
        &mut self.list[self.of[operator]]
    }

    pub fn all(&self) -> impl Iterator<Item = &Sweep> {
        self.list.iter()
    }

    /// The runs of all operators, no longer than `most` points each, in the order of the rows; the
    /// sides of a range one after the other.
    pub fn runs(&self, operators: &[Operator<f64>], most: usize) -> Vec<Run> {
        let mut runs = Vec::new();
        for (index, operator) in operators.iter().enumerate() {
            let (points, length) = (operator.points(), self.list[self.of[index]].run_length());
            let length = length.min(most).max(1);
            for start in (0..points).step_by(length) {
                let range = start..points.min(start + length);
                let of_side = |side| Run { operator: index, side, range: range.clone() };
                runs.extend((0..operator.sides()).map(of_side));
            }
        }
        runs
    }
}

/// The first row of each operator.
pub fn first_rows(operators: &[Operator<f64>]) -> Vec<usize> {
    let mut next = 0;
    let mut first = |operator: &Operator<f64>| {
        next += operator.rows();
        next - operator.rows()
    };
    operators.iter().map(&mut first).collect()
}
