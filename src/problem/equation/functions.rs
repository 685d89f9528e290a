//! Names in equation text: symbols, functions, and derivatives of expressions.

use std::ops::Range;

use super::error::EquationIssue;
use super::lexer::Token;
use super::parser::{PLACEHOLDER, Parser};
use super::symbols::{Callable, resolve, unknown_function};
use super::value::Value;
use crate::expression::{Channel, Entry, Expression, MAX_ORDER};

impl Parser<'_> {
    /// A symbol, or a function with its arguments.
    pub(super) fn name(&mut self, index: usize) -> Value {
        let span = self.lexemes[index].span.clone();
        let name = &self.text[span.clone()];
        if name == "if" && self.peek() == Some(&Token::Open) {
            return self.choice(index);
        }
        if let Some(table) = self.table(index) {
            return table.into();
        }
        let resolved = resolve(name, self.names, self.role);
        if self.peek() == Some(&Token::Open) {
            if let Some(callable) = Callable::named(name, self.names) {
                return self.call(callable, index);
            }
            if let Err(EquationIssue::UnknownSymbol { .. }) = resolved {
                let issue = unknown_function(name, self.names);
                self.error(span, issue);
                let open = self.at;
                if self.accept(&Token::Open) {
                    self.nested(open, Self::sum);
                    while self.accept(&Token::Comma) {
                        self.sum();
                    }
                    self.close(open);
                }
                return PLACEHOLDER.into();
            }
        }
        self.made(resolved, index)
    }

    fn call(&mut self, callable: Callable, index: usize) -> Value {
        let open = self.at;
        self.at += 1;
        let mut arguments = vec![self.nested(open, Self::sum)];
        let mut last = self.at;
        while self.accept(&Token::Comma) {
            last = self.at;
            let argument = self.nested(open, Self::sum);
            arguments.push(argument);
        }
        self.close(open);
        let span = self.lexemes[index].span.clone();
        if arguments.len() != callable.arguments() {
            let (expected, found) = (callable.arguments(), arguments.len());
            let name = self.text[span.clone()].to_owned();
            self.error(span, EquationIssue::ArgumentCount { name, expected, found });
            return PLACEHOLDER.into();
        }
        let first = arguments.remove(0);
        match callable {
            Callable::Plain(function) => self.made(first.call(function), index),
            Callable::Pair(operation) => {
                self.made(Value::binary(operation, first, arguments.remove(0)), index)
            }
            Callable::Conjugate => first.conjugate(),
            Callable::Real => first.re.into(),
            Callable::Imaginary => first.im.unwrap_or(Expression::Constant(0.0)).into(),
            Callable::Laplacian => first.each(|part| self.laplacian(part, &span)),
            Callable::Derivative => {
                let Expression::Coordinate(k) = arguments[0].re else {
                    let coordinates = self.names.coordinates.clone();
                    let span = self.lexemes.get(last).map_or(span, |lexeme| lexeme.span.clone());
                    self.error(span, EquationIssue::DerivativeVariable { coordinates });
                    return PLACEHOLDER.into();
                };
                first.each(|part| self.derivative(&part, k, &span))
            }
        }
    }

    /// As [`Expression::laplacian`], within the limits of size and order.
    fn laplacian(&mut self, of: Expression, span: &Range<usize>) -> Expression {
        let dimensions = self.names.coordinates.len();
        // In space-time the Laplacian is that of space.
        let is_time = |k: usize| self.names.coordinates[k] == "t";
        let space: Vec<usize> = (0..dimensions).filter(|&k| !is_time(k)).collect();
        if let Expression::Jet(entry) = of
            && entry.channel == Channel::value()
            && dimensions > 1
            && space.len() == dimensions
        {
            return Expression::Jet(Entry::new(entry.unknown, Channel::Laplacian));
        }
        let mut sum = Expression::Constant(0.0);
        for k in space {
            let first = self.derivative(&of, k, span);
            sum = sum + self.derivative(&first, k, span);
        }
        sum
    }

    /// Differentiates within the limits of size and order; not at all once something is wrong.
    fn derivative(&mut self, of: &Expression, k: usize, span: &Range<usize>) -> Expression {
        if !self.errors.is_empty() || !self.limit_size(of, span.clone()) {
            return PLACEHOLDER;
        }
        let bound = of.derivative_size_bound();
        if bound > self.budget {
            let (limit, unit) = (self.budget, "nodes after differentiation");
            self.error(span.clone(), EquationIssue::TooLarge { found: bound, limit, unit });
            return PLACEHOLDER;
        }
        self.budget -= bound;
        let result = of.differentiate_coordinate(k, self.names.coordinates.len());
        let order = |entry: Entry| match entry.channel {
            Channel::Partial(index) => index.order(),
            Channel::Laplacian => 2,
        };
        let too_high = |entry: &Entry| order(*entry) > MAX_ORDER;
        if let Some(entry) = result.entries().into_iter().find(too_high) {
            let (text, order) = (self.names.derivative(entry), usize::from(order(entry)));
            let issue = EquationIssue::OrderTooHigh { text, order, limit: MAX_ORDER };
            self.error(span.clone(), issue);
            return PLACEHOLDER;
        }
        result
    }
}
