//! Functions that are given by a table: values on a rectangular grid of one to three arguments, and
//! what lies between them by linear or nearest interpolation.
//!
//! With the nodes `x_i` of an axis, `s = (x - x_i) / (x_(i+1) - x_i)` in the cell that holds x, the
//! linear interpolation along it is `(1 - s) v_i + s v_(i+1)`, axis by axis; its slope is
//! `(v_(i+1) - v_i) / (x_(i+1) - x_i)`, at a node that of the cell above it. Beyond the first and
//! the last node the function is what it is there, and its slope zero.

mod error;
mod sheet;

pub use error::TableIssue;
pub use sheet::Sheet;

use std::sync::Arc;

use crate::expression::{Expression, Names};
use crate::settings::Choice;

/// The most arguments of a table.
pub const MAX_AXES: usize = 3;
/// The most values of a table, and the most numbers of a file of measurements.
pub const MAX_VALUES: usize = 1 << 17;
/// The longest file that a problem reads numbers from, in bytes.
pub const MAX_BYTES: usize = 1 << 24;

/// What a table is between its nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interpolation {
    #[default]
    Linear,
    /// The value of the nearest node, of two as near the upper one's.
    Nearest,
}

impl Choice for Interpolation {
    const WORDS: &'static [(&'static str, Self)] =
        &[("linear", Self::Linear), ("nearest", Self::Nearest)];
}

/// One argument of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableAxis {
    pub name: String,
    /// Increasing.
    pub nodes: Vec<f64>,
}

impl TableAxis {
    /// The cell that holds `x`, the place in it from 0 to 1, and one over its width; 0 in place of
    /// that beyond the ends.
    fn locate(&self, x: f64) -> (usize, f64, f64) {
        let above = self.nodes.partition_point(|node| *node <= x);
        let cell = above.clamp(1, self.nodes.len() - 1) - 1;
        let (a, b) = (self.nodes[cell], self.nodes[cell + 1]);
        let outside = x < self.nodes[0] || x > self.nodes[self.nodes.len() - 1];
        let place = ((x - a) / (b - a)).clamp(0.0, 1.0);
        (cell, place, if outside { 0.0 } else { 1.0 / (b - a) })
    }
}

/// A function on a grid: `values[(i * n_2 + j) * n_3 + k]` at node i of the first axis, j of the
/// second, k of the third.
#[derive(Clone, Debug, PartialEq)]
pub struct Tabulated {
    pub name: String,
    /// None of a table that could not be read.
    axes: Vec<TableAxis>,
    values: Vec<f64>,
    interpolation: Interpolation,
}

// Nodes and values are finite.
impl Eq for Tabulated {}

impl Tabulated {
    /// A table, where it is one: one to three axes of at least two increasing nodes each, and a
    /// finite value for each node of the grid.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(
        name: &str,
        axes: Vec<TableAxis>,
        values: Vec<f64>,
        interpolation: Interpolation,
    ) -> Result<Self, TableIssue> {
        let table = name.to_owned();
        if axes.is_empty() || axes.len() > MAX_AXES {
            return Err(TableIssue::AxisCount { table, found: axes.len() });
        }
        for axis in &axes {
            let (name, nodes) = (axis.name.clone(), &axis.nodes);
            let increasing = nodes.is_sorted_by(|a, b| a < b);
            if nodes.len() < 2 || !increasing || nodes.iter().any(|x| !x.is_finite()) {
                return Err(TableIssue::Nodes { table, axis: name });
            }
        }
        let expected: usize = axes.iter().map(|axis| axis.nodes.len()).product();
        if values.len() > MAX_VALUES {
            return Err(TableIssue::TooMany { what: table, found: values.len() });
        }
        if values.len() != expected {
            return Err(TableIssue::Size { table, found: values.len(), expected });
        }
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(TableIssue::NoNumber { table, found: value.to_string() });
        }
        Ok(Self { name: table, axes, values, interpolation })
    }

    /// What stands for a table that could not be read.
    pub(crate) fn broken(name: &str) -> Self {
        let interpolation = Interpolation::Linear;
        Self { name: name.to_owned(), axes: Vec::new(), values: Vec::new(), interpolation }
    }

    #[must_use]
    pub fn axes(&self) -> &[TableAxis] {
        &self.axes
    }

    /// Where the table says something along an axis: from the first to the last node, of nearest
    /// values half a cell beyond them.
    #[must_use]
    pub fn range(&self, axis: usize) -> [f64; 2] {
        let nodes = &self.axes[axis].nodes;
        let (first, last) = (nodes[0], nodes[nodes.len() - 1]);
        match self.interpolation {
            Interpolation::Linear => [first, last],
            Interpolation::Nearest => {
                let below = 0.5 * (nodes[1] - first);
                [first - below, last + 0.5 * (last - nodes[nodes.len() - 2])]
            }
        }
    }

    /// The function at a place; bit k of `slopes` asks for the derivative along axis k.
    ///
    /// # Panics
    /// When `at` has fewer numbers than the table axes.
    #[must_use]
    pub fn evaluate(&self, slopes: u8, at: &[f64]) -> f64 {
        let axes = self.axes.len();
        let mut cells = [(0usize, 0.0, 0.0); MAX_AXES];
        for (cell, (axis, &x)) in cells.iter_mut().zip(self.axes.iter().zip(at)) {
            if x.is_nan() {
                return x;
            }
            *cell = axis.locate(x);
        }
        let index = |upper: &dyn Fn(usize) -> bool| {
            let along = self.axes.iter().zip(&cells).enumerate();
            along.fold(0, |index, (k, (axis, (cell, ..)))| {
                index * axis.nodes.len() + cell + usize::from(upper(k))
            })
        };
        if self.interpolation == Interpolation::Nearest {
            return match slopes {
                0 => self.values[index(&|k| cells[k].1 >= 0.5)],
                _ => 0.0,
            };
        }
        let mut corners = [0.0; 1 << MAX_AXES];
        for (corner, value) in corners.iter_mut().enumerate().take(1 << axes) {
            *value = self.values[index(&|k| corner >> k & 1 == 1)];
        }
        // The lowest bit of a corner is the axis whose turn it is.
        for (k, &(_, place, per_width)) in cells.iter().enumerate().take(axes) {
            for corner in 0..1 << (axes - 1 - k) {
                let (a, b) = (corners[2 * corner], corners[2 * corner + 1]);
                let slope = slopes >> k & 1 == 1;
                corners[corner] = if slope { (b - a) * per_width } else { a + place * (b - a) };
            }
        }
        corners[0]
    }
}

/// A table in a formula, `k(x, y)`, or a slope of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    pub table: Arc<Tabulated>,
    /// Bit k: differentiated along axis k of the table.
    pub slopes: u8,
    /// One for each axis.
    pub arguments: Vec<Expression>,
}

impl Lookup {
    /// The value at these arguments.
    ///
    /// # Panics
    /// When there are fewer of them than axes.
    #[must_use]
    pub fn at(&self, arguments: &[f64]) -> f64 {
        self.table.evaluate(self.slopes, arguments)
    }

    /// The derivative along axis k of the table: slopes are constant in every cell, so that the
    /// second one along the same axis is zero, and so is every one of nearest values.
    #[must_use]
    pub fn slope(&self, k: usize) -> Option<Self> {
        let flat = self.slopes >> k & 1 == 1 || self.table.interpolation == Interpolation::Nearest;
        (!flat).then(|| Self { slopes: self.slopes | 1 << k, ..self.clone() })
    }

    /// What is written before the parentheses: `k`, `k_x` for a slope.
    #[must_use]
    pub fn name(&self) -> String {
        let along = (0..self.table.axes.len()).filter(|k| self.slopes >> k & 1 == 1);
        let along: Vec<&str> = along.map(|k| self.table.axes[k].name.as_str()).collect();
        let table = &self.table.name;
        match along.as_slice() {
            [] => table.clone(),
            list if list.iter().all(|name| name.len() == 1) => {
                format!("{table}_{}", list.concat())
            }
            list => format!("{table}_{{{}}}", list.join(" ")),
        }
    }

    /// The same with other arguments.
    #[must_use]
    pub fn map(&self, change: impl FnMut(&Expression) -> Expression) -> Self {
        let arguments = self.arguments.iter().map(change).collect();
        Self { arguments, ..self.clone() }
    }
}

/// A coordinate that stands alone as the argument of a table that does not reach as far as it goes.
pub(crate) fn uncovered(
    expressions: &[&Expression],
    names: &Names,
    range: &dyn Fn(&Expression) -> Option<[f64; 2]>,
) -> Option<(usize, TableIssue)> {
    /// Of the range: what rounding leaves.
    const SLACK: f64 = 1e-9;
    let mut found = None;
    let mut look = |node: &Expression| {
        let Expression::Table(lookup) = node else { return };
        for (k, argument) in lookup.arguments.iter().enumerate() {
            let Some([from, to]) = range(argument) else { continue };
            let [lower, upper] = lookup.table.range(k);
            let slack = SLACK * (to - from);
            if found.is_none() && (lower > from + slack || upper < to - slack) {
                let position = names.tables.iter().position(|table| *table == lookup.table);
                let issue = TableIssue::Uncovered {
                    table: lookup.table.name.clone(),
                    axis: lookup.table.axes[k].name.clone(),
                    coordinate: argument.to_text(names),
                    covers: [lower, upper],
                    needed: [from, to],
                };
                found = position.map(|position| (position, issue));
            }
        }
    };
    expressions.iter().for_each(|expression| expression.visit(&mut look));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(name: &str, nodes: &[f64]) -> TableAxis {
        TableAxis { name: name.into(), nodes: nodes.to_vec() }
    }

    fn of(axes: Vec<TableAxis>, f: &dyn Fn(&[f64]) -> f64, kind: Interpolation) -> Tabulated {
        let mut values = Vec::new();
        let sizes: Vec<usize> = axes.iter().map(|a| a.nodes.len()).collect();
        for index in 0..sizes.iter().product() {
            let (mut rest, mut at) = (index, vec![0.0; sizes.len()]);
            for k in (0..sizes.len()).rev() {
                at[k] = axes[k].nodes[rest % sizes[k]];
                rest /= sizes[k];
            }
            values.push(f(&at));
        }
        Tabulated::new("k", axes, values, kind).expect("a table")
    }

    /// What is linear along every axis comes back, with its slopes, on uneven nodes.
    #[test]
    fn multilinear_functions_come_back() {
        let f = |at: &[f64]| (1.0 + 2.0 * at[0]) * (3.0 - at[1]) * (0.5 + at[2]);
        let axes = vec![
            axis("x", &[-1.0, 0.0, 0.3, 2.0]),
            axis("y", &[0.0, 0.7, 1.0]),
            axis("z", &[5.0, 6.5]),
        ];
        let table = of(axes, &f, Interpolation::Linear);
        for i in 0..200 {
            let share = |prime: f64| ((f64::from(i) + 0.5) * prime.sqrt()).fract();
            let at = [3.0 * share(2.0) - 1.0, share(3.0), 5.0 + 1.5 * share(5.0)];
            let [a, b, c] = [1.0 + 2.0 * at[0], 3.0 - at[1], 0.5 + at[2]];
            for (slopes, wanted) in [
                (0, a * b * c),
                (1, 2.0 * b * c),
                (2, -a * c),
                (4, a * b),
                (3, -2.0 * c),
                (7, -2.0),
            ] {
                let found = table.evaluate(slopes, &at);
                assert!((found - wanted).abs() < 1e-12 * (1.0 + wanted.abs()), "{slopes} {at:?}");
            }
        }
    }

    #[test]
    fn beyond_its_ends_a_table_stays_what_it_is_there() {
        let table =
            of(vec![axis("x", &[0.0, 1.0, 3.0])], &|at| at[0] * at[0], Interpolation::Linear);
        let at = |x: f64| [table.evaluate(0, &[x]), table.evaluate(1, &[x])];
        assert_eq!([at(-5.0), at(9.0)], [[0.0, 0.0], [9.0, 0.0]]);
        // At a node the slope of the cell above, at the last one that of the last cell.
        assert_eq!([at(0.0), at(1.0), at(3.0)], [[0.0, 1.0], [1.0, 4.0], [9.0, 4.0]]);
        assert!(at(f64::NAN)[0].is_nan());
    }

    #[test]
    fn the_nearest_node_is_taken_half_a_cell_around_it() {
        let table =
            of(vec![axis("x", &[0.0, 1.0, 3.0])], &|at| 10.0 + at[0], Interpolation::Nearest);
        let found = [-4.0, 0.49, 0.5, 1.99, 2.0, 7.0].map(|x| table.evaluate(0, &[x]));
        assert_eq!(found, [10.0, 10.0, 11.0, 11.0, 13.0, 13.0]);
        assert_eq!(table.evaluate(1, &[0.2]), 0.0);
        assert_eq!(table.range(0), [-0.5, 4.0]);
    }

    #[test]
    fn what_is_no_table_is_told() {
        let new = |nodes: &[f64], values: &[f64]| {
            let axes = vec![axis("x", nodes)];
            Tabulated::new("k", axes, values.to_vec(), Interpolation::Linear)
        };
        assert!(matches!(new(&[0.0], &[1.0]), Err(TableIssue::Nodes { .. })));
        assert!(matches!(new(&[0.0, 0.0], &[1.0; 2]), Err(TableIssue::Nodes { .. })));
        assert!(matches!(new(&[0.0, 1.0], &[1.0; 3]), Err(TableIssue::Size { .. })));
        assert!(matches!(new(&[0.0, 1.0], &[1.0, f64::NAN]), Err(TableIssue::NoNumber { .. })));
        let none = Tabulated::new("k", Vec::new(), Vec::new(), Interpolation::Linear);
        assert!(matches!(none, Err(TableIssue::AxisCount { found: 0, .. })));
    }
}
