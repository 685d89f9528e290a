//! WGSL text that depends on the network and on the problem.

mod embedding;
mod expression;
mod jet;

use super::config;
use super::error::GpuError;
use super::plan::{Plan, offset};
use crate::jet::JetSet;
use crate::network::Network;
use crate::problem::Activation;
use crate::problem::expression::Expression;

/// All generated texts, by the names under which `shaders/` include them.
///
/// # Errors
/// When a constant of the equation does not fit a 32-bit float.
pub fn generate(
    network: &Network,
    jets: &JetSet,
    right_hand_side: &Expression,
) -> Result<Vec<(&'static str, String)>, GpuError> {
    let plan = Plan::new(network);
    Ok(vec![
        ("generated/constants", constants(network, &plan, jets)),
        ("generated/jet", jet::jet(jets)),
        ("generated/embedding", embedding::embedding(network, &plan, jets)),
        ("generated/activation", activation(network.activation())),
        ("generated/coefficients", coefficients(network.activation())),
        ("generated/right_hand_side", expression::right_hand_side(right_hand_side, jets)?),
    ])
}

fn constants(network: &Network, plan: &Plan, jets: &JetSet) -> String {
    let layout = network.layout();
    let width = network.width();
    [
        ("WIDTH", width),
        ("CHANNELS", jets.len()),
        ("ROW_BLOCK", config::row_block(jets.len(), width)),
        ("POINT_WORKGROUP", config::POINT_WORKGROUP as usize),
        ("SKETCH_WORKGROUP", config::SKETCH_WORKGROUP as usize),
        ("SKETCH_COLUMNS", config::SKETCH_COLUMNS as usize),
        ("GRAM_TILE", config::GRAM_TILE as usize),
        ("EMBEDDING_ADJOINT_ROW", plan.adjoint_row(0)),
        ("EMBEDDING_OUTPUT_ROW", plan.output_row(0)),
        ("EMBEDDING_COEFFICIENTS", offset(layout, "activation.0")),
        ("OUTPUT_WEIGHT", offset(layout, "output.weight")),
        ("OUTPUT_BIAS", offset(layout, "output.bias")),
    ]
    .map(|(name, value)| format!("const {name}: u32 = {value}u;\n"))
    .concat()
}

fn activation(activation: Activation) -> String {
    format!("//!include activation/{}.wgsl\n", activation.name())
}

fn coefficients(activation: Activation) -> String {
    let kind = if activation == Activation::Rational { "trainable" } else { "fixed" };
    format!("//!include activation/{kind}_coefficients.wgsl\n")
}

/// A finite f32 literal.
fn literal(value: f64) -> Result<String, GpuError> {
    let rounded = value as f32;
    if rounded.is_finite() {
        Ok(format!("{rounded:e}f"))
    } else {
        Err(GpuError::ConstantRange { value })
    }
}
