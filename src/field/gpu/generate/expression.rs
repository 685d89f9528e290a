//! The problem's expression tree as straight-line WGSL: one `let` per distinct node, so that no
//! tree is too deep for a shader compiler and nothing is computed twice.

use std::collections::HashMap;

use super::super::error::GpuError;
use super::literal;
use crate::jet::JetSet;
use crate::problem::expression::{Binary, Channel, Expression, Function};

/// `right_hand_side(point, u)`: F at a point from the jet of u, as WGSL.
pub fn right_hand_side(expression: &Expression, jets: &JetSet) -> Result<String, GpuError> {
    let mut emitter = Emitter { jets, lines: Vec::new(), known: HashMap::new() };
    let result = emitter.emit(expression)?;
    let body = emitter.lines.concat();
    Ok(format!(
        "fn right_hand_side(point: u32, u: Jet) -> f32 {{\n{body}    return {result};\n}}\n"
    ))
}

struct Emitter<'a> {
    jets: &'a JetSet,
    lines: Vec<String>,
    /// Text of a value to its name.
    known: HashMap<String, String>,
}

impl Emitter<'_> {
    /// The name that holds the value of `text`. Constants get names too: WGSL would otherwise
    /// evaluate, and reject, a division by zero while compiling.
    fn bind(&mut self, text: String) -> String {
        if let Some(name) = self.known.get(&text) {
            return name.clone();
        }
        let name = format!("e{}", self.lines.len());
        self.lines.push(format!("    let {name}: f32 = {text};\n"));
        self.known.insert(text, name.clone());
        name
    }

    fn emit(&mut self, expression: &Expression) -> Result<String, GpuError> {
        let text = match expression {
            Expression::Constant(value) => literal(*value)?,
            Expression::Coordinate(k) => format!("coordinates[{k}u * shape.stride + point]"),
            Expression::Time => "settings[0]".into(),
            Expression::Parameter(k) => format!("settings[{}]", k + 1),
            Expression::Jet(entry) => self.jet(entry.channel),
            Expression::Negate(a) => format!("-{}", self.emit(a)?),
            Expression::Call(function, a) => format!("{}({})", call(*function), self.emit(a)?),
            Expression::Power(a, exponent) => {
                let base = self.emit(a)?;
                return Ok(self.power(base, *exponent));
            }
            Expression::Binary(operation, a, b) => {
                let (a, b) = (self.emit(a)?, self.emit(b)?);
                match operation {
                    Binary::Add => format!("{a} + {b}"),
                    Binary::Subtract => format!("{a} - {b}"),
                    Binary::Multiply => format!("{a} * {b}"),
                    Binary::Divide => format!("{a} / {b}"),
                    Binary::Raise => format!("pow({a}, {b})"),
                    Binary::Minimum => format!("min({a}, {b})"),
                    Binary::Maximum => format!("max({a}, {b})"),
                }
            }
        };
        Ok(self.bind(text))
    }

    /// A derivative from its normalised Taylor coefficient.
    fn jet(&self, channel: Channel) -> String {
        let at = self.jets.position(channel).expect("the jets are closed over the expression");
        let factor = self.jets.factor(at);
        if factor == 1.0 { format!("u[{at}]") } else { format!("{factor:e}f * u[{at}]") }
    }

    /// Integer powers by squaring.
    fn power(&mut self, base: String, exponent: i32) -> String {
        let mut remaining = exponent.unsigned_abs();
        let mut square = base;
        let mut result: Option<String> = None;
        while remaining > 0 {
            if remaining % 2 == 1 {
                result = Some(match result {
                    None => square.clone(),
                    Some(partial) => self.bind(format!("{partial} * {square}")),
                });
            }
            remaining /= 2;
            if remaining > 0 {
                square = self.bind(format!("{square} * {square}"));
            }
        }
        match result {
            None => self.bind("1.0".into()),
            Some(result) if exponent < 0 => self.bind(format!("1.0 / {result}")),
            Some(result) => result,
        }
    }
}

/// The name in WGSL: shared/elementary.wgsl where the built-in one is too coarse.
fn call(function: Function) -> &'static str {
    match function {
        Function::Sin => "sine",
        Function::Cos => "cosine",
        Function::Tan => "tangent",
        Function::Sinh => "hyperbolic_sine",
        Function::Cosh => "hyperbolic_cosine",
        Function::Tanh => "hyperbolic_tangent",
        Function::Exp => "exponential",
        Function::Log => "log",
        Function::Sqrt => "sqrt",
        Function::Abs => "abs",
        Function::Sign => "sign",
    }
}
