//! `u_t = F`: what stands on the left side of an evolution's equation.

use super::error::{EquationError, EquationIssue};
use super::lexer::{Lexeme, Token};
use super::parser::Parser;
use super::symbols::Role;
use super::value::Value;
use crate::expression::{Binary, Expression};

/// What an equation of an evolution says the rate of.
enum Left {
    Real(usize),
    /// Real and imaginary part, and the factor of the rate.
    Complex([usize; 2], Value),
}

impl Parser<'_> {
    /// The unknown whose rate of change the equation states, and that rate; of a complex one both parts.
    pub(super) fn equation(mut self) -> Result<Vec<(usize, Expression)>, Vec<EquationError>> {
        let is_equals = |lexeme: &Lexeme| lexeme.token == Token::Equals;
        let mut left = Left::Real(0);
        match self.lexemes.iter().position(is_equals) {
            Some(end) => {
                left = self.left_side(end).unwrap_or(left);
                self.at = end + 1;
            }
            None if self.lexemes.is_empty() => {}
            None => {
                let left = self.lefts();
                self.error(0..self.text.len(), EquationIssue::MissingEquals { left });
            }
        }
        let length = self.text.len();
        let right = self.value()?;
        let fail = |issue| vec![EquationError { span: 0..length, issue }];
        match left {
            Left::Real(unknown) => match right.parts() {
                (rate, None) => Ok(vec![(unknown, rate)]),
                _ => Err(fail(EquationIssue::Complex)),
            },
            Left::Complex([re, im], factor) => {
                let rate = Value::binary(Binary::Divide, right, factor).map_err(fail)?;
                let (real, imaginary) = rate.parts();
                Ok(vec![(re, real), (im, imaginary.unwrap_or(Expression::Constant(0.0)))])
            }
        }
    }

    /// What may stand on the left side.
    fn lefts(&self) -> String {
        let names = self.names;
        let evolves = |k: &usize| names.velocity(*k).is_none();
        let mut rates: Vec<String> =
            (0..names.unknowns.len()).filter(evolves).map(|k| names.left(k)).collect();
        rates.dedup();
        rates.join(" or ")
    }

    /// Checks that the tokens before `end` are the rate of change of an unknown alone.
    fn left_side(&mut self, end: usize) -> Option<Left> {
        let stop = self.lexemes[end].span.start;
        let found = self.text[..stop].trim();
        let left = self.lefts();
        if found.is_empty() {
            self.error(0..stop, EquationIssue::LeftSide { found: "nothing".into(), left });
            return None;
        }
        let start = self.lexemes.first().map_or(0, |lexeme| lexeme.span.start);
        let span = start..self.text[..stop].trim_end().len().max(start);
        let plain = found.replace("{t}", "t");
        let names = self.names;
        let rates = |k: &usize| names.rate(*k) == plain;
        if let Some(unknown) = (0..names.unknowns.len()).find(rates) {
            return Some(Left::Real(unknown));
        }
        if let Some(left) = self.complex_left(found, start) {
            return Some(left);
        }
        let higher = |k: usize| {
            let rest = plain.strip_prefix(names.rate(k).as_str());
            rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c == 't'))
        };
        let text = found.to_owned();
        let of_time = |part: &str| {
            part.strip_prefix('t').is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        let issue = if (0..names.unknowns.len()).any(higher) {
            EquationIssue::SecondTimeDerivative { text, left }
        } else if names.unknowns.len() > 1 && !self.text.split('_').skip(1).any(of_time) {
            EquationIssue::Constraint { left }
        } else {
            EquationIssue::LeftSide { found: text, left }
        };
        self.error(span, issue);
        None
    }

    /// `factor*psi_t` of a complex unknown, the factor of numbers and parameters.
    fn complex_left(&mut self, found: &str, start: usize) -> Option<Left> {
        let pairs = &self.names.complex;
        for pair in pairs {
            let rate = format!("{}_t", pair.name);
            let Some(before) = found.strip_suffix(rate.as_str()) else { continue };
            let before = before.trim_end();
            let factor = match before {
                "" => Ok(Value::from(Expression::Constant(1.0))),
                "-" => Ok(Value::from(Expression::Constant(-1.0))),
                _ => {
                    let before = before.strip_suffix('*')?;
                    let read = Parser::new(before, self.names, Role::RightHandSide);
                    read.and_then(Parser::value)
                }
            };
            let factor = match factor {
                Ok(factor) => factor,
                Err(errors) => {
                    let moved = |e: EquationError| EquationError {
                        span: e.span.start + start..e.span.end + start,
                        ..e
                    };
                    self.errors.extend(errors.into_iter().map(moved));
                    return Some(Left::Real(0));
                }
            };
            let varies = |node: &Expression| {
                matches!(node, Expression::Coordinate(_) | Expression::Time | Expression::Jet(_))
            };
            let fixed = !std::iter::once(&factor.re).chain(&factor.im).any(|e| e.any(&varies));
            return fixed.then_some(Left::Complex(pair.parts, factor));
        }
        None
    }
}
