//! Equation text to tokens.

use std::ops::Range;

use super::error::{EquationError, EquationIssue};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    /// A name, with `_{..}` after it where it has one.
    Name,
    Plus,
    Minus,
    Star,
    Slash,
    Caret,
    Open,
    Close,
    Comma,
    Equals,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Token {
    pub(super) fn starts_operand(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Name | Self::Plus | Self::Minus | Self::Open)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lexeme {
    pub token: Token,
    pub span: Range<usize>,
}

/// Tokens of `text`; what is no token is reported and left out.
pub(super) fn lex(text: &str, errors: &mut Vec<EquationError>) -> Vec<Lexeme> {
    let mut lexemes = Vec::new();
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let start = at;
        at += character.len_utf8();
        let token = match character {
            c if c.is_whitespace() => continue,
            '+' => Token::Plus,
            '-' => Token::Minus,
            '*' if text[at..].starts_with('*') => {
                at += 1;
                Token::Caret
            }
            '*' => Token::Star,
            '/' => Token::Slash,
            '^' => Token::Caret,
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '=' => Token::Equals,
            '<' | '>' => {
                let equal = text[at..].starts_with('=');
                at += usize::from(equal);
                match (character, equal) {
                    ('<', false) => Token::Less,
                    ('<', true) => Token::LessEqual,
                    (_, false) => Token::Greater,
                    (_, true) => Token::GreaterEqual,
                }
            }
            '0'..='9' | '.' => {
                at = start + number_length(&text[start..]);
                number(&text[start..at], start, errors)
            }
            c if c.is_ascii_alphabetic() => {
                at = start + name_length(&text[start..]);
                Token::Name
            }
            found => {
                let issue = EquationIssue::ForeignCharacter { found, remedy: instead_of(found) };
                errors.push(EquationError { span: start..at, issue });
                match meant_by(found) {
                    Some(token) => token,
                    None => continue,
                }
            }
        };
        lexemes.push(Lexeme { token, span: start..at });
    }
    lexemes
}

fn number(text: &str, start: usize, errors: &mut Vec<EquationError>) -> Token {
    let issue = match text.parse::<f64>() {
        Ok(value) if value.is_finite() => return Token::Number(value),
        Ok(_) => EquationIssue::NumberTooLarge { text: text.into() },
        Err(_) => EquationIssue::MalformedNumber { text: text.into() },
    };
    errors.push(EquationError { span: start..start + text.len(), issue });
    Token::Number(1.0)
}

/// Digits and points, then an exponent if digits follow the `e` (else `2e` is 2 times e).
fn number_length(text: &str) -> usize {
    let digits = |from: usize| {
        let is_digit = |c: &u8| c.is_ascii_digit() || *c == b'.';
        from + text.as_bytes()[from..].iter().take_while(|c| is_digit(c)).count()
    };
    let mantissa = digits(0);
    let rest = &text.as_bytes()[mantissa..];
    let sign = usize::from(matches!(rest.get(1), Some(b'+' | b'-')));
    if matches!(rest.first(), Some(b'e' | b'E'))
        && rest.get(1 + sign).is_some_and(u8::is_ascii_digit)
    {
        digits(mantissa + 1 + sign)
    } else {
        mantissa
    }
}

/// Letters, digits and `_`, then a group in braces if the name ends with `_`.
fn name_length(text: &str) -> usize {
    let part = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_';
    let length = text.as_bytes().iter().take_while(|c| part(c)).count();
    let grouped = text[..length].ends_with('_') && text[length..].starts_with('{');
    match text[length..].find('}') {
        Some(end) if grouped => length + end + 1,
        _ => length,
    }
}

/// The token that a foreign character stands for, so that the rest can still be read.
fn meant_by(found: char) -> Option<Token> {
    match found {
        '\u{2212}' | '\u{2010}'..='\u{2015}' => Some(Token::Minus),
        '\u{d7}' | '\u{b7}' | '\u{22c5}' | '\u{2217}' => Some(Token::Star),
        '\u{f7}' | '\u{2044}' | '\u{2215}' => Some(Token::Slash),
        '\u{3c0}' => Some(Token::Number(std::f64::consts::PI)),
        '[' => Some(Token::Open),
        ']' => Some(Token::Close),
        _ => None,
    }
}

/// What to write instead of a character that looks like mathematics or belongs to another language.
fn instead_of(found: char) -> String {
    match found {
        '\u{2212}' | '\u{2010}'..='\u{2015}' => "write '-' for the minus sign".into(),
        '\u{d7}' | '\u{b7}' | '\u{22c5}' | '\u{2217}' => "write '*' for a product".into(),
        '\u{f7}' | '\u{2044}' | '\u{2215}' => "write '/' for a quotient".into(),
        '\u{b2}' => "write ^2".into(),
        '\u{b3}' => "write ^3".into(),
        '\u{3c0}' => "write pi".into(),
        '\u{394}' | '\u{2206}' => "write laplace(u) for the Laplacian".into(),
        '\u{2202}' => "write derivatives as u_x".into(),
        '\u{2207}' => "write derivatives one by one, as u_x".into(),
        '\u{221a}' => "write sqrt(..)".into(),
        '\'' => "write derivatives as u_x".into(),
        '[' | ']' | '{' | '}' => "write round parentheses".into(),
        '|' => "write abs(..)".into(),
        ';' | '\\' | '$' | '#' | '"' => "remove it".into(),
        c if c.is_alphabetic() => {
            "names are made of the letters a to z, A to Z, digits and '_'".into()
        }
        _ => "remove it, or write what it means with + - * / ^ and functions".into(),
    }
}
