//! An expression as text that reads back as the same expression.

use std::sync::Arc;

use super::{Binary, Channel, Entry, Expression};
use crate::tabulated::Tabulated;

/// What the numbered symbols of an expression are called. The time is always `t`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub unknowns: Vec<String>,
    pub coordinates: Vec<String>,
    pub parameters: Vec<String>,
    /// Functions that are given by tables.
    pub tables: Vec<Arc<Tabulated>>,
    /// Complex unknowns, whose parts are among the unknowns.
    pub complex: Vec<Pair>,
}

/// A complex unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// As it is written: `psi`.
    pub name: String,
    /// Its real and its imaginary part among the unknowns: `psi_re`, `psi_im`.
    pub parts: [usize; 2],
}

impl Names {
    /// The rate of change of an unknown as text: `u_t`, and `u_tt` of an unknown that is itself the
    /// rate `u_t` of another.
    ///
    /// # Panics
    /// When the unknown has no name.
    #[must_use]
    pub fn rate(&self, unknown: usize) -> String {
        let name = &self.unknowns[unknown];
        if name.ends_with("_t") { format!("{name}t") } else { format!("{name}_t") }
    }

    /// What stands on the left side of an unknown's equation: its rate, or that of the complex unknown
    /// that it is a part of.
    ///
    /// # Panics
    /// When the unknown has no name.
    #[must_use]
    pub fn left(&self, unknown: usize) -> String {
        let of = self.complex.iter().find(|pair| pair.parts.contains(&unknown));
        of.map_or_else(|| self.rate(unknown), |pair| format!("{}_t", pair.name))
    }

    /// Whether i, re, im and conj have their meaning in formulas.
    #[must_use]
    pub fn has_imaginary_unit(&self) -> bool {
        !self.complex.is_empty()
    }

    /// The unknown that is the rate of change of another, where an equation of second order in time
    /// made it one.
    #[must_use]
    pub fn velocity(&self, unknown: usize) -> Option<usize> {
        let rate = self.rate(unknown);
        self.unknowns.iter().position(|name| *name == rate)
    }

    /// A derivative of an unknown as text: `u_xxy`, or `u_{x1 x1 x2}` where a coordinate's name is
    /// longer than one letter.
    ///
    /// # Panics
    /// When the unknown has no name.
    #[must_use]
    pub fn derivative(&self, entry: Entry) -> String {
        let unknown = &self.unknowns[entry.unknown];
        let Channel::Partial(index) = entry.channel else {
            return format!("laplace({unknown})");
        };
        let along = || {
            self.coordinates
                .iter()
                .zip(index.0)
                .flat_map(|(name, order)| std::iter::repeat_n(name.as_str(), usize::from(order)))
        };
        if index.order() == 0 {
            unknown.clone()
        } else if self.coordinates.iter().all(|name| name.len() == 1) {
            format!("{unknown}_{}", along().collect::<String>())
        } else {
            format!("{unknown}_{{{}}}", along().collect::<Vec<_>>().join(" "))
        }
    }
}

/// How tightly a piece of text holds together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Sum,
    Product,
    Sign,
    Power,
    Atom,
}

impl Expression {
    /// Text that the equation parser reads back as this expression (up to the spelling of negative
    /// constants and constant exponents). `names` must name every symbol that occurs.
    ///
    /// # Panics
    /// When a symbol has no name.
    #[must_use]
    pub fn to_text(&self, names: &Names) -> String {
        self.print(names).0
    }

    fn print(&self, names: &Names) -> (String, Level) {
        match self {
            Self::Constant(c) if c.is_sign_negative() => (format!("{c:?}"), Level::Sign),
            Self::Constant(c) => (format!("{c:?}"), Level::Atom),
            Self::Coordinate(k) => (names.coordinates[*k].clone(), Level::Atom),
            Self::Time => ("t".into(), Level::Atom),
            Self::Parameter(k) => (names.parameters[*k].clone(), Level::Atom),
            Self::Jet(entry) => (names.derivative(*entry), Level::Atom),
            Self::Negate(a) => (format!("-{}", a.wrapped(names, Level::Power)), Level::Sign),
            Self::Call(function, a) => {
                (format!("{}({})", function.name(), a.to_text(names)), Level::Atom)
            }
            Self::Power(a, exponent) => {
                let base = a.wrapped(names, Level::Atom);
                let exponent =
                    if *exponent < 0 { format!("({exponent})") } else { exponent.to_string() };
                (format!("{base}^{exponent}"), Level::Power)
            }
            Self::Binary(operation, a, b) => print_binary(*operation, a, b, names),
            Self::Table(lookup) => {
                let arguments = lookup.arguments.iter().map(|a| a.to_text(names));
                let arguments = arguments.collect::<Vec<_>>().join(", ");
                (format!("{}({arguments})", lookup.name()), Level::Atom)
            }
        }
    }

    /// The text of something that is 1 or 0, as the first argument of `if`.
    fn print_condition(&self, names: &Names) -> String {
        let two = |sign: &str, a: &Self, b: &Self| {
            format!("{} {sign} {}", a.to_text(names), b.to_text(names))
        };
        let both = |word: &str, a: &Self, b: &Self| {
            format!("({} {word} {})", a.print_condition(names), b.print_condition(names))
        };
        match self {
            Self::Binary(Binary::Less, a, b) => two("<", a, b),
            Self::Binary(Binary::LessEqual, a, b) => two("<=", a, b),
            Self::Binary(Binary::Minimum, a, b) => both("and", a, b),
            Self::Binary(Binary::Maximum, a, b) => both("or", a, b),
            other => format!("0 < abs({})", other.to_text(names)),
        }
    }

    /// The text, in parentheses if it holds together less tightly than `least`.
    fn wrapped(&self, names: &Names, least: Level) -> String {
        let (text, level) = self.print(names);
        if level < least { format!("({text})") } else { text }
    }
}

fn print_binary(
    operation: Binary,
    a: &Expression,
    b: &Expression,
    names: &Names,
) -> (String, Level) {
    let call = |name: &str| format!("{name}({}, {})", a.to_text(names), b.to_text(names));
    let sum = |sign: &str| {
        let left = a.wrapped(names, Level::Sum);
        let right = b.wrapped(names, Level::Product);
        let right = if right.starts_with('-') { format!("({right})") } else { right };
        (format!("{left} {sign} {right}"), Level::Sum)
    };
    let product = |sign: &str| {
        let (left, right) = (a.wrapped(names, Level::Product), b.wrapped(names, Level::Power));
        (format!("{left}{sign}{right}"), Level::Product)
    };
    match operation {
        Binary::Add => sum("+"),
        Binary::Subtract => sum("-"),
        Binary::Multiply => product("*"),
        Binary::Divide => product("/"),
        Binary::Raise => {
            let (base, exponent) = (a.wrapped(names, Level::Atom), b.wrapped(names, Level::Atom));
            (format!("{base}^{exponent}"), Level::Power)
        }
        Binary::Minimum => (call("min"), Level::Atom),
        Binary::Maximum => (call("max"), Level::Atom),
        Binary::Where => {
            let condition = a.print_condition(names);
            (format!("if({condition}, {}, 0)", b.to_text(names)), Level::Atom)
        }
        Binary::Less | Binary::LessEqual => {
            let whole = Expression::Binary(operation, Box::new(a.clone()), Box::new(b.clone()));
            (format!("if({}, 1, 0)", whole.print_condition(names)), Level::Atom)
        }
    }
}
