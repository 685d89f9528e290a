//! The known name that a misspelt one probably means.

/// The name of `known` with the smallest edit distance to `name`, if it is near enough to be worth
/// suggesting: at most a third of the letters wrong, and two letters or more in common length.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > MAX_NAME {
        return None;
    }
    let limit = match name.chars().count() {
        0 | 1 => 0,
        2..=5 => 1,
        6..=8 => 2,
        _ => 3,
    };
    let scored = known.into_iter().map(|candidate| (distance(name, candidate), candidate));
    let close = |&(d, candidate): &(usize, &str)| d <= limit && d < candidate.chars().count();
    scored.filter(close).min_by_key(|&(d, _)| d).map(|(_, candidate)| candidate)
}

/// Longer names are not compared: no known name is as long.
const MAX_NAME: usize = 64;

/// Insertions, deletions, changes and swaps of neighbours (optimal string alignment) that turn
/// `a` into `b`; letter case counts nothing, `-` equals `_`.
fn distance(a: &str, b: &str) -> usize {
    let letters = |text: &str| -> Vec<char> {
        text.chars().map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect()
    };
    let (a, b) = (letters(a), letters(b));
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
            ("max_iterations", "max-iterations", 0),
            ("collumns", "columns", 1),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn suggests_only_what_is_near() {
        let known = ["columns", "step", "scheme", "x"];
        assert_eq!(nearest("colums", known), Some("columns"));
        assert_eq!(nearest("setp", known), Some("step"));
        assert_eq!(nearest("k", known), None);
        assert_eq!(nearest("frequency", known), None);
    }
}
