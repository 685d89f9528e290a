//! Symbolic derivatives by the chain rule.

use super::{Binary, Channel, Entry, Expression, Function, MultiIndex};
use crate::tabulated::Lookup;

impl Expression {
    /// Total derivative along coordinate `k` of a problem with `dimensions` coordinates: the chain
    /// rule over the jets turns `u` into `u_x`, `u_x` into `u_xx`, and so on. Orders are not
    /// limited here; the parser of equation text limits them.
    #[must_use]
    pub fn differentiate_coordinate(&self, k: usize, dimensions: usize) -> Self {
        self.differentiate(&|leaf| match leaf {
            Self::Coordinate(j) if *j == k => 1.0.into(),
            Self::Jet(Entry { unknown, channel }) => {
                let partial = |index| Self::Jet(Entry::new(*unknown, Channel::Partial(index)));
                match channel {
                    Channel::Partial(index) => partial(index.plus(&MultiIndex::along(k, 1))),
                    Channel::Laplacian => (0..dimensions)
                        .map(|j| MultiIndex::along(j, 2).plus(&MultiIndex::along(k, 1)))
                        .map(partial)
                        .reduce(|sum, term| sum + term)
                        .unwrap_or(Self::Constant(0.0)),
                }
            }
            _ => 0.0.into(),
        })
    }

    /// The sum of the second total derivatives along every one of `dimensions` coordinates. The
    /// Laplacian of an unknown itself is one channel in two or more dimensions.
    #[must_use]
    pub fn laplacian(&self, dimensions: usize) -> Self {
        if let Self::Jet(entry) = *self
            && entry.channel == Channel::value()
            && dimensions > 1
        {
            return Self::Jet(Entry::new(entry.unknown, Channel::Laplacian));
        }
        (0..dimensions)
            .map(|k| {
                self.differentiate_coordinate(k, dimensions).differentiate_coordinate(k, dimensions)
            })
            .fold(Self::Constant(0.0), |sum, term| sum + term)
    }

    /// Derivative by the time where it stands as `t`; the jets count as constants.
    #[must_use]
    pub fn differentiate_time(&self) -> Self {
        self.differentiate(&|leaf| f64::from(u8::from(*leaf == Self::Time)).into())
    }

    /// dF/d(entry), every other entry of the jet held fixed.
    #[must_use]
    pub fn derivative_by(&self, entry: Entry) -> Self {
        self.differentiate(&|leaf| f64::from(u8::from(*leaf == Self::Jet(entry))).into())
    }

    /// A bound on the number of nodes of any derivative, to be asked before making one: products
    /// and compositions repeat their operands.
    #[must_use]
    pub fn derivative_size_bound(&self) -> usize {
        self.sizes().1
    }

    /// Number of nodes, and bound of it for a derivative.
    fn sizes(&self) -> (usize, usize) {
        /// Nodes that the rules of differentiation add to copies of the operands.
        const RULE: usize = 12;
        match self {
            Self::Negate(a) => {
                let (size, derivative) = a.sizes();
                (size + 1, derivative.saturating_add(1))
            }
            Self::Call(_, a) | Self::Power(a, _) => {
                let (size, derivative) = a.sizes();
                (size + 1, derivative.saturating_add(size + RULE))
            }
            Self::Binary(operation, a, b) => {
                let ((a, da), (b, db)) = (a.sizes(), b.sizes());
                let (copies, derivatives) = match operation {
                    Binary::Add | Binary::Subtract => (0, 1),
                    Binary::Multiply => (1, 1),
                    Binary::Divide => (2, 1),
                    Binary::Minimum | Binary::Maximum => (1, 2),
                    Binary::Less | Binary::LessEqual | Binary::Where => (1, 1),
                    Binary::Raise => (3, 1),
                };
                let derivative = da.saturating_add(db).saturating_mul(derivatives);
                (a + b + 1, derivative.saturating_add(copies * (a + b) + RULE))
            }
            Self::Table(lookup) => {
                let sizes: Vec<(usize, usize)> = lookup.arguments.iter().map(Self::sizes).collect();
                let size = 1 + sizes.iter().map(|(size, _)| size).sum::<usize>();
                let of_each = |bound: usize, (_, derivative): &(usize, usize)| {
                    bound.saturating_add(*derivative).saturating_add(size + RULE)
                };
                (size, sizes.iter().fold(0, of_each))
            }
            _ => (1, RULE),
        }
    }

    /// The chain rule, with the derivatives of the leaves given.
    fn differentiate(&self, leaf: &dyn Fn(&Self) -> Self) -> Self {
        match self {
            Self::Negate(a) => -a.differentiate(leaf),
            Self::Call(function, a) => match a.differentiate(leaf) {
                Self::Constant(0.0) => 0.0.into(),
                inner => function_derivative(*function, a) * inner,
            },
            Self::Power(a, exponent) => match a.differentiate(leaf) {
                Self::Constant(0.0) => 0.0.into(),
                inner => {
                    Self::Constant(f64::from(*exponent)) * (**a).clone().power(exponent - 1) * inner
                }
            },
            Self::Binary(operation, a, b) => {
                let (da, db) = (a.differentiate(leaf), b.differentiate(leaf));
                binary_derivative(*operation, a, b, da, db)
            }
            Self::Table(lookup) => {
                let along = |(k, a): (usize, &Self)| match a.differentiate(leaf) {
                    Self::Constant(0.0) => 0.0.into(),
                    inner => lookup.slope(k).map_or(Self::Constant(0.0), Lookup::call) * inner,
                };
                let terms = lookup.arguments.iter().enumerate().map(along);
                terms.fold(Self::Constant(0.0), |sum, term| sum + term)
            }
            _ => leaf(self),
        }
    }
}

/// f'(a).
fn function_derivative(function: Function, a: &Expression) -> Expression {
    let one = || Expression::Constant(1.0);
    let of = |f: Function| a.clone().call(f);
    match function {
        Function::Sin => of(Function::Cos),
        Function::Cos => -of(Function::Sin),
        Function::Tan => one() + of(Function::Tan).power(2),
        Function::Sinh => of(Function::Cosh),
        Function::Cosh => of(Function::Sinh),
        Function::Tanh => one() - of(Function::Tanh).power(2),
        Function::Exp => of(Function::Exp),
        Function::Log => one() / a.clone(),
        Function::Sqrt => Expression::Constant(0.5) / of(Function::Sqrt),
        Function::Abs => of(Function::Sign),
        Function::Sign => 0.0.into(),
    }
}

fn binary_derivative(
    operation: Binary,
    a: &Expression,
    b: &Expression,
    da: Expression,
    db: Expression,
) -> Expression {
    let (a, b) = (a.clone(), b.clone());
    match operation {
        Binary::Add => da + db,
        Binary::Subtract => da - db,
        Binary::Multiply => da * b + a * db,
        Binary::Divide if db == Expression::Constant(0.0) => da / b,
        Binary::Divide => (da * b.clone() - a * db) / b.power(2),
        Binary::Raise => raise_derivative(a, b, da, db),
        // Of each side of a jump, as if there were none.
        Binary::Less | Binary::LessEqual => 0.0.into(),
        Binary::Where => a.keep(db),
        // (a + b -+ |a - b|) / 2, which halves the difference where a = b.
        Binary::Minimum => {
            let sign = (a - b).call(Function::Sign);
            Expression::Constant(0.5) * (da.clone() + db.clone() - sign * (da - db))
        }
        Binary::Maximum => {
            let sign = (a - b).call(Function::Sign);
            Expression::Constant(0.5) * (da.clone() + db.clone() + sign * (da - db))
        }
    }
}

/// (a^b)' = b a^(b-1) a' + a^b log(a) b'.
fn raise_derivative(a: Expression, b: Expression, da: Expression, db: Expression) -> Expression {
    let by_base = b.clone() * a.clone().raise(b.clone() - 1.0.into()) * da;
    if db == Expression::Constant(0.0) {
        return by_base;
    }
    by_base + a.clone().raise(b) * a.call(Function::Log) * db
}
