//! `k(x, y)` where `[tables.k]` gives a table, and its slopes `k_x(x, y)` along an axis of it.

use std::sync::Arc;

use super::error::EquationIssue;
use super::lexer::Token;
use super::parser::{PLACEHOLDER, Parser};
use super::symbols::along;
use crate::expression::{Expression, Names};
use crate::tabulated::{Lookup, Tabulated};

/// The table of that name, and of `k_xy` the numbers of the axes that it is differentiated along.
pub(super) fn table_named(name: &str, names: &Names) -> Option<(Arc<Tabulated>, Vec<usize>)> {
    let suffix = |table: &Tabulated| name.strip_prefix(table.name.as_str()).map(str::to_owned);
    names.tables.iter().find_map(|table| {
        let rest = suffix(table)?;
        if rest.is_empty() {
            return Some((table.clone(), Vec::new()));
        }
        let axes: Vec<String> = table.axes().iter().map(|axis| axis.name.clone()).collect();
        along(rest.strip_prefix('_')?, axes).map(|along| (table.clone(), along))
    })
}

impl Parser<'_> {
    /// The name at `index` and the arguments behind it, where it is that of a table.
    pub(super) fn table(&mut self, index: usize) -> Option<Expression> {
        let name = self.written(index);
        let (table, along) = table_named(name, self.names)?;
        let open = self.at;
        if !self.accept(&Token::Open) {
            let issue = EquationIssue::TableWithoutArguments { call: call(&table) };
            self.error(self.lexemes[index].span.clone(), issue);
            return Some(PLACEHOLDER);
        }
        let mut arguments = Vec::new();
        loop {
            let argument = self.nested(open, Self::sum);
            arguments.push(self.real(argument, open));
            if !self.accept(&Token::Comma) {
                break;
            }
        }
        self.close(open);
        let (expected, found) = (table.axes().len(), arguments.len());
        if expected == 0 {
            // What is wrong with the table itself is told there.
            return Some(PLACEHOLDER);
        }
        if expected != found {
            let issue = EquationIssue::TableArguments { call: call(&table), expected, found };
            self.error(self.lexemes[index].span.clone(), issue);
            return Some(PLACEHOLDER);
        }
        let whole = Lookup { table, slopes: 0, arguments };
        let slope = along.into_iter().try_fold(whole, |lookup, k| lookup.slope(k));
        Some(slope.map_or(Expression::Constant(0.0), Expression::Table))
    }
}

/// A table as it is used.
fn call(table: &Tabulated) -> String {
    let axes: Vec<&str> = table.axes().iter().map(|axis| axis.name.as_str()).collect();
    format!("{}({})", table.name, axes.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::equation::{Role, parse_expression};
    use crate::tabulated::{Interpolation, TableAxis};

    fn names() -> Names {
        let axis = |name: &str, nodes: &[f64]| TableAxis { name: name.into(), nodes: nodes.into() };
        let axes = vec![axis("x", &[0.0, 1.0, 2.0]), axis("h2", &[0.0, 4.0])];
        let values = vec![1.0, 2.0, 3.0, 5.0, 4.0, 0.0];
        let table = Tabulated::new("k", axes, values, Interpolation::Linear).expect("a table");
        let coordinates = ["x", "y"].map(Into::into).to_vec();
        let unknowns = vec!["u".into()];
        Names { unknowns, coordinates, tables: vec![Arc::new(table)], ..Names::default() }
    }

    fn parse(text: &str, role: Role) -> Expression {
        parse_expression(text, &names(), role).unwrap_or_else(|e| panic!("{text}: {e:?}"))
    }

    /// Derivatives against differences, and text that reads back.
    #[test]
    fn tables_are_differentiated_by_the_chain_rule_and_printed() {
        let (d, h) = (2, 1e-6);
        let formula = parse("sin(k(x^2, x*y + 1)) + k_x(x, y)*y", Role::Known).simplify();
        for axis in 0..d {
            let slope = formula.differentiate_coordinate(axis, d).simplify();
            let printed = parse(&slope.to_text(&names()), Role::Known);
            for at in [[0.3, 0.7], [1.2, 0.9], [0.9, -0.4]] {
                let value = |shift: f64| {
                    let mut moved = at;
                    moved[axis] += shift;
                    formula.evaluate_at(&moved, 0.0, &[])
                };
                let wanted = (value(h) - value(-h)) / (2.0 * h);
                for found in [&slope, &printed].map(|e| e.evaluate_at(&at, 0.0, &[])) {
                    assert!((found - wanted).abs() < 1e-7, "{axis} {at:?}: {found} {wanted}");
                }
            }
        }
        let mixed = parse("k_{x h2}(x, y)", Role::Known);
        assert_eq!(mixed.evaluate_at(&[0.5, 1.0], 0.0, &[]), 0.25);
        assert_eq!(parse("k_{x x}(x, y)", Role::Known), Expression::Constant(0.0));
        assert_eq!(parse("k(1/2, 2)", Role::Known).simplify(), Expression::Constant(2.75));
        let flux = parse("d(k(x, y)*u_x, x)", Role::RightHandSide);
        assert_eq!(flux.to_text(&names()), "k_x(x, y)*u_x + k(x, y)*u_xx");
    }

    #[test]
    fn mistakes_are_told() {
        let says = |text: &str, wanted: &str| {
            let errors = parse_expression(text, &names(), Role::Known).expect_err(text);
            let all: Vec<String> =
                errors.iter().map(|e| format!("{}; {}", e.issue, e.issue.remedy())).collect();
            assert!(all.iter().any(|said| said.contains(wanted)), "{text}: {all:?}");
        };
        says("k", "write k(x, h2)");
        says("k(x)", "takes 2 argument(s), not 1");
        says("k(x, y, 1)", "write k(x, h2)");
        says("kk(x, y)", "or [tables.kk]");
        says("k_z(x, y)", "unknown function k_z");
    }
}
