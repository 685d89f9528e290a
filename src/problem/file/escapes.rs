//! From an offset in the value of a TOML string to the offset in the string as it was written.

/// The byte of `raw`, a string with its quotes and escapes (or bare text), at which byte `inner` of
/// its value was written.
pub(super) fn raw_offset(raw: &str, inner: usize) -> usize {
    let Some(quotes) = opening(raw) else {
        return inner.min(raw.len());
    };
    let escapes = quotes.starts_with('"');
    let mut at = quotes.len();
    if quotes.len() == 3 {
        // A line break right after the opening quotes is no part of the value.
        at += if raw[at..].starts_with("\r\n") {
            2
        } else {
            usize::from(raw[at..].starts_with('\n'))
        };
    }
    let mut value = 0;
    while let Some(character) = raw[at..].chars().next() {
        let (written, meant) = if escapes && character == '\\' {
            escape(&raw[at..])
        } else {
            (character.len_utf8(), character.len_utf8())
        };
        // A trimmed line break has no length in the value: step over it before stopping.
        if value >= inner && meant > 0 {
            break;
        }
        at += written;
        value += meant;
    }
    at.min(raw.len())
}

fn opening(raw: &str) -> Option<&'static str> {
    ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| raw.starts_with(quotes))
}

/// Length of the escape sequence at the start of `raw`, and of what it stands for.
fn escape(raw: &str) -> (usize, usize) {
    let hexadecimal = |digits: usize| {
        let code = raw.get(2..2 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        (2 + digits, code.and_then(char::from_u32).map_or(1, char::len_utf8))
    };
    match raw[1..].chars().next() {
        Some('x') => hexadecimal(2),
        Some('u') => hexadecimal(4),
        Some('U') => hexadecimal(8),
        Some(c) if c.is_whitespace() => (1 + (raw.len() - 1 - raw[1..].trim_start().len()), 0),
        Some(c) => (1 + c.len_utf8(), 1),
        None => (1, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every place of the value, as the TOML reader decodes it, against the marked place.
    #[test]
    fn offsets_follow_escapes_and_line_breaks() {
        for (raw, inner, expected) in [
            ("\"abc\"", 1, 2),
            ("'a\\c'", 2, 3),
            (r#""\tab""#, 1, 3),
            (r#""\u00e9x""#, 2, 7),
            (r#""\x41b""#, 1, 5),
            ("\"\"\"\nab\"\"\"", 1, 5),
            ("\"\"\"a\\\n   b\"\"\"", 1, 9),
            ("'''\r\nab'''", 0, 5),
            ("bare", 2, 2),
        ] {
            assert_eq!(raw_offset(raw, inner), expected, "{raw:?}");
        }
    }

    #[test]
    fn marked_letters_are_found_where_they_are_written() {
        for raw in [
            "\"u\\t + \\u03c0 * Z\"",
            "\"\"\"\n  a + \\\n   b + Z\"\"\"",
            "'''a\n\nZ'''",
            "\"\\U0001F600\\\\\\\"Z\"",
        ] {
            let text = format!("k = {raw}");
            let table: toml::Table = text.parse().expect("valid TOML");
            let value = table["k"].as_str().expect("a string");
            let inner = value.find('Z').expect("marked");
            assert_eq!(raw_offset(raw, inner), raw.find('Z').expect("marked"), "{raw}");
        }
    }
}
