//! Constant folding, neutral elements and substitution.
//!
//! The operators `+ - * /` and unary minus on [`Expression`] simplify as they build, so that
//! symbolic derivatives stay small.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::{Binary, Entry, Expression, Function};
use crate::tabulated::Lookup;

impl Expression {
    /// The same function with constants folded and neutral elements (`+ 0`, `* 1`, `^ 1`) removed.
    /// A factor 0 removes the other factor, even where that one would be infinite. A constant that
    /// would not be finite is left as it was written.
    #[must_use]
    pub fn simplify(&self) -> Self {
        match self.map_operands(&Self::simplify) {
            Self::Negate(a) => -*a,
            Self::Call(function, a) => a.call(function),
            Self::Power(a, exponent) => a.power(exponent),
            Self::Binary(Binary::Add, a, b) => *a + *b,
            Self::Binary(Binary::Subtract, a, b) => *a - *b,
            Self::Binary(Binary::Multiply, a, b) => *a * *b,
            Self::Binary(Binary::Divide, a, b) => *a / *b,
            Self::Binary(Binary::Raise, a, b) => a.raise(*b),
            Self::Binary(Binary::Minimum, a, b) => a.minimum(*b),
            Self::Binary(Binary::Maximum, a, b) => a.maximum(*b),
            Self::Binary(Binary::Where, a, b) => a.keep(*b),
            Self::Binary(comparison @ (Binary::Less | Binary::LessEqual), a, b) => {
                a.compare(comparison, *b)
            }
            Self::Table(lookup) => lookup.call(),
            leaf => leaf,
        }
    }

    /// `function(self)`.
    #[must_use]
    pub fn call(self, function: Function) -> Self {
        match self {
            Self::Constant(c) if function.apply(c).is_finite() => Self::Constant(function.apply(c)),
            a => Self::Call(function, Box::new(a)),
        }
    }

    /// `self^exponent`.
    #[must_use]
    pub fn power(self, exponent: i32) -> Self {
        match (self, exponent) {
            (_, 0) => Self::Constant(1.0),
            (a, 1) => a,
            (Self::Constant(c), n) if c.powi(n).is_finite() => Self::Constant(c.powi(n)),
            (Self::Power(a, m), n) if m > 0 && n > 0 && m.saturating_mul(n) <= MAX_EXPONENT => {
                Self::Power(a, m * n)
            }
            (a, n) => Self::Power(Box::new(a), n),
        }
    }

    /// `self^exponent` for any exponent; a small integer one becomes [`Expression::Power`].
    #[must_use]
    pub fn raise(self, exponent: Self) -> Self {
        match (&self, &exponent) {
            (_, Self::Constant(n)) if n.fract() == 0.0 && n.abs() <= f64::from(MAX_EXPONENT) => {
                self.power(*n as i32)
            }
            (Self::Constant(a), Self::Constant(b)) if a.powf(*b).is_finite() => {
                Self::Constant(a.powf(*b))
            }
            _ => binary(Binary::Raise, self, exponent),
        }
    }

    #[must_use]
    pub fn minimum(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Constant(a), Self::Constant(b)) => Self::Constant(a.min(*b)),
            _ => binary(Binary::Minimum, self, other),
        }
    }

    #[must_use]
    pub fn maximum(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Constant(a), Self::Constant(b)) => Self::Constant(a.max(*b)),
            _ => binary(Binary::Maximum, self, other),
        }
    }

    /// 1 where the comparison holds, else 0.
    fn compare(self, comparison: Binary, other: Self) -> Self {
        match (&self, &other) {
            (Self::Constant(a), Self::Constant(b)) => Self::Constant(comparison.apply(*a, *b)),
            _ => binary(comparison, self, other),
        }
    }

    /// `value` where this is not 0, else 0.
    #[must_use]
    pub fn keep(self, value: Self) -> Self {
        match (self, value) {
            (_, Self::Constant(0.0)) | (Self::Constant(0.0), _) => Self::Constant(0.0),
            (Self::Constant(_), value) => value,
            (condition, value) => binary(Binary::Where, condition, value),
        }
    }

    /// The expression with coordinate `k` replaced by `value`, simplified.
    #[must_use]
    pub fn substitute_coordinate(&self, k: usize, value: &Self) -> Self {
        self.substitute(&|leaf| match leaf {
            Self::Coordinate(j) if *j == k => Some(value.clone()),
            _ => None,
        })
    }

    /// The expression with the time replaced by `value`, simplified.
    #[must_use]
    pub fn substitute_time(&self, value: &Self) -> Self {
        self.substitute(&|leaf| matches!(leaf, Self::Time).then(|| value.clone()))
    }

    /// The expression with every parameter replaced by its value, simplified. A parameter without
    /// a value in the list stays.
    #[must_use]
    pub fn substitute_parameters(&self, values: &[f64]) -> Self {
        self.substitute(&|leaf| match leaf {
            Self::Parameter(k) => values.get(*k).copied().map(Self::Constant),
            _ => None,
        })
    }

    /// The same with a formula for each parameter.
    #[must_use]
    pub fn substitute_parameter_formulas(&self, formulas: &[Self]) -> Self {
        self.substitute(&|leaf| match leaf {
            Self::Parameter(k) => formulas.get(*k).cloned(),
            _ => None,
        })
    }

    /// The expression with each derivative of an unknown replaced by what `value` gives for it.
    #[must_use]
    pub fn substitute_jet(&self, value: &dyn Fn(Entry) -> Self) -> Self {
        self.substitute(&|leaf| match leaf {
            Self::Jet(entry) => Some(value(*entry)),
            _ => None,
        })
    }

    fn substitute(&self, replacement: &dyn Fn(&Self) -> Option<Self>) -> Self {
        fn replace(
            node: &Expression,
            by: &dyn Fn(&Expression) -> Option<Expression>,
        ) -> Expression {
            by(node).unwrap_or_else(|| node.map_operands(&|operand| replace(operand, by)))
        }
        replace(self, replacement).simplify()
    }
}

impl Lookup {
    /// The expression; a constant where every argument is one.
    #[must_use]
    pub fn call(self) -> Expression {
        let constant = |a: &Expression| match a {
            Expression::Constant(value) => Some(*value),
            _ => None,
        };
        let arguments: Option<Vec<f64>> = self.arguments.iter().map(constant).collect();
        match arguments.map(|arguments| self.at(&arguments)) {
            Some(value) if value.is_finite() => Expression::Constant(value),
            _ => Expression::Table(self),
        }
    }
}

/// The largest magnitude of an integer exponent.
pub const MAX_EXPONENT: i32 = 64;

fn binary(operation: Binary, a: Expression, b: Expression) -> Expression {
    Expression::Binary(operation, Box::new(a), Box::new(b))
}

/// A constant result where it is finite.
fn fold(operation: Binary, a: f64, b: f64, value: f64) -> Expression {
    if value.is_finite() {
        Expression::Constant(value)
    } else {
        binary(operation, Expression::Constant(a), Expression::Constant(b))
    }
}

impl From<f64> for Expression {
    fn from(value: f64) -> Self {
        Self::Constant(value)
    }
}

impl Neg for Expression {
    type Output = Self;

    fn neg(self) -> Self {
        match self {
            Self::Constant(c) => Self::Constant(-c),
            Self::Negate(a) => *a,
            a => Self::Negate(Box::new(a)),
        }
    }
}

impl Add for Expression {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        match (self, other) {
            (Self::Constant(a), Self::Constant(b)) => fold(Binary::Add, a, b, a + b),
            (Self::Constant(0.0), a) | (a, Self::Constant(0.0)) => a,
            (a, Self::Negate(b)) => binary(Binary::Subtract, a, *b),
            (Self::Negate(a), b) => binary(Binary::Subtract, b, *a),
            (a, b) => binary(Binary::Add, a, b),
        }
    }
}

impl Sub for Expression {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        match (self, other) {
            (Self::Constant(a), Self::Constant(b)) => fold(Binary::Subtract, a, b, a - b),
            (a, Self::Constant(0.0)) => a,
            (Self::Constant(0.0), a) => -a,
            (a, Self::Negate(b)) => binary(Binary::Add, a, *b),
            (a, b) => binary(Binary::Subtract, a, b),
        }
    }
}

impl Mul for Expression {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        match (self, other) {
            (Self::Constant(a), Self::Constant(b)) => fold(Binary::Multiply, a, b, a * b),
            (Self::Constant(0.0), _) | (_, Self::Constant(0.0)) => Self::Constant(0.0),
            (Self::Constant(1.0), a) | (a, Self::Constant(1.0)) => a,
            (Self::Constant(-1.0), a) | (a, Self::Constant(-1.0)) => -a,
            (Self::Negate(a), Self::Negate(b)) => *a * *b,
            (Self::Constant(c), Self::Negate(a)) | (Self::Negate(a), Self::Constant(c)) => {
                Self::Constant(-c) * *a
            }
            (Self::Negate(a), b) => -(*a * b),
            (a, Self::Negate(b)) => -(a * *b),
            (Self::Constant(c), a) | (a, Self::Constant(c)) => scale(c, a),
            (a, b) => binary(Binary::Multiply, a, b),
        }
    }
}

/// `c * a` with a constant factor of `a` drawn in.
fn scale(c: f64, a: Expression) -> Expression {
    match a {
        Expression::Binary(Binary::Multiply, left, right) => match *left {
            Expression::Constant(inner) if (c * inner).is_finite() => {
                Expression::Constant(c * inner) * *right
            }
            left => {
                let product = binary(Binary::Multiply, left, *right);
                binary(Binary::Multiply, Expression::Constant(c), product)
            }
        },
        a => binary(Binary::Multiply, Expression::Constant(c), a),
    }
}

impl Div for Expression {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        match (self, other) {
            (Self::Constant(a), Self::Constant(b)) => fold(Binary::Divide, a, b, a / b),
            (Self::Constant(0.0), _) => Self::Constant(0.0),
            (a, Self::Constant(1.0)) => a,
            (a, Self::Constant(-1.0)) => -a,
            (Self::Negate(a), Self::Negate(b)) => *a / *b,
            (Self::Negate(a), b) => -(*a / b),
            (a, Self::Negate(b)) => -(a / *b),
            (a, b) => binary(Binary::Divide, a, b),
        }
    }
}
