//! What a formula is worth while it is read: a real expression, or real and imaginary part of one.
//!
//! Problems with complex unknowns are problems of twice as many real ones; nothing but the reading of
//! formulas knows of the others. With z = a + i b
//!
//! ```text
//! exp z = e^a (cos b + i sin b)            1 / z = (a - i b) / (a^2 + b^2)
//! sin z = sin a cosh b + i cos a sinh b    cos z = cos a cosh b - i sin a sinh b
//! sinh z = sinh a cos b + i cosh a sin b   cosh z = cosh a cos b + i sinh a sin b
//! ```

use super::MAX_NODES;
use super::error::EquationIssue;
use crate::expression::{Binary, Expression, Function};

/// A real expression, or a complex one.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub re: Expression,
    /// `None` of what is real.
    pub im: Option<Expression>,
    /// Of an absolute value of something complex its square, which is smooth where that is 0.
    square: Option<Expression>,
}

impl From<Expression> for Value {
    fn from(re: Expression) -> Self {
        Self { re, im: None, square: None }
    }
}

impl Value {
    pub(super) fn complex(re: Expression, im: Expression) -> Self {
        Self { re, im: Some(im), square: None }
    }

    /// i.
    pub(super) fn imaginary_unit() -> Self {
        Self::complex(0.0.into(), 1.0.into())
    }

    fn imaginary(&self) -> Expression {
        self.im.clone().unwrap_or(Expression::Constant(0.0))
    }

    /// The parts: one of what is real, also where an imaginary part cancels.
    pub(super) fn parts(self) -> (Expression, Option<Expression>) {
        let im = self.im.map(|im| im.simplify());
        (self.re, im.filter(|im| *im != Expression::Constant(0.0)))
    }

    /// Something done to both parts, as a derivative is.
    pub(super) fn each(self, mut change: impl FnMut(Expression) -> Expression) -> Self {
        let (re, im) = (change(self.re), self.im.map(&mut change));
        Self { re, im, square: None }
    }

    pub(super) fn negate(self) -> Self {
        match self.im {
            None => match self.re {
                Expression::Constant(c) => Expression::Constant(-c).into(),
                a => Expression::Negate(Box::new(a)).into(),
            },
            Some(im) => Self::complex(-self.re, -im),
        }
    }

    pub(super) fn conjugate(self) -> Self {
        Self { im: self.im.map(|im| -im), ..self }
    }

    /// Of two real numbers the expression as it is written.
    pub(super) fn binary(operation: Binary, a: Self, b: Self) -> Result<Self, EquationIssue> {
        if a.im.is_none() && b.im.is_none() {
            return Ok(Expression::Binary(operation, Box::new(a.re), Box::new(b.re)).into());
        }
        let value = match operation {
            Binary::Add => {
                let im = a.imaginary() + b.imaginary();
                Self::complex(a.re + b.re, im)
            }
            Binary::Subtract => {
                let im = a.imaginary() - b.imaginary();
                Self::complex(a.re - b.re, im)
            }
            Binary::Multiply => a.times(&b),
            Binary::Divide => a.times(&b.inverse()),
            _ => return Err(EquationIssue::ComplexOperand { found: "this".into() }),
        };
        value.limited()
    }

    fn times(&self, b: &Self) -> Self {
        let product = |x: &Expression, y: &Expression| x.clone() * y.clone();
        match (&self.im, &b.im) {
            (None, None) => product(&self.re, &b.re).into(),
            (Some(im), None) => Self::complex(product(&self.re, &b.re), product(im, &b.re)),
            (None, Some(im)) => Self::complex(product(&self.re, &b.re), product(&self.re, im)),
            (Some(x), Some(y)) => Self::complex(
                product(&self.re, &b.re) - product(x, y),
                product(&self.re, y) + product(x, &b.re),
            ),
        }
    }

    fn inverse(&self) -> Self {
        let one = || Expression::Constant(1.0);
        match &self.im {
            None => (one() / self.re.clone()).into(),
            Some(im) => {
                let square = || self.re.clone().power(2) + im.clone().power(2);
                Self::complex(self.re.clone() / square(), -(im.clone() / square()))
            }
        }
    }

    /// A power: of a complex number an integer one.
    pub(super) fn power(&self, exponent: i32) -> Result<Self, EquationIssue> {
        match (&self.im, &self.square) {
            (None, Some(square)) if exponent % 2 == 0 => {
                Ok(square.clone().power(exponent / 2).into())
            }
            (None, _) => Ok(Expression::Power(Box::new(self.re.clone()), exponent).into()),
            (Some(_), _) => {
                let base = if exponent < 0 { self.inverse() } else { self.clone() };
                let (mut result, mut square) = (Self::from(Expression::Constant(1.0)), base);
                let mut rest = exponent.unsigned_abs();
                while rest > 0 {
                    if rest & 1 == 1 {
                        result = result.times(&square).limited()?;
                    }
                    rest >>= 1;
                    if rest > 0 {
                        square = square.times(&square).limited()?;
                    }
                }
                Ok(result)
            }
        }
    }

    pub(super) fn call(self, function: Function) -> Result<Self, EquationIssue> {
        let Some(b) = self.im else {
            return Ok(Expression::Call(function, Box::new(self.re)).into());
        };
        let a = self.re;
        let of = |f: Function, x: &Expression| x.clone().call(f);
        let value = match function {
            Function::Exp => {
                let size = || of(Function::Exp, &a);
                Self::complex(size() * of(Function::Cos, &b), size() * of(Function::Sin, &b))
            }
            Function::Sin => Self::complex(
                of(Function::Sin, &a) * of(Function::Cosh, &b),
                of(Function::Cos, &a) * of(Function::Sinh, &b),
            ),
            Function::Cos => Self::complex(
                of(Function::Cos, &a) * of(Function::Cosh, &b),
                -(of(Function::Sin, &a) * of(Function::Sinh, &b)),
            ),
            Function::Sinh => Self::complex(
                of(Function::Sinh, &a) * of(Function::Cos, &b),
                of(Function::Cosh, &a) * of(Function::Sin, &b),
            ),
            Function::Cosh => Self::complex(
                of(Function::Cosh, &a) * of(Function::Cos, &b),
                of(Function::Sinh, &a) * of(Function::Sin, &b),
            ),
            Function::Abs => {
                let square = a.power(2) + b.power(2);
                let re = square.clone().call(Function::Sqrt);
                Self { re, im: None, square: Some(square) }
            }
            other => {
                return Err(EquationIssue::ComplexOperand { found: other.name().into() });
            }
        };
        value.limited()
    }

    /// Products repeat their factors: what grows too large is refused while it can be.
    fn limited(self) -> Result<Self, EquationIssue> {
        let found = self.re.size() + self.im.as_ref().map_or(0, Expression::size);
        match found > 2 * MAX_NODES {
            true => Err(EquationIssue::TooLarge { found, limit: 2 * MAX_NODES, unit: "nodes" }),
            false => Ok(self),
        }
    }
}
