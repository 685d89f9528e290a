//! The embedding of the coordinates and its derivatives, unrolled over the coordinates.

use std::fmt::Write;

use super::super::plan::{Plan, offset};
use crate::jet::JetSet;
use crate::network::{Input, Network};
use crate::problem::expression::{Channel, MAX_ORDER, MultiIndex};

/// `embed(unit, point)`: the jet of z_0 = y, as WGSL. Also stores the factors cos(angle) and
/// -a sin(angle), which the columns of the amplitudes and the phases need.
pub fn embedding(network: &Network, plan: &Plan, jets: &JetSet) -> String {
    let mut text = String::from("fn embed(unit: u32, point: u32) -> Jet {\n    var y: Jet;\n");
    for (coordinate, input) in network.inputs().iter().enumerate() {
        match *input {
            Input::Periodic { period } => {
                periodic(&mut text, network, plan, jets, coordinate, period);
            }
            Input::Linear { lower, upper } => {
                linear(&mut text, network, plan, jets, coordinate, upper - lower);
            }
        }
    }
    if !plan.linear.is_empty() {
        let at = offset(network.layout(), "embedding.offset");
        let _ = writeln!(text, "    y[0] += theta[{at}u + unit];");
    }
    text.push_str("    return y;\n}\n");
    text
}

/// a cos(angle + phase) + b; d^m/dx^m of the cosine runs through cos, -sin, -cos, sin.
fn periodic(
    text: &mut String,
    network: &Network,
    plan: &Plan,
    jets: &JetSet,
    coordinate: usize,
    period: f64,
) {
    let layout = network.layout();
    let [amplitude, phase, shift] =
        ["amplitude", "phase", "shift"].map(|name| offset(layout, &format!("embedding.{name}")));
    let count = plan.periodic.len();
    let position = plan.periodic.iter().position(|&k| k == coordinate).expect("periodic");
    let (cosine_row, sine_row) = (plan.cosine_row, plan.sine_row);
    let _ = write!(
        text,
        "    {{
        let at = unit * {count}u + {position}u;
        let amplitude = theta[{amplitude}u + at];
        let angle = embedded[{coordinate}u * shape.stride + point] + theta[{phase}u + at];
        let wave = cosine_and_sine(angle);
        factors[({cosine_row}u + at) * shape.stride + point] = wave.x;
        factors[({sine_row}u + at) * shape.stride + point] = -amplitude * wave.y;
        y[0] += amplitude * wave.x + theta[{shift}u + at];
"
    );
    let frequency = std::f64::consts::TAU / period;
    for order in 1..=MAX_ORDER {
        let index = MultiIndex::along(coordinate, order);
        let Some(at) = jets.position(Channel::Partial(index)) else { continue };
        let sign = if matches!(order % 4, 1 | 2) { -1.0 } else { 1.0 };
        let wave = if order % 2 == 0 { "wave.x" } else { "wave.y" };
        let factor = (sign * frequency.powi(i32::from(order)) / index.factorial()) as f32;
        let _ = writeln!(text, "        y[{at}] += {factor:e}f * amplitude * {wave};");
    }
    if let Some(at) = jets.position(Channel::Laplacian) {
        // Half the Laplacian is carried.
        let factor = (-0.5 * frequency * frequency) as f32;
        let _ = writeln!(text, "        y[{at}] += {factor:e}f * amplitude * wave.x;");
    }
    text.push_str("    }\n");
}

/// w times the coordinate scaled to [-1, 1].
fn linear(
    text: &mut String,
    network: &Network,
    plan: &Plan,
    jets: &JetSet,
    coordinate: usize,
    length: f64,
) {
    let slope = offset(network.layout(), "embedding.slope");
    let count = plan.linear.len();
    let position = plan.linear.iter().position(|&k| k == coordinate).expect("not periodic");
    let _ = write!(
        text,
        "    {{
        let slope = theta[{slope}u + unit * {count}u + {position}u];
        y[0] += slope * embedded[{coordinate}u * shape.stride + point];
"
    );
    let first = Channel::Partial(MultiIndex::along(coordinate, 1));
    if let Some(at) = jets.position(first) {
        let _ = writeln!(text, "        y[{at}] += {:e}f * slope;", (2.0 / length) as f32);
    }
    text.push_str("    }\n");
}
