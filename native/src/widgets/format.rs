//! Numbers as a person writes them.

/// Three digits and, where needed, a power of ten: `0.0123`, `4.5·10⁻⁷`.
#[must_use]
pub fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if !value.is_finite() {
        return format!("{value}");
    }
    let size = value.abs();
    if (1e-3..1e5).contains(&size) {
        let decimals = (2 - size.log10().floor() as i32).clamp(0, 6) as usize;
        let text = format!("{value:.decimals$}");
        return trimmed(&text);
    }
    scientific(value, 1)
}

/// Mantissa and power of ten.
#[must_use]
pub fn scientific(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$e}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let mantissa = trimmed(mantissa);
    let power = superscript(exponent);
    match mantissa.as_str() {
        "1" => format!("10{power}"),
        _ => format!("{mantissa}·10{power}"),
    }
}

/// A power of ten.
#[must_use]
pub fn power(exponent: i32) -> String {
    match exponent {
        -1 => "0.1".into(),
        0 => "1".into(),
        1 => "10".into(),
        _ => format!("10{}", superscript(&exponent.to_string())),
    }
}

/// A relative error as a count of correct digits.
#[must_use]
pub fn digits(error: f64) -> usize {
    (-error.log10()).floor().max(0.0) as usize
}

fn superscript(digits: &str) -> String {
    digits
        .chars()
        .map(|digit| match digit {
            '-' => '⁻',
            '0' => '⁰',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '4' => '⁴',
            '5' => '⁵',
            '6' => '⁶',
            '7' => '⁷',
            '8' => '⁸',
            _ => '⁹',
        })
        .collect()
}

/// Without zeros at the end of decimals.
fn trimmed(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (4.0, "4"),
            (0.01, "0.01"),
            (0.012_345, "0.0123"),
            (123.456, "123"),
            (-2.5, "-2.5"),
            (1e-7, "10⁻⁷"),
            (4.56e-7, "4.6·10⁻⁷"),
            (3e12, "3·10¹²"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(short(value), text);
        }
        assert_eq!((power(0), power(-12)), ("1".to_owned(), "10⁻¹²".to_owned()));
        assert_eq!((digits(3e-6), digits(0.5), digits(7.0)), (5, 0, 0));
    }
}
