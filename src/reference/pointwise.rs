//! An expression over the points of a grid, block by block: every node of the tree is one simple
//! loop over a block that stays in the first-level cache.

use crate::problem::expression::{Binary, Entry, Expression, Function};
use crate::problem::tabulated::{Lookup, MAX_AXES};

const BLOCK: usize = 512;

/// Buffers that evaluations take from and give back to.
#[derive(Debug, Default)]
pub struct Pointwise {
    pool: Vec<Vec<f64>>,
}

/// What an expression is evaluated over: the points of a grid.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// Every coordinate at the points.
    pub coordinates: &'a [Vec<f64>],
    pub time: f64,
    pub parameters: &'a [f64],
    /// The derivatives of the unknowns that the expression names.
    pub entries: &'a [Entry],
    /// Each of the `entries` at the points.
    pub derivatives: &'a [Vec<f64>],
}

enum Value {
    /// The same at all points.
    Scalar(f64),
    Block(Vec<f64>),
}

impl Pointwise {
    /// Writes the expression's value at every point to `out`.
    pub fn evaluate(&mut self, expression: &Expression, fields: Fields<'_>, out: &mut [f64]) {
        for start in (0..out.len()).step_by(BLOCK) {
            let end = (start + BLOCK).min(out.len());
            match self.node(expression, &fields, start..end) {
                Value::Scalar(value) => out[start..end].fill(value),
                Value::Block(block) => {
                    out[start..end].copy_from_slice(&block);
                    self.pool.push(block);
                }
            }
        }
    }

    fn block(&mut self, values: &[f64]) -> Value {
        let mut block = self.pool.pop().unwrap_or_default();
        block.clear();
        block.extend_from_slice(values);
        Value::Block(block)
    }

    fn node(
        &mut self,
        expression: &Expression,
        fields: &Fields<'_>,
        range: std::ops::Range<usize>,
    ) -> Value {
        match expression {
            Expression::Constant(value) => Value::Scalar(*value),
            Expression::Time => Value::Scalar(fields.time),
            Expression::Parameter(k) => Value::Scalar(fields.parameters[*k]),
            Expression::Coordinate(axis) => self.block(&fields.coordinates[*axis][range]),
            Expression::Jet(entry) => {
                let named = fields.entries.iter().position(|named| named == entry);
                self.block(&fields.derivatives[named.expect("every entry is given")][range])
            }
            Expression::Negate(a) => map(self.node(a, fields, range), |z| -z),
            Expression::Call(function, a) => call(*function, self.node(a, fields, range)),
            Expression::Power(a, exponent) => power(self.node(a, fields, range), *exponent),
            Expression::Binary(operation, a, b) => {
                let a = self.node(a, fields, range.clone());
                let b = self.node(b, fields, range);
                match operation {
                    Binary::Add => self.combine(a, b, |a, b| a + b),
                    Binary::Subtract => self.combine(a, b, |a, b| a - b),
                    Binary::Multiply => self.combine(a, b, |a, b| a * b),
                    Binary::Divide => self.combine(a, b, |a, b| a / b),
                    Binary::Raise => self.combine(a, b, f64::powf),
                    Binary::Minimum => self.combine(a, b, f64::min),
                    Binary::Maximum => self.combine(a, b, f64::max),
                    rare => self.combine(a, b, |a, b| rare.apply(a, b)),
                }
            }
            Expression::Table(lookup) => self.table(lookup, fields, range),
        }
    }

    fn table(
        &mut self,
        lookup: &Lookup,
        fields: &Fields<'_>,
        range: std::ops::Range<usize>,
    ) -> Value {
        let of = |a| self.node(a, fields, range.clone());
        let arguments: Vec<Value> = lookup.arguments.iter().map(of).collect();
        let mut block = self.pool.pop().unwrap_or_default();
        block.clear();
        block.extend((0..range.len()).map(|i| {
            let mut at = [0.0; MAX_AXES];
            for (value, argument) in at.iter_mut().zip(&arguments) {
                *value = match argument {
                    Value::Scalar(value) => *value,
                    Value::Block(block) => block[i],
                };
            }
            lookup.at(&at)
        }));
        let blocks = arguments.into_iter().filter_map(|argument| match argument {
            Value::Block(block) => Some(block),
            Value::Scalar(_) => None,
        });
        self.pool.extend(blocks);
        Value::Block(block)
    }

    fn combine(&mut self, a: Value, b: Value, operation: impl Fn(f64, f64) -> f64) -> Value {
        match (a, b) {
            (Value::Scalar(a), Value::Scalar(b)) => Value::Scalar(operation(a, b)),
            (Value::Scalar(a), b) => map(b, |b| operation(a, b)),
            (a, Value::Scalar(b)) => map(a, |a| operation(a, b)),
            (Value::Block(mut a), Value::Block(b)) => {
                a.iter_mut().zip(&b).for_each(|(a, b)| *a = operation(*a, *b));
                self.pool.push(b);
                Value::Block(a)
            }
        }
    }
}

fn map(value: Value, operation: impl Fn(f64) -> f64) -> Value {
    match value {
        Value::Scalar(value) => Value::Scalar(operation(value)),
        Value::Block(mut block) => {
            block.iter_mut().for_each(|z| *z = operation(*z));
            Value::Block(block)
        }
    }
}

fn power(value: Value, exponent: i32) -> Value {
    match exponent {
        2 => map(value, |z| z * z),
        3 => map(value, |z| z * z * z),
        _ => map(value, |z| z.powi(exponent)),
    }
}

fn call(function: Function, value: Value) -> Value {
    map(value, |z| function.apply(z))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::problem::expression::{Channel, MultiIndex, Place};
    use crate::problem::tabulated::{Interpolation, TableAxis, Tabulated};
    use crate::random::{Philox, Stream};
    use crate::tests::{coordinate, jet, number, parameter, product, sum, time};

    fn tabulated(arguments: Vec<Expression>) -> Expression {
        let axis = |name: &str| TableAxis { name: name.into(), nodes: vec![-1.0, 0.2, 1.5] };
        let values = vec![1.0, -2.0, 0.5, 3.0, 4.0, -1.0, 0.0, 2.0, 7.0];
        let axes = vec![axis("x"), axis("y")];
        let table = Tabulated::new("k", axes, values, Interpolation::Linear).expect("a table");
        Expression::Table(Lookup { table: Arc::new(table), slopes: 0, arguments })
    }

    #[test]
    fn blocks_agree_with_plain_recursion() {
        let random = Philox::new(5, Stream::Vectors);
        let draw = |which: u64, count: usize| -> Vec<f64> {
            (0..count).map(|i| random.normal(which, i as u32)).collect()
        };
        let binary = |op, a, b| Expression::Binary(op, Box::new(a), Box::new(b));
        let expression = [
            product(Expression::Power(Box::new(jet(0)), 3), parameter(0)),
            binary(Binary::Divide, jet(1), sum(number(3.0), product(time(), time()))),
            binary(Binary::Maximum, coordinate(), jet(2)),
            binary(
                Binary::Raise,
                Expression::Call(Function::Exp, Box::new(coordinate())),
                number(0.5),
            ),
            Expression::Negate(Box::new(Expression::Power(Box::new(jet(1)), 5))),
            tabulated(vec![coordinate(), time()]),
            tabulated(vec![jet(0), coordinate()]),
        ]
        .into_iter()
        .reduce(sum)
        .expect("terms");
        for count in [1, BLOCK - 1, BLOCK, BLOCK + 1, 1_301] {
            let coordinates = draw(0, count);
            let derivatives = [draw(1, count), draw(2, count), draw(3, count)];
            let along = |order| Channel::Partial(MultiIndex::along(0, order));
            let entries = [0, 1, 2].map(|order| Entry::new(0, along(order)));
            let fields = Fields {
                coordinates: std::slice::from_ref(&coordinates),
                time: 0.4,
                parameters: &[1.7],
                entries: &entries,
                derivatives: &derivatives,
            };
            let mut values = vec![0.0; count];
            Pointwise::default().evaluate(&expression, fields, &mut values);
            for (i, value) in values.iter().enumerate() {
                let place =
                    Place { coordinates: &coordinates[i..=i], time: 0.4, parameters: &[1.7] };
                let exact = expression.evaluate(place, &|entry| match entry.channel {
                    Channel::Partial(index) => derivatives[usize::from(index.0[0])][i],
                    Channel::Laplacian => f64::NAN,
                });
                assert!((value - exact).abs() <= 8.0 * f64::EPSILON * exact.abs().max(1.0));
            }
        }
    }
}
