//! The typed expression tree that equation text becomes, and what can be done with it: evaluate,
//! differentiate, substitute. Only this tree is ever turned into machine or GPU code.

mod differentiate;
mod simplify;
mod text;

pub use simplify::MAX_EXPONENT;
pub use text::{Names, Pair};

use std::collections::BTreeSet;

use crate::tabulated::{Lookup, MAX_AXES};

/// The most space dimensions a problem may have.
pub const MAX_DIMENSIONS: usize = 8;
/// The most unknowns of a problem.
pub const MAX_UNKNOWNS: usize = 8;
/// The highest total order of a derivative in an equation.
pub const MAX_ORDER: u8 = 4;

/// Orders of differentiation per space coordinate: `u_xxy` is `[2, 1, 0, ..]`; `u` is all zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MultiIndex(pub [u8; MAX_DIMENSIONS]);

impl MultiIndex {
    /// Total order of the derivative.
    #[must_use]
    pub fn order(&self) -> u8 {
        self.0.iter().sum()
    }

    /// The index of the derivative `order` times along `coordinate`.
    #[must_use]
    pub fn along(coordinate: usize, order: u8) -> Self {
        let mut index = Self::default();
        index.0[coordinate] = order;
        index
    }

    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|k| self.0[k] + other.0[k]))
    }

    /// Product of the factorials of the orders: the derivative over the Taylor coefficient.
    #[must_use]
    pub fn factorial(&self) -> f64 {
        self.0.iter().map(|&k| (1..=k).map(f64::from).product::<f64>()).product()
    }
}

/// One derivative channel of an unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// A partial derivative; all zeros is the value itself.
    Partial(MultiIndex),
    /// The sum of the second derivatives along every space coordinate, carried as one channel.
    Laplacian,
}

impl Channel {
    /// The unknown itself.
    #[must_use]
    pub fn value() -> Self {
        Self::Partial(MultiIndex::default())
    }
}

/// An entry of the jet: a derivative of one of the unknowns, which are numbered in the order of the
/// problem file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    pub unknown: usize,
    pub channel: Channel,
}

impl Entry {
    #[must_use]
    pub fn new(unknown: usize, channel: Channel) -> Self {
        Self { unknown, channel }
    }

    /// The unknown itself.
    #[must_use]
    pub fn value(unknown: usize) -> Self {
        Self::new(unknown, Channel::value())
    }
}

/// A function of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    Sin,
    Cos,
    Tan,
    Sinh,
    Cosh,
    Tanh,
    Exp,
    Log,
    Sqrt,
    Abs,
    /// -1, 0 or 1; the derivative of `abs`.
    Sign,
}

impl Function {
    pub const ALL: [Self; 11] = [
        Self::Sin,
        Self::Cos,
        Self::Tan,
        Self::Sinh,
        Self::Cosh,
        Self::Tanh,
        Self::Exp,
        Self::Log,
        Self::Sqrt,
        Self::Abs,
        Self::Sign,
    ];

    /// The name in equation text.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sin => "sin",
            Self::Cos => "cos",
            Self::Tan => "tan",
            Self::Sinh => "sinh",
            Self::Cosh => "cosh",
            Self::Tanh => "tanh",
            Self::Exp => "exp",
            Self::Log => "log",
            Self::Sqrt => "sqrt",
            Self::Abs => "abs",
            Self::Sign => "sign",
        }
    }

    #[must_use]
    pub fn apply(self, z: f64) -> f64 {
        match self {
            Self::Sin => z.sin(),
            Self::Cos => z.cos(),
            Self::Tan => z.tan(),
            Self::Sinh => z.sinh(),
            Self::Cosh => z.cosh(),
            Self::Tanh => z.tanh(),
            Self::Exp => z.exp(),
            Self::Log => z.ln(),
            Self::Sqrt => z.sqrt(),
            Self::Abs => z.abs(),
            Self::Sign => {
                if z == 0.0 {
                    0.0
                } else {
                    z.signum()
                }
            }
        }
    }
}

/// An operation on two arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// A real power; integer powers are [`Expression::Power`].
    Raise,
    Minimum,
    Maximum,
    /// 1 where a < b, else 0.
    Less,
    /// 1 where a <= b, else 0.
    LessEqual,
    /// b where a is not 0, else 0, whatever b is there.
    Where,
}

impl Binary {
    /// The value in f64.
    #[must_use]
    pub fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide => a / b,
            Self::Raise => a.powf(b),
            Self::Minimum => a.min(b),
            Self::Maximum => a.max(b),
            Self::Less => f64::from(u8::from(a < b)),
            Self::LessEqual => f64::from(u8::from(a <= b)),
            Self::Where if a == 0.0 => 0.0,
            Self::Where => b,
        }
    }
}

/// A node of the tree. Coordinates and parameters are numbered in the order of the problem file.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    Constant(f64),
    Coordinate(usize),
    Time,
    Parameter(usize),
    /// A derivative of an unknown.
    Jet(Entry),
    Negate(Box<Expression>),
    Call(Function, Box<Expression>),
    /// An integer power.
    Power(Box<Expression>, i32),
    Binary(Binary, Box<Expression>, Box<Expression>),
    /// A function given by a table.
    Table(Lookup),
}

/// Where an expression is evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub coordinates: &'a [f64],
    pub time: f64,
    pub parameters: &'a [f64],
}

impl Expression {
    /// The value by plain recursion in f64: the oracle of every compiled form. `jet` gives the
    /// derivatives of the unknowns.
    #[must_use]
    pub fn evaluate(&self, place: Place<'_>, jet: &dyn Fn(Entry) -> f64) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Coordinate(k) => place.coordinates[*k],
            Self::Time => place.time,
            Self::Parameter(k) => place.parameters[*k],
            Self::Jet(entry) => jet(*entry),
            Self::Negate(a) => -a.evaluate(place, jet),
            Self::Call(function, a) => function.apply(a.evaluate(place, jet)),
            Self::Power(a, exponent) => a.evaluate(place, jet).powi(*exponent),
            Self::Binary(operation, a, b) => {
                operation.apply(a.evaluate(place, jet), b.evaluate(place, jet))
            }
            Self::Table(lookup) => {
                let mut at = [0.0; MAX_AXES];
                for (value, a) in at.iter_mut().zip(&lookup.arguments) {
                    *value = a.evaluate(place, jet);
                }
                lookup.at(&at)
            }
        }
    }

    /// The value of an expression without the unknowns; NaN if it has some.
    #[must_use]
    pub fn evaluate_at(&self, coordinates: &[f64], time: f64, parameters: &[f64]) -> f64 {
        self.evaluate(Place { coordinates, time, parameters }, &|_| f64::NAN)
    }

    /// The unknown of this number.
    #[must_use]
    pub fn unknown(number: usize) -> Self {
        Self::Jet(Entry::value(number))
    }

    /// Every derivative that the expression names.
    #[must_use]
    pub fn entries(&self) -> BTreeSet<Entry> {
        let mut found = BTreeSet::new();
        self.visit(&mut |node| {
            if let Self::Jet(entry) = node {
                found.insert(*entry);
            }
        });
        found
    }

    /// Every derivative channel that the expression names, of whichever unknown.
    #[must_use]
    pub fn channels(&self) -> BTreeSet<Channel> {
        self.entries().into_iter().map(|entry| entry.channel).collect()
    }

    /// Calls `look` on this node and on every node below it.
    pub fn visit(&self, look: &mut dyn FnMut(&Self)) {
        look(self);
        match self {
            Self::Negate(a) | Self::Call(_, a) | Self::Power(a, _) => a.visit(look),
            Self::Binary(_, a, b) => {
                a.visit(look);
                b.visit(look);
            }
            Self::Table(lookup) => lookup.arguments.iter().for_each(|a| a.visit(look)),
            Self::Constant(_)
            | Self::Coordinate(_)
            | Self::Time
            | Self::Parameter(_)
            | Self::Jet(_) => {}
        }
    }

    /// This node with its operands passed through `change`.
    #[must_use]
    pub fn map_operands(&self, change: &dyn Fn(&Self) -> Self) -> Self {
        let boxed = |a: &Self| Box::new(change(a));
        match self {
            Self::Negate(a) => Self::Negate(boxed(a)),
            Self::Call(function, a) => Self::Call(*function, boxed(a)),
            Self::Power(a, exponent) => Self::Power(boxed(a), *exponent),
            Self::Binary(operation, a, b) => Self::Binary(*operation, boxed(a), boxed(b)),
            Self::Table(lookup) => Self::Table(lookup.map(change)),
            Self::Constant(_)
            | Self::Coordinate(_)
            | Self::Time
            | Self::Parameter(_)
            | Self::Jet(_) => self.clone(),
        }
    }

    /// Number of nodes.
    #[must_use]
    pub fn size(&self) -> usize {
        let mut count = 0;
        self.visit(&mut |_| count += 1);
        count
    }

    /// Nodes on the longest path from here to a leaf.
    #[must_use]
    pub fn depth(&self) -> usize {
        1 + match self {
            Self::Negate(a) | Self::Call(_, a) | Self::Power(a, _) => a.depth(),
            Self::Binary(_, a, b) => a.depth().max(b.depth()),
            Self::Table(lookup) => lookup.arguments.iter().map(Self::depth).max().unwrap_or(0),
            Self::Constant(_)
            | Self::Coordinate(_)
            | Self::Time
            | Self::Parameter(_)
            | Self::Jet(_) => 0,
        }
    }

    /// Whether `wanted` holds for some node.
    #[must_use]
    pub fn any(&self, wanted: &dyn Fn(&Self) -> bool) -> bool {
        let mut found = false;
        self.visit(&mut |node| found |= wanted(node));
        found
    }

    /// Whether it names the parameter of this number.
    #[must_use]
    pub fn names(&self, parameter: usize) -> bool {
        self.any(&|e| matches!(e, Self::Parameter(k) if *k == parameter))
    }
}
