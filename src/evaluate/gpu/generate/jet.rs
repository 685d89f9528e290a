//! Arithmetic of jets: truncated multivariate Taylor series over a set of channels, unrolled.

use std::fmt::Write;

use super::super::channels::Channels;
use crate::problem::expression::MultiIndex;

/// `Jet`, `compose` (sigma applied to a jet) and `product`, as WGSL.
pub fn jet(channels: &Channels) -> String {
    let count = channels.count();
    format!("alias Jet = array<f32, {count}>;\n\n{}\n{}", compose(channels), product(channels))
}

/// Pairs (b, c) of positions with b + c = `target`.
fn splits(channels: &Channels, target: &MultiIndex) -> Vec<(usize, usize)> {
    let difference = |b: &MultiIndex| {
        let mut rest = *target;
        for (total, part) in rest.0.iter_mut().zip(b.0) {
            *total = total.checked_sub(part)?;
        }
        Some(rest)
    };
    let partials = channels.partials().iter().enumerate();
    partials.filter_map(|(at, b)| Some((at, channels.position(&difference(b)?)?))).collect()
}

/// Positions of the first derivatives, coordinate by coordinate.
fn gradient(channels: &Channels) -> Vec<usize> {
    (0..channels.dimensions())
        .map(|k| {
            channels.position(&MultiIndex::along(k, 1)).expect("a Laplacian brings its gradient")
        })
        .collect()
}

/// sigma(z) = sum_k t_k h^k with t_k = sigma^(k)(z_0) / k! and h = z without its value; h^k has no
/// terms below order k. The Laplacian follows sigma' lap z + sigma'' |grad z|^2.
fn compose(channels: &Channels) -> String {
    let mut text = String::from("fn compose(t: array<f32, 5>, z: Jet) -> Jet {\n");
    let orders: Vec<u8> = channels.partials().iter().map(MultiIndex::order).collect();
    let highest = orders.iter().copied().max().unwrap_or(0);
    // `power_k_a` is the coefficient a of h^k.
    let name =
        |k: u8, at: usize| if k == 1 { format!("z[{at}]") } else { format!("power_{k}_{at}") };
    for k in 2..=highest {
        for (at, index) in channels.partials().iter().enumerate().filter(|&(at, _)| orders[at] >= k)
        {
            let terms: Vec<String> = splits(channels, index)
                .into_iter()
                .filter(|&(b, c)| orders[b] >= k - 1 && orders[c] >= 1)
                .map(|(b, c)| format!("{} * z[{c}]", name(k - 1, b)))
                .collect();
            let _ = writeln!(text, "    let power_{k}_{at} = {};", terms.join(" + "));
        }
    }
    let mut entries = vec!["t[0]".to_owned()];
    for (at, &order) in orders.iter().enumerate().skip(1) {
        let terms: Vec<String> = (1..=order).map(|k| format!("t[{k}] * {}", name(k, at))).collect();
        entries.push(terms.join(" + "));
    }
    if let Some(at) = channels.laplacian() {
        let squares: Vec<String> =
            gradient(channels).iter().map(|g| format!("z[{g}] * z[{g}]")).collect();
        entries.push(format!("t[1] * z[{at}] + 2.0 * t[2] * ({})", squares.join(" + ")));
    }
    finish(text, &entries)
}

/// Leibniz' rule in Taylor coefficients: a plain convolution. The Laplacian of a product is
/// a lap b + b lap a + 2 grad a . grad b.
fn product(channels: &Channels) -> String {
    let mut entries: Vec<String> = channels
        .partials()
        .iter()
        .map(|index| {
            let terms: Vec<String> = splits(channels, index)
                .into_iter()
                .map(|(b, c)| format!("a[{b}] * b[{c}]"))
                .collect();
            terms.join(" + ")
        })
        .collect();
    if let Some(at) = channels.laplacian() {
        let dots: Vec<String> =
            gradient(channels).iter().map(|g| format!("a[{g}] * b[{g}]")).collect();
        entries.push(format!("a[0] * b[{at}] + a[{at}] * b[0] + 2.0 * ({})", dots.join(" + ")));
    }
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
