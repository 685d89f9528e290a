//! Arithmetic of jets: truncated multivariate Taylor series over a set of channels, unrolled.

use std::fmt::Write;

use crate::jet::{JetSet, Term};

/// `Jet`, `compose` (sigma applied to a jet) and `product`, as WGSL.
pub fn jet(jets: &JetSet) -> String {
    let count = jets.len();
    format!("alias Jet = array<f32, {count}>;\n\n{}\n{}", compose(jets), product(jets))
}

/// The sum of the terms that make up channel `c`; empty where there are none.
fn sum(
    terms: &[Term],
    c: usize,
    left: impl Fn(usize) -> String,
    right: impl Fn(usize) -> String,
) -> String {
    let of_channel = terms.iter().filter(|term| usize::from(term.c) == c);
    let texts: Vec<String> = of_channel
        .map(|term| format!("{} * {}", left(term.a.into()), right(term.b.into())))
        .collect();
    texts.join(" + ")
}

/// sigma(z) = sum_k t_k h^k with t_k = sigma^(k)(z_0) / k! and h = z without its value. The power
/// h^k has no terms below order k.
fn compose(jets: &JetSet) -> String {
    let mut text = String::from("fn compose(t: array<f32, 5>, z: Jet) -> Jet {\n");
    let name = |k: usize, at: usize| match k {
        1 => format!("z[{at}]"),
        _ => format!("power_{k}_{at}"),
    };
    let mut entries: Vec<Vec<String>> =
        (0..jets.len()).map(|at| vec![format!("t[1] * z[{at}]")]).collect();
    entries[0] = vec!["t[0]".into()];
    for (k, terms) in (2..).zip(jets.powers()) {
        for (at, entry) in entries.iter_mut().enumerate() {
            let sum = sum(terms, at, |a| name(k - 1, a), |b| name(1, b));
            if !sum.is_empty() {
                let power = name(k, at);
                let _ = writeln!(text, "    let {power} = {sum};");
                entry.push(format!("t[{k}] * {power}"));
            }
        }
    }
    let entries: Vec<String> = entries.into_iter().map(|terms| terms.join(" + ")).collect();
    finish(text, &entries)
}

/// Leibniz' rule in Taylor coefficients: a plain convolution.
fn product(jets: &JetSet) -> String {
    let of = |at: usize| sum(jets.products(), at, |a| format!("a[{a}]"), |b| format!("b[{b}]"));
    let entries: Vec<String> = (0..jets.len()).map(of).collect();
    finish(String::from("fn product(a: Jet, b: Jet) -> Jet {\n"), &entries)
}

fn finish(mut text: String, entries: &[String]) -> String {
    text.push_str("    return Jet(\n");
    for entry in entries {
        let _ = writeln!(text, "        {entry},");
    }
    text.push_str("    );\n}\n");
    text
}
