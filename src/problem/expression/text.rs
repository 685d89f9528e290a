//! An expression as text that reads back as the same expression.

use super::{Binary, Channel, Expression, MultiIndex};

/// What the numbered symbols of an expression are called. The time is always `t`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub unknown: String,
    pub coordinates: Vec<String>,
    pub parameters: Vec<String>,
}

impl Names {
    /// The unknown's derivative as text: `u_xxy`, or `u_{x1 x1 x2}` where a name is longer than
    /// one letter.
    #[must_use]
    pub fn partial(&self, index: &MultiIndex) -> String {
        let along = || {
            self.coordinates
                .iter()
                .zip(index.0)
                .flat_map(|(name, order)| std::iter::repeat_n(name.as_str(), usize::from(order)))
        };
        if index.order() == 0 {
            self.unknown.clone()
        } else if self.coordinates.iter().all(|name| name.len() == 1) {
            format!("{}_{}", self.unknown, along().collect::<String>())
        } else {
            format!("{}_{{{}}}", self.unknown, along().collect::<Vec<_>>().join(" "))
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
    /// When a coordinate or a parameter has no name.
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
            Self::Jet(Channel::Partial(index)) => (names.partial(index), Level::Atom),
            Self::Jet(Channel::Laplacian) => (format!("laplace({})", names.unknown), Level::Atom),
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
    }
}
