//! `if(condition, a, b)`.

use super::error::EquationIssue;
use super::lexer::Token;
use super::parser::{PLACEHOLDER, Parser};
use super::value::Value;
use crate::expression::{Binary, Expression};

impl Parser<'_> {
    /// Of two values the first where a condition holds, else the second. The other one may be
    /// anything there, infinite or no number.
    pub(super) fn choice(&mut self, index: usize) -> Value {
        let open = self.at;
        self.at += 1;
        let (holds, fails) = self.condition(open);
        let mut values = Vec::new();
        while self.accept(&Token::Comma) {
            values.push(self.nested(open, Self::sum));
        }
        self.close(open);
        if values.len() != 2 {
            let (name, expected, found) = ("if".to_owned(), 3, values.len() + 1);
            let span = self.lexemes[index].span.clone();
            self.error(span, EquationIssue::ArgumentCount { name, expected, found });
            return PLACEHOLDER.into();
        }
        let kept = |condition: Expression, value: Value| {
            value.each(|part| {
                Expression::Binary(Binary::Where, Box::new(condition.clone()), Box::new(part))
            })
        };
        let placeholder = || Value::from(PLACEHOLDER);
        let second = values.pop().unwrap_or_else(placeholder);
        let first = values.pop().unwrap_or_else(placeholder);
        let (first, second) = (kept(holds, first), kept(fails, second));
        self.made(Value::binary(Binary::Add, first, second), index)
    }

    /// A condition and its opposite, each 1 or 0.
    fn condition(&mut self, open: usize) -> (Expression, Expression) {
        self.joined("or", [Binary::Maximum, Binary::Minimum], |this| {
            let pair = [Binary::Minimum, Binary::Maximum];
            this.joined("and", pair, |this| this.compared(open))
        })
    }

    fn joined(
        &mut self,
        word: &str,
        [of_both, of_opposites]: [Binary; 2],
        read: impl Fn(&mut Self) -> (Expression, Expression),
    ) -> (Expression, Expression) {
        let (mut holds, mut fails) = read(self);
        while self.peek() == Some(&Token::Name) && self.written(self.at) == word {
            self.at += 1;
            let (also, opposite) = read(self);
            holds = Expression::Binary(of_both, Box::new(holds), Box::new(also));
            fails = Expression::Binary(of_opposites, Box::new(fails), Box::new(opposite));
        }
        (holds, fails)
    }

    /// `a < b`, or a condition in parentheses.
    fn compared(&mut self, open: usize) -> (Expression, Expression) {
        if self.peek() == Some(&Token::Open) && self.is_condition_group() {
            let inner = self.at;
            self.at += 1;
            if !self.deepen(inner) {
                return (PLACEHOLDER, PLACEHOLDER);
            }
            let both = self.condition(inner);
            self.undeepen();
            self.close(inner);
            return both;
        }
        let left = self.nested(open, Self::sum);
        let left = self.real(left, open);
        let (operation, swapped) = match self.peek() {
            Some(Token::Less) => (Binary::Less, false),
            Some(Token::LessEqual) => (Binary::LessEqual, false),
            Some(Token::Greater) => (Binary::Less, true),
            Some(Token::GreaterEqual) => (Binary::LessEqual, true),
            _ => {
                let span = self.lexemes[open].span.clone();
                self.error(span, EquationIssue::NoComparison);
                return (PLACEHOLDER, PLACEHOLDER);
            }
        };
        self.at += 1;
        let right = self.nested(open, Self::sum);
        let right = self.real(right, open);
        let (a, b) = if swapped { (right, left) } else { (left, right) };
        let opposite = if operation == Binary::Less { Binary::LessEqual } else { Binary::Less };
        let holds = Expression::Binary(operation, Box::new(a.clone()), Box::new(b.clone()));
        (holds, Expression::Binary(opposite, Box::new(b), Box::new(a)))
    }

    /// Whether a comparison stands in the parentheses that open here, outside of the arguments of
    /// functions.
    fn is_condition_group(&self) -> bool {
        // Of each open parenthesis whether it belongs to a function.
        let mut open: Vec<bool> = Vec::new();
        for (at, lexeme) in self.lexemes.iter().enumerate().skip(self.at) {
            match lexeme.token {
                Token::Open => {
                    let called = at > self.at && self.lexemes[at - 1].token == Token::Name;
                    open.push(called && !matches!(self.written(at - 1), "and" | "or"));
                }
                Token::Close => {
                    open.pop();
                    if open.is_empty() {
                        return false;
                    }
                }
                Token::Less | Token::LessEqual | Token::Greater | Token::GreaterEqual
                    if !open.contains(&true) =>
                {
                    return true;
                }
                _ => {}
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use crate::equation::{EquationIssue, Role, parse_expression};
    use crate::expression::{Expression, Names};

    fn names() -> Names {
        let coordinates = ["x", "y"].map(Into::into).to_vec();
        Names { unknowns: vec!["u".into()], coordinates, ..Names::default() }
    }

    fn parse(text: &str) -> Expression {
        parse_expression(text, &names(), Role::Known).unwrap_or_else(|e| panic!("{text}: {e:?}"))
    }

    /// Against the same conditions in Rust, before and after folding and printing.
    #[test]
    fn conditions_choose() {
        type Oracle = fn(f64, f64) -> f64;
        let cases: [(&str, Oracle); 7] = [
            ("if(((x < y)) and (if(x < 0, 1, 2)) < 2, 1, 0)", |x, y| {
                if x < y && x < 0.0 { 1.0 } else { 0.0 }
            }),
            ("if(x < 1/2, 8, 10)", |x, _| if x < 0.5 { 8.0 } else { 10.0 }),
            ("if(x >= y, x, -y)", |x, y| if x >= y { x } else { -y }),
            ("if(x <= y and y < 1 or x > 3, 1, x*y)", |x, y| {
                if x <= y && y < 1.0 || x > 3.0 { 1.0 } else { x * y }
            }),
            ("if(x <= y and (y < 1 or x > 3), 1, x*y)", |x, y| {
                if x <= y && (y < 1.0 || x > 3.0) { 1.0 } else { x * y }
            }),
            ("if((x + 1) > (y), sqrt(x + 1 - y), log(y - x - 1))", |x, y| {
                if x + 1.0 > y { (x + 1.0 - y).sqrt() } else { (y - x - 1.0).ln() }
            }),
            ("2*if(x < 0, 1, if(y < 0, 2, 3))^2", |x, y| {
                if x < 0.0 {
                    2.0
                } else if y < 0.0 {
                    8.0
                } else {
                    18.0
                }
            }),
        ];
        for (text, oracle) in cases {
            let read = parse(text);
            let again = parse(&read.simplify().to_text(&names()));
            for i in 0..81 {
                let (x, y) = (f64::from(i % 9) / 2.0 - 1.0, f64::from(i / 9) / 2.0 - 1.0);
                let wanted = oracle(x, y);
                for expression in [&read, &read.simplify(), &again] {
                    let found = expression.evaluate_at(&[x, y], 0.0, &[]);
                    let same = (found - wanted).abs() < 1e-14 || found == wanted;
                    assert!(same, "{text} at {x}, {y}: {found} for {wanted}");
                }
            }
        }
    }

    #[test]
    fn derivatives_are_those_of_the_chosen_side() {
        let slope = parse("if(x < 1, x^3, 5*x)").differentiate_coordinate(0, 2).simplify();
        let at = |x: f64| slope.evaluate_at(&[x, 0.0], 0.0, &[]);
        assert_eq!([at(0.5), at(2.0)], [0.75, 5.0]);
    }

    #[test]
    fn mistakes_are_told() {
        let issue = |text: &str| {
            let errors = parse_expression(text, &names(), Role::Known).expect_err(text);
            errors.into_iter().next().expect("one").issue
        };
        assert_eq!(issue("x < y"), EquationIssue::Comparison);
        assert_eq!(issue("if(x, 1, 2)"), EquationIssue::NoComparison);
        assert!(matches!(issue("if(x < 1, 2)"), EquationIssue::ArgumentCount { .. }));
        assert!(matches!(issue("if"), EquationIssue::FunctionWithoutArgument { .. }));
        let deep = format!("if({}x < 1{}, 1, 2)", "(".repeat(500), ")".repeat(500));
        let errors = parse_expression(&deep, &names(), Role::Known).expect_err("too deep");
        let too_deep = |issue: &EquationIssue| matches!(issue, EquationIssue::TooDeep { .. });
        assert!(errors.iter().any(|error| too_deep(&error.issue)), "{errors:?}");
    }
}
