//! Equation text in ordinary notation, parsed to [`Expression`] trees.
//!
//! ```text
//! equation    u_t = sum                           of evolution problems
//!             sum = sum                           of residual problems
//! sum         product { (+ | -) product }
//! product     sign { (* | /) sign }
//! sign        { + | - } power                     -x^2 is -(x^2)
//! power       atom [ (^ | **) sign ]              right associative
//! atom        number | pi | e | t | coordinate | parameter | unknown | derivative
//!             | function(sum) | min(sum, sum) | max(sum, sum)
//!             | if(condition, sum, sum) | table(sum, ..) | table_x(sum, ..)
//!             | i | conj(sum) | re(sum) | im(sum)      with complex unknowns
//!             | laplace(sum) | lap(sum) | d(sum, coordinate) | (sum)
//! condition   both { or both }
//! both        compared { and compared }
//! compared    sum (< | <= | > | >=) sum | (condition)
//! derivative  u_xxy | u_x1 | u_{x1 x2}
//! ```
//!
//! The suffix of a derivative is a run of coordinate names, or names separated by spaces or commas
//! in braces. `d(f, x)` is the total derivative: `d(u^2, x)` becomes `2*u*u_x`. A missing `*` is an
//! error, never a guess. All mistakes of a text are reported together.

mod condition;
mod error;
mod functions;
mod left;
mod lexer;
mod parser;
mod symbols;
mod tables;
mod value;

pub use error::{EquationError, EquationIssue};
pub use symbols::Role;
pub(crate) use symbols::is_reserved;

use super::expression::{Expression, MAX_EXPONENT, Names};
use parser::Parser;

/// The longest equation text, in bytes.
pub const MAX_TEXT: usize = 8192;
/// The deepest nesting of parentheses, signs and powers.
pub const MAX_NESTING: usize = 64;
/// The most nodes of an expression.
pub const MAX_NODES: usize = 4096;
/// The longest path through an expression.
pub const MAX_DEPTH: usize = 512;

/// The unknown and F of an equation `u_t = F`; `u_tt = F` where `u_t` is an unknown. Of a complex
/// unknown, `i*psi_t = F`, those of both parts.
///
/// # Errors
/// Every mistake in the text, in the order of its place.
pub fn parse_equation(
    text: &str,
    names: &Names,
) -> Result<Vec<(usize, Expression)>, Vec<EquationError>> {
    Parser::new(text, names, Role::RightHandSide)?.equation()
}

/// `left - right` of an equation `left = right` of a residual problem: with [`Role::Boundary`] or
/// [`Role::Residual`]. Of a complex equation the real and the imaginary part.
///
/// # Errors
/// Every mistake in the text, in the order of its place.
pub fn parse_residual(
    text: &str,
    names: &Names,
    role: Role,
) -> Result<Vec<Expression>, Vec<EquationError>> {
    Parser::new(text, names, role)?.residual()
}

/// An expression in which the symbols that `role` allows may stand.
///
/// # Errors
/// Every mistake in the text, in the order of its place.
pub fn parse_expression(
    text: &str,
    names: &Names,
    role: Role,
) -> Result<Expression, Vec<EquationError>> {
    Parser::new(text, names, role)?.expression()
}

/// As [`parse_expression`], of what may be complex: the real and the imaginary part, where there is one.
///
/// # Errors
/// Every mistake in the text, in the order of its place.
pub fn parse_complex(
    text: &str,
    names: &Names,
    role: Role,
) -> Result<(Expression, Option<Expression>), Vec<EquationError>> {
    Parser::new(text, names, role)?.value().map(value::Value::parts)
}

/// The value of text such as `2*pi`.
///
/// # Errors
/// Every mistake in the text, in the order of its place.
pub fn parse_constant(text: &str) -> Result<f64, Vec<EquationError>> {
    let expression = parse_expression(text, &Names::default(), Role::Constant)?;
    let value = expression.evaluate_at(&[], 0.0, &[]);
    if value.is_finite() {
        Ok(value)
    } else {
        Err(vec![EquationError { span: 0..text.len(), issue: EquationIssue::NotFinite }])
    }
}
