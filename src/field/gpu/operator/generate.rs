//! Texts of an operator's kernels that depend on the network, on the channels and on the scalar.

use std::fmt::Write;

use super::plan::{self, Plan};
use super::scalar::Scalar;
use super::weights::Weights;
use crate::gpu::config;
use crate::gpu::error::GpuError;
use crate::jet::{JetSet, Term};
use crate::network::Network;
use crate::problem::Activation;

/// Coefficients of a series: one more than the highest order, for the slope.
pub const SERIES: usize = 6;

/// All generated texts, by the names under which `shaders/` include them.
pub fn generate(
    network: &Network,
    weights: &Weights,
    jets: &JetSet,
    plan: &Plan,
    scalar: Scalar,
) -> Result<Vec<(&'static str, String)>, GpuError> {
    Ok(vec![
        ("generated/scalar", format!("//!include {}\n", scalar.file())),
        ("generated/series", scalar.series()?),
        ("generated/constants", constants(network, weights, jets, plan, scalar)),
        ("generated/composition", composition(jets, scalar)?),
        (
            "generated/activation",
            format!("//!include operator/series/{}.wgsl\n", network.activation().name()),
        ),
    ])
}

fn constants(
    network: &Network,
    weights: &Weights,
    jets: &JetSet,
    plan: &Plan,
    scalar: Scalar,
) -> String {
    let floats = jets.len() * scalar.bytes() / 4;
    let coefficients = usize::from(jets.order()) + 1 + usize::from(plan.back);
    let numbers = [
        ("WIDTH", network.width()),
        ("PERIODIC", weights.periodic()),
        ("CHANNELS", jets.len()),
        ("COEFFICIENTS", coefficients),
        ("ROW_BLOCK", config::row_block(floats, network.width())),
        ("H_BAR_ROW", plan.h_bar_row),
        ("ENCODERS", weights.encoders),
        ("ENCODER_ROW", plan.encoder_row),
        ("ENCODER_BAR_ROW", plan.encoder_bar_row),
        ("GATED", plan::GATED),
        ("GATED_FIRST", plan::GATED_FIRST),
        ("ENCODER", plan::ENCODER),
        ("POINT_WORKGROUP", config::POINT_WORKGROUP as usize),
        ("SKETCH_WORKGROUP", config::SKETCH_WORKGROUP as usize),
        ("SKETCH_COLUMNS", config::SKETCH_COLUMNS as usize),
        ("PRODUCT_SIDE", config::PRODUCT_SIDE as usize),
        ("PRODUCT_EACH", config::PRODUCT_EACH as usize),
    ]
    .map(|(name, value)| format!("const {name}: u32 = {value}u;\n"));
    // The derivatives by the activation's coefficients need the adjoints of its values.
    let trainable = network.activation() == Activation::Rational;
    let switches = [("KEEPS_Z", plan.back), ("KEEPS_H_BAR", plan.back && trainable)]
        .map(|(name, value)| format!("const {name}: bool = {value};\n"));
    numbers.concat() + &switches.concat()
}

/// What happens between series and jets, unrolled: see each function's comment in the text.
fn composition(jets: &JetSet, scalar: Scalar) -> Result<String, GpuError> {
    let parts = [reciprocal(scalar)?, differentiated(), compose(jets), contract(jets)];
    Ok(parts.concat() + &adjoint_product(jets) + &product(jets))
}

fn reciprocal(scalar: Scalar) -> Result<String, GpuError> {
    let mut text = String::from("fn reciprocal(k: u32) -> Real {\n    switch k {\n");
    for k in 2..SERIES {
        let value = scalar.literal(1.0 / k as f64)?;
        let _ = writeln!(text, "        case {k}u: {{ return {value}; }}");
    }
    Ok(text + "        default: { return lift(1.0); }\n    }\n}\n")
}

fn differentiated() -> String {
    "// The series' derivative.\n\
     fn differentiated(s: Series) -> Series {\n    \
         var t: Series;\n    \
         for (var k = 1u; k < COEFFICIENTS; k++) {\n        \
             t[k - 1u] = multiply(lift(f32(k)), s[k]);\n    \
         }\n    \
         return t;\n}\n"
        .into()
}

/// The sum of the products of two names each, as nested calls; `None` for no terms.
fn sum(terms: impl Iterator<Item = (String, String)>) -> Option<String> {
    terms.fold(None, |sum, (a, b)| {
        Some(match sum {
            None => format!("multiply({a}, {b})"),
            Some(sum) => format!("multiply_add({a}, {b}, {sum})"),
        })
    })
}

/// Channel `at` of (z - z_0)^m as WGSL names it.
fn power(m: usize, at: usize) -> String {
    if m == 1 { format!("z[{at}]") } else { format!("power_{m}_{at}") }
}

/// Lines that compute the powers of z without its value, and which of their channels there are:
/// entry m of the list belongs to the power m + 1.
fn powers(jets: &JetSet) -> (String, Vec<Vec<usize>>) {
    let mut text = String::new();
    let mut present = vec![(1..jets.len()).collect::<Vec<_>>()];
    for (m, terms) in (2..).zip(jets.powers()) {
        let mut channels = Vec::new();
        for at in 0..jets.len() {
            let of = |t: &&Term| usize::from(t.c) == at;
            let pair = |t: &Term| (power(m - 1, t.a.into()), power(1, t.b.into()));
            if let Some(sum) = sum(terms.iter().filter(of).map(pair)) {
                let _ = writeln!(text, "    let {} = {sum};", power(m, at));
                channels.push(at);
            }
        }
        present.push(channels);
    }
    (text, present)
}

/// `sum_m s_m (z - z_0)^m`.
fn compose(jets: &JetSet) -> String {
    let (lines, present) = powers(jets);
    let mut text = format!("fn compose(s: Series, z: Jet) -> Jet {{\n{lines}    var h: Jet;\n");
    text += "    h[0] = s[0];\n";
    for at in 1..jets.len() {
        let of = |(m, channels): (usize, &Vec<usize>)| {
            channels.contains(&at).then(|| (format!("s[{m}]"), power(m, at)))
        };
        let value = sum((1..).zip(&present).filter_map(of)).expect("the linear term");
        let _ = writeln!(text, "    h[{at}] = {value};");
    }
    text + "    return h;\n}\n"
}

/// Entry m: the sum over channels of h_bar times (z - z_0)^m.
fn contract(jets: &JetSet) -> String {
    let (lines, present) = powers(jets);
    let mut text =
        format!("fn contract(h_bar: Jet, z: Jet) -> Series {{\n{lines}    var sums: Series;\n");
    text += "    sums[0] = h_bar[0];\n";
    for (m, channels) in (1..).zip(&present) {
        let terms = channels.iter().map(|&at| (format!("h_bar[{at}]"), power(m, at)));
        if let Some(value) = sum(terms) {
            let _ = writeln!(text, "    sums[{m}] = {value};");
        }
    }
    text + "    return sums;\n}\n"
}

/// `z_bar_a = sum over (a, b) -> c of slope_b h_bar_c`.
fn adjoint_product(jets: &JetSet) -> String {
    let mut text =
        String::from("fn adjoint_product(slope: Jet, h_bar: Jet) -> Jet {\n    var z_bar: Jet;\n");
    for at in 0..jets.len() {
        let terms = jets.products().iter().filter(|t| usize::from(t.a) == at);
        let names = terms.map(|t| (format!("slope[{}]", t.b), format!("h_bar[{}]", t.c)));
        let value = sum(names).expect("the slope's value at least");
        let _ = writeln!(text, "    z_bar[{at}] = {value};");
    }
    text + "    return z_bar;\n}\n"
}

/// `c = sum over (a, b) -> c of left_a right_b`.
fn product(jets: &JetSet) -> String {
    let mut text = String::from("fn product(left: Jet, right: Jet) -> Jet {\n    var c: Jet;\n");
    for at in 0..jets.len() {
        let terms = jets.products().iter().filter(|t| usize::from(t.c) == at);
        let names = terms.map(|t| (format!("left[{}]", t.a), format!("right[{}]", t.b)));
        let value = sum(names).expect("a value times the channel at least");
        let _ = writeln!(text, "    c[{at}] = {value};");
    }
    text + "    return c;\n}\n"
}
