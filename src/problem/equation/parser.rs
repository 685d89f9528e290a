//! Recursive descent from tokens to the tree. A mistake is noted and reading goes on as if the
//! likeliest intention had been written, so that one pass finds them all.

use std::ops::Range;

use super::error::{EquationError, EquationIssue};
use super::lexer::{Lexeme, Token, lex};
use super::symbols::Role;
use super::value::Value;
use super::{MAX_DEPTH, MAX_NESTING, MAX_NODES, MAX_TEXT};
use crate::expression::{Binary, Expression, MAX_EXPONENT, Names};

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) names: &'a Names,
    pub(super) role: Role,
    pub(super) lexemes: Vec<Lexeme>,
    pub(super) at: usize,
    nesting: usize,
    /// Nodes that derivatives may still make; it bounds the work that a text can ask for.
    pub(super) budget: usize,
    pub(super) errors: Vec<EquationError>,
}

/// What stands for an operand that could not be read; it is never part of a result.
pub(super) const PLACEHOLDER: Expression = Expression::Constant(1.0);
/// Mistakes after which reading stops.
const MAX_ERRORS: usize = 20;

impl<'a> Parser<'a> {
    pub(super) fn new(
        text: &'a str,
        names: &'a Names,
        role: Role,
    ) -> Result<Self, Vec<EquationError>> {
        if text.len() > MAX_TEXT {
            let issue =
                EquationIssue::TooLarge { found: text.len(), limit: MAX_TEXT, unit: "bytes" };
            return Err(vec![EquationError { span: 0..0, issue }]);
        }
        let mut errors = Vec::new();
        let lexemes = lex(text, &mut errors);
        let budget = 32 * MAX_NODES;
        Ok(Self { text, names, role, lexemes, at: 0, nesting: 0, budget, errors })
    }

    /// The text as one real expression.
    pub(super) fn expression(self) -> Result<Expression, Vec<EquationError>> {
        let span = 0..self.text.len();
        match self.value()?.parts() {
            (real, None) => Ok(real),
            _ => Err(vec![EquationError { span, issue: EquationIssue::Complex }]),
        }
    }

    pub(super) fn value(mut self) -> Result<Value, Vec<EquationError>> {
        if self.lexemes.is_empty() && self.errors.is_empty() {
            self.error(0..self.text.len(), EquationIssue::Empty);
        }
        let mut result = Value::from(PLACEHOLDER);
        if self.errors.is_empty() || !self.lexemes.is_empty() {
            result = self.sum();
        }
        while let Some(lexeme) = self.take() {
            self.stray(lexeme);
        }
        if self.errors.is_empty() {
            for part in std::iter::once(&result.re).chain(&result.im) {
                self.limit_size(part, 0..self.text.len());
            }
        }
        if self.errors.is_empty() {
            return Ok(result);
        }
        self.errors.sort_by_key(|error| (error.span.start, error.span.end));
        Err(self.errors)
    }

    /// `left = right` as `left - right`; of a complex equation both parts.
    pub(super) fn residual(mut self) -> Result<Vec<Expression>, Vec<EquationError>> {
        if self.lexemes.is_empty() {
            return self.expression().map(|e| vec![e]);
        }
        let left = self.sum();
        while let Some(lexeme) = self.lexemes.get(self.at).cloned()
            && lexeme.token != Token::Equals
        {
            self.at += 1;
            self.stray(lexeme);
        }
        if !self.accept(&Token::Equals) {
            let left = self.text.trim().to_owned();
            self.error(0..self.text.len(), EquationIssue::MissingEquals { left });
            self.errors.sort_by_key(|error| (error.span.start, error.span.end));
            return Err(self.errors);
        }
        for part in std::iter::once(&left.re).chain(&left.im) {
            self.limit_size(part, 0..self.text.len());
        }
        let span = 0..self.text.len();
        let right = self.value()?;
        let difference = Value::binary(Binary::Subtract, left, right)
            .map_err(|issue| vec![EquationError { span, issue }])?;
        let (re, im) = difference.parts();
        Ok(std::iter::once(re).chain(im).collect())
    }

    /// A token that ends a sum too early; what stands after it is read for its own mistakes.
    fn stray(&mut self, lexeme: Lexeme) {
        let issue = match lexeme.token {
            Token::Close => EquationIssue::UnopenedParenthesis,
            Token::Comma => EquationIssue::StrayComma,
            Token::Less | Token::LessEqual | Token::Greater | Token::GreaterEqual => {
                EquationIssue::Comparison
            }
            Token::Name => EquationIssue::Comparison,
            _ if matches!(self.role, Role::RightHandSide | Role::Residual | Role::Boundary) => {
                EquationIssue::ExtraEquals
            }
            _ => EquationIssue::UnwantedEquals,
        };
        self.error(lexeme.span, issue);
        while self.peek().is_some_and(|t| matches!(t, Token::Star | Token::Slash | Token::Caret)) {
            self.at += 1;
        }
        if self.peek().is_some_and(Token::starts_operand) {
            self.sum();
        }
    }

    pub(super) fn error(&mut self, span: Range<usize>, issue: EquationIssue) {
        self.errors.push(EquationError { span, issue });
        if self.errors.len() >= MAX_ERRORS {
            self.at = self.lexemes.len();
        }
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.lexemes.get(self.at).map(|lexeme| &lexeme.token)
    }

    fn take(&mut self) -> Option<Lexeme> {
        let lexeme = self.lexemes.get(self.at).cloned();
        self.at += usize::from(lexeme.is_some());
        lexeme
    }

    pub(super) fn accept(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }

    /// The text of a token.
    pub(super) fn written(&self, index: usize) -> &'a str {
        self.lexemes.get(index).map_or("", |lexeme| &self.text[lexeme.span.clone()])
    }

    /// What was made at a token, or what is wrong with it there.
    pub(super) fn made(&mut self, value: Result<Value, EquationIssue>, index: usize) -> Value {
        value.unwrap_or_else(|issue| {
            let end = self.text.len();
            let span = self.lexemes.get(index).map_or(end..end, |lexeme| lexeme.span.clone());
            self.error(span, issue);
            PLACEHOLDER.into()
        })
    }

    /// What must be real.
    pub(super) fn real(&mut self, value: Value, index: usize) -> Expression {
        match value.parts() {
            (real, None) => real,
            _ => self.made(Err(EquationIssue::Complex), index).re,
        }
    }

    pub(super) fn sum(&mut self) -> Value {
        let mut left = self.product();
        loop {
            let operation = match self.peek() {
                Some(Token::Plus) => Binary::Add,
                Some(Token::Minus) => Binary::Subtract,
                _ => return left,
            };
            let at = self.at;
            self.at += 1;
            let right = self.product();
            left = self.made(Value::binary(operation, left, right), at);
        }
    }

    fn product(&mut self) -> Value {
        let mut left = self.sign();
        loop {
            let operation = match self.peek() {
                // Between conditions.
                Some(Token::Name) if matches!(self.written(self.at), "and" | "or") => return left,
                Some(Token::Star | Token::Number(_) | Token::Name | Token::Open) => {
                    Binary::Multiply
                }
                Some(Token::Slash) => Binary::Divide,
                _ => return left,
            };
            let at = self.at;
            if !self.accept(&Token::Star) && !self.accept(&Token::Slash) {
                self.missing_operator();
            }
            let right = self.sign();
            left = self.made(Value::binary(operation, left, right), at);
        }
    }

    /// Two operands side by side. Nothing is said where a foreign character stood between them,
    /// nor after a function without parentheses: `sin u` is one mistake.
    fn missing_operator(&mut self) {
        let before = self.lexemes[self.at - 1].span.clone();
        let gap = before.end..self.lexemes[self.at].span.start;
        let explained = |error: &EquationError| {
            let in_gap = error.span.start >= gap.start && error.span.end <= gap.end;
            let bare_function =
                matches!(error.issue, EquationIssue::FunctionWithoutArgument { .. });
            (in_gap && !error.span.is_empty()) || (bare_function && error.span == before)
        };
        // `2i` is a number.
        let imaginary = self.names.has_imaginary_unit()
            && self.written(self.at) == "i"
            && gap.is_empty()
            && matches!(self.lexemes[self.at - 1].token, Token::Number(_));
        if imaginary || self.errors.iter().any(explained) {
            return;
        }
        let operand = |index: usize| match self.written(index) {
            "(" | ")" => "(..)".to_owned(),
            text => text.to_owned(),
        };
        let issue =
            EquationIssue::MissingOperator { left: operand(self.at - 1), right: operand(self.at) };
        self.error(self.lexemes[self.at].span.clone(), issue);
    }

    fn sign(&mut self) -> Value {
        let negative = match self.peek() {
            Some(Token::Minus) => true,
            Some(Token::Plus) => false,
            _ => return self.power(),
        };
        let start = self.at;
        self.at += 1;
        let operand = self.nested(start, Self::sign);
        if negative { operand.negate() } else { operand }
    }

    /// Runs `read` one level deeper; beyond the limit the rest of the text is given up.
    pub(super) fn nested(&mut self, start: usize, read: fn(&mut Self) -> Value) -> Value {
        if !self.deepen(start) {
            return PLACEHOLDER.into();
        }
        let result = read(self);
        self.undeepen();
        result
    }

    /// One level deeper, unless that is too deep; then the rest of the text is given up.
    pub(super) fn deepen(&mut self, start: usize) -> bool {
        if self.nesting >= MAX_NESTING {
            let span = self.lexemes[start].span.clone();
            self.error(span, EquationIssue::TooDeep { limit: MAX_NESTING });
            self.at = self.lexemes.len();
            return false;
        }
        self.nesting += 1;
        true
    }

    pub(super) fn undeepen(&mut self) {
        self.nesting -= 1;
    }

    fn power(&mut self) -> Value {
        let base = self.atom();
        if self.peek() != Some(&Token::Caret) {
            return base;
        }
        let start = self.at;
        self.at += 1;
        let exponent = self.nested(start, Self::sign);
        let exponent = self.real(exponent, start);
        let end = self.at.max(start + 1).min(self.lexemes.len()) - 1;
        let span = self.lexemes[start].span.end..self.lexemes[end].span.end;
        self.raise(base, exponent, span)
    }

    fn raise(&mut self, base: Value, exponent: Expression, span: Range<usize>) -> Value {
        let varies = exponent.any(&|node| {
            !matches!(
                node,
                Expression::Constant(_)
                    | Expression::Negate(_)
                    | Expression::Call(..)
                    | Expression::Power(..)
                    | Expression::Binary(..)
            )
        });
        let made = |this: &mut Self, value: Result<Value, EquationIssue>| {
            value.unwrap_or_else(|issue| {
                this.error(span.clone(), issue);
                PLACEHOLDER.into()
            })
        };
        if varies {
            return made(self, Value::binary(Binary::Raise, base, exponent.into()));
        }
        let value = exponent.evaluate_at(&[], 0.0, &[]);
        if !value.is_finite() {
            self.error(span.clone(), EquationIssue::NotFinite);
        } else if value.fract() == 0.0 && value.abs() > f64::from(MAX_EXPONENT) {
            self.error(span.clone(), EquationIssue::ExponentTooLarge { exponent: value });
        } else if value.fract() == 0.0 {
            return made(self, base.power(value as i32));
        }
        made(self, Value::binary(Binary::Raise, base, Expression::Constant(value).into()))
    }

    fn atom(&mut self) -> Value {
        let start = self.at;
        match self.peek() {
            Some(Token::Number(value)) => {
                let value = *value;
                self.at += 1;
                Expression::Constant(value).into()
            }
            Some(Token::Name) => {
                self.at += 1;
                self.name(start)
            }
            Some(Token::Open) => {
                self.at += 1;
                let inner = self.nested(start, Self::sum);
                self.close(start);
                inner
            }
            _ => {
                self.missing_operand();
                PLACEHOLDER.into()
            }
        }
    }

    /// An operator, a ')' or the end stands where an operand should.
    fn missing_operand(&mut self) {
        if self.given_up() {
            return;
        }
        let end = self.text.len();
        let span = self.lexemes.get(self.at).map_or(end..end, |lexeme| lexeme.span.clone());
        let found = match self.lexemes.get(self.at) {
            Some(_) => format!("'{}'", self.written(self.at)),
            None => "the end".into(),
        };
        self.error(span, EquationIssue::MissingOperand { found });
    }

    /// Whether reading stopped early, so that what is missing now is no new mistake.
    fn given_up(&self) -> bool {
        self.errors.len() >= MAX_ERRORS
            || self.errors.iter().any(|error| matches!(error.issue, EquationIssue::TooDeep { .. }))
    }

    pub(super) fn close(&mut self, open: usize) {
        if !self.accept(&Token::Close) && !self.given_up() {
            // What a ')' is missing before: the next token is dealt with by the caller.
            let span = self.lexemes[open].span.clone();
            self.error(span, EquationIssue::UnclosedParenthesis);
        }
    }

    pub(super) fn limit_size(&mut self, expression: &Expression, span: Range<usize>) -> bool {
        let size = expression.size();
        let depth = expression.depth();
        let (found, limit, unit) = if size > MAX_NODES {
            (size, MAX_NODES, "nodes")
        } else if depth > MAX_DEPTH {
            (depth, MAX_DEPTH, "operations in a row")
        } else {
            return true;
        };
        self.error(span, EquationIssue::TooLarge { found, limit, unit });
        false
    }
}
