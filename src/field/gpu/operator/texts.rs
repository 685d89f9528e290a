//! The composed texts of a sweep's kernels.

use super::generate::generate;
use super::plan::Plan;
use super::scalar::Scalar;
use super::weights::Weights;
use crate::gpu::compose::compose;
use crate::gpu::device::Gpu;
use crate::gpu::error::GpuError;
use crate::gpu::kernel::Kernel;
use crate::jet::JetSet;
use crate::network::Network;
use crate::problem::Activation;

/// Stems of the kernels that run forward, and of those that the way back needs.
const FORWARD: [&str; 2] = ["operator/layer.wgsl", "operator/output.wgsl"];
const BACK: [&str; 8] = [
    "operator/adjoint.wgsl",
    "operator/coefficients.wgsl",
    "operator/turn.wgsl",
    "operator/columns.wgsl",
    "operator/multiply.wgsl",
    "operator/multiply_transposed.wgsl",
    "operator/sketch.wgsl",
    "operator/product.wgsl",
];

/// Texts by stem for one network, one set of channels and one type of number.
#[derive(Clone, Debug)]
pub struct Texts {
    pub scalar: Scalar,
    pub jets: JetSet,
    pub back: bool,
    list: Vec<(&'static str, String)>,
}

impl Texts {
    /// Composes them; without a sweep `back` only the forward ones.
    ///
    /// # Errors
    /// When a constant does not fit the scalar.
    pub fn new(
        network: &Network,
        jets: &JetSet,
        scalar: Scalar,
        back: bool,
    ) -> Result<Self, GpuError> {
        let weights = Weights::new(network);
        let plan = Plan::new(network, &weights, jets, back);
        let generated = generate(network, &weights, jets, &plan, scalar)?;
        let needed = |stem: &&str| match *stem {
            "operator/coefficients.wgsl" => network.activation() == Activation::Rational,
            "operator/turn.wgsl" => weights.waves() > 0,
            _ => true,
        };
        let stems = FORWARD.into_iter().chain(BACK.into_iter().filter(|_| back).filter(needed));
        let text = |stem| Ok((stem, compose(stem, &generated)?));
        let list = stems.map(text).collect::<Result<_, GpuError>>()?;
        Ok(Self { scalar, jets: jets.clone(), back, list })
    }

    /// Stem and text of every kernel.
    #[cfg(test)]
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.list.iter().map(|(stem, text)| (*stem, text.as_str()))
    }

    /// The text of one kernel, to be changed.
    pub fn text_mut(&mut self, stem: &str) -> Option<&mut String> {
        self.list.iter_mut().find(|(other, _)| *other == stem).map(|(_, text)| text)
    }

    /// The kernel of that stem, where there is one for this network.
    pub async fn optional(&self, gpu: &Gpu, wanted: &str) -> Result<Option<Kernel>, GpuError> {
        match self.list.iter().find(|(stem, _)| *stem == wanted) {
            Some((stem, text)) => Ok(Some(Kernel::new(gpu, stem, text).await?)),
            None => Ok(None),
        }
    }

    /// The kernel of a stem that every network has.
    pub async fn kernel(&self, gpu: &Gpu, wanted: &str) -> Result<Kernel, GpuError> {
        Ok(self.optional(gpu, wanted).await?.expect("one of the stems"))
    }
}
