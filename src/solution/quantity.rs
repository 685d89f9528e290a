//! What is asked of a solution: the unknown, its derivatives, expressions of them.

use super::SolutionError;
use crate::problem::equation::{Role, parse_expression};
use crate::problem::expression::{Expression, Names};

/// An expression with the text that it was asked by.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    pub text: String,
    pub expression: Expression,
}

impl Quantity {
    /// The unknowns themselves.
    #[must_use]
    pub fn unknowns(names: &Names) -> Vec<Self> {
        let unknown = |(k, name): (usize, &String)| Self {
            text: name.clone(),
            expression: Expression::unknown(k),
        };
        names.unknowns.iter().enumerate().map(unknown).collect()
    }

    /// Text such as `u_xx`, `laplace(u)` or `u*u_x`. Where the time is no coordinate, `rates` are
    /// what the equations say that the unknowns' derivatives by it are.
    ///
    /// # Errors
    /// [`SolutionError::Quantity`] with the first mistake.
    pub fn parse(
        text: &str,
        names: &Names,
        rates: Option<&[Expression]>,
    ) -> Result<Self, SolutionError> {
        let text = text.trim().to_owned();
        for (k, rate) in rates.iter().copied().flatten().enumerate() {
            if text == names.rate(k) {
                return Ok(Self { text, expression: rate.clone() });
            }
        }
        let role = if rates.is_some() { Role::RightHandSide } else { Role::Quantity };
        match parse_expression(&text, names, role) {
            Ok(expression) => Ok(Self { text, expression }),
            Err(errors) => {
                let (issue, remedy) = match errors.first() {
                    Some(error) => (error.issue.to_string(), error.issue.remedy()),
                    None => ("it is no expression".to_owned(), String::new()),
                };
                Err(SolutionError::Quantity { text, issue, remedy })
            }
        }
    }
}

/// The pieces of a list such as `u_x, min(u, 1), u_{x1, x2}`: split at commas outside of brackets.
#[must_use]
pub fn split(list: &str) -> Vec<&str> {
    let (mut pieces, mut depth, mut first) = (Vec::new(), 0_i32, 0);
    for (at, character) in list.char_indices() {
        match character {
            '(' | '{' => depth += 1,
            ')' | '}' => depth -= 1,
            ',' if depth <= 0 => {
                pieces.push(list[first..at].trim());
                first = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(list[first..].trim());
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_outside_of_brackets() {
        assert_eq!(split("u_x, min(u, 1),u_{x1, x2},"), ["u_x", "min(u, 1)", "u_{x1, x2}"]);
        assert!(split(" ").is_empty());
    }

    #[test]
    fn an_unknown_derivative_says_which_coordinates_there_are() {
        let names =
            Names { unknowns: vec!["u".into()], coordinates: vec!["x".into()], ..Names::default() };
        let error = Quantity::parse("u_z", &names, None).expect_err("no such coordinate");
        let said = error.to_string();
        assert!(said.contains("`u_z`") && said.contains("the coordinates are x"), "{said}");
        let rate = Expression::Time;
        let rates = [rate.clone()];
        let given = Quantity::parse("u_t", &names, Some(&rates)).expect("the equation's own");
        assert_eq!(given.expression, rate);
    }
}
