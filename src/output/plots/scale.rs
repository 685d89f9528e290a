//! Axes: where a value lies, and which values get a tick.

/// A mapping of values to \[0, 1\] with round ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub low: f64,
    pub high: f64,
    pub logarithmic: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    pub value: f64,
    /// Empty for minor ticks.
    pub label: String,
}

impl Scale {
    /// Exactly from `low` to `high`.
    #[must_use]
    pub fn linear(low: f64, high: f64) -> Self {
        let (low, high) = if low < high { (low, high) } else { widened(low) };
        Self { low, high, logarithmic: false }
    }

    /// Around the finite values, with a small margin.
    #[must_use]
    pub fn around(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = extent(values);
        let margin = 0.05 * (high - low);
        Self::linear(low - margin, high + margin)
    }

    /// Whole decades, or a part of one or two, around the positive finite values.
    #[must_use]
    pub fn logarithmic(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = extent(values.filter(|v| *v > 0.0 && v.is_finite()));
        let (low, high) = if low > 0.0 { (low, high) } else { (0.1, 1.0) };
        let (low, high) = (low.log10(), high.log10());
        let (low, high) = if high - low < 1.0 { (low - 0.5, high + 0.5) } else { (low, high) };
        let margin = 0.04 * (high - low);
        Self { low: exp10(low - margin), high: exp10(high + margin), logarithmic: true }
    }

    /// Part of the way from `low` to `high`.
    #[must_use]
    pub fn part(&self, value: f64) -> f64 {
        if value.is_nan() {
            value
        } else if self.logarithmic {
            (value.max(f64::MIN_POSITIVE) / self.low).log10() / (self.high / self.low).log10()
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }

    /// About `count` labelled ticks (logarithmic: also minor ones), and the power of ten that the
    /// labels leave out.
    #[must_use]
    pub fn ticks(&self, count: usize) -> (Vec<Tick>, i32) {
        if self.logarithmic { (self.logarithmic_ticks(count), 0) } else { self.linear_ticks(count) }
    }

    fn linear_ticks(&self, count: usize) -> (Vec<Tick>, i32) {
        let rough = (self.high - self.low) / count.max(1) as f64;
        let decade = exp10(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * decade)
            .into_iter()
            .min_by(|a, b| (a / rough).ln().abs().total_cmp(&(b / rough).ln().abs()))
            .unwrap_or(decade);
        let largest = self.low.abs().max(self.high.abs());
        let magnitude = largest.log10().floor() as i32;
        let power = if (-3..=4).contains(&magnitude) { 0 } else { magnitude };
        let unit = exp10(f64::from(power));
        let digits = ((-(step / unit).log10()).ceil().max(0.0) + 0.0) as usize;
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        let ticks = (first..=last)
            .map(|k| {
                let value = k as f64 * step;
                Tick { value, label: signed(&format!("{:.digits$}", value / unit)) }
            })
            .collect();
        (ticks, power)
    }

    fn logarithmic_ticks(&self, count: usize) -> Vec<Tick> {
        let (low, high) = (self.low.log10(), self.high.log10());
        let first = (low - 1e-9).ceil() as i32;
        let last = (high + 1e-9).floor() as i32;
        let stride = ((high - low) / count.max(1) as f64).ceil().max(1.0) as i32;
        let mut ticks = Vec::new();
        for decade in first - 1..=last {
            for digit in 1..10 {
                let value = f64::from(digit) * exp10(f64::from(decade));
                let part = self.part(value);
                if !(-1e-9..=1.0 + 1e-9).contains(&part) {
                    continue;
                }
                // Less than two decades: the digits 2 and 5 help.
                let narrow = last - first < 1 && matches!(digit, 2 | 5);
                let label = match digit {
                    1 if decade.rem_euclid(stride) == 0 => power_of_ten(decade),
                    _ if narrow => format!("{digit}×{}", power_of_ten(decade)),
                    _ => String::new(),
                };
                // Far apart decades have no room for minor ticks.
                if stride == 1 || digit == 1 {
                    ticks.push(Tick { value, label });
                }
            }
        }
        ticks
    }
}

/// `10^{k}` with a proper minus sign.
#[must_use]
pub fn power_of_ten(exponent: i32) -> String {
    format!("10^{{{}}}", signed(&exponent.to_string()))
}

/// A proper minus sign, and none before zero.
fn signed(number: &str) -> String {
    match number.strip_prefix('-') {
        Some(digits) if digits.chars().all(|c| c == '0' || c == '.') => digits.to_owned(),
        Some(digits) => format!("−{digits}"),
        None => number.to_owned(),
    }
}

/// A number as a person would write it, in three digits.
#[must_use]
pub fn readable(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let exponent = value.abs().log10().floor() as i32;
    if (-3..=4).contains(&exponent) {
        let digits = (2 - exponent).max(0) as usize;
        let text = format!("{value:.digits$}");
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            &text
        };
        return signed(text);
    }
    let mantissa = format!("{:.1}", value / exp10(f64::from(exponent)));
    let mantissa = mantissa.trim_end_matches(".0");
    match mantissa {
        "1" => power_of_ten(exponent),
        _ => format!("{}×{}", signed(mantissa), power_of_ten(exponent)),
    }
}

fn exp10(exponent: f64) -> f64 {
    10f64.powf(exponent)
}

fn widened(value: f64) -> (f64, f64) {
    let value = if value.is_finite() { value } else { 0.0 };
    let by = if value == 0.0 { 1.0 } else { 0.1 * value.abs() };
    (value - by, value + by)
}

/// Smallest and largest of the finite values; 0 and 1 when there is none.
#[must_use]
pub fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low <= high { (low, high) } else { (0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale) -> Vec<String> {
        let (ticks, _) = scale.ticks(5);
        ticks.into_iter().map(|t| t.label).filter(|l| !l.is_empty()).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(labels(Scale::linear(0.0, 4.0)), ["0", "1", "2", "3", "4"]);
        assert_eq!(labels(Scale::linear(-1.0, 1.0)), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
        let (ticks, power) = Scale::linear(0.0, 3e-6).ticks(3);
        assert_eq!(power, -6);
        assert_eq!(ticks.last().map(|t| t.label.as_str()), Some("3"));
        let decades = Scale::logarithmic([1e-7, 1e-3].into_iter());
        assert_eq!(labels(decades), ["10^{−7}", "10^{−6}", "10^{−5}", "10^{−4}", "10^{−3}"]);
        for scale in [decades, Scale::logarithmic([2e-5, 3e-5].into_iter())] {
            let (ticks, _) = scale.ticks(5);
            assert!(ticks.iter().all(|t| (-1e-9..1.0 + 1e-9).contains(&scale.part(t.value))));
            assert!(labels(scale).len() >= 2, "{:?}", labels(scale));
        }
    }

    #[test]
    fn odd_values_still_give_a_scale() {
        for scale in [
            Scale::around([f64::NAN].into_iter()),
            Scale::around([2.0, 2.0].into_iter()),
            Scale::logarithmic([0.0, -1.0, f64::INFINITY].into_iter()),
            Scale::linear(1.0, 1.0),
        ] {
            assert!(scale.low < scale.high, "{scale:?}");
            assert!(!labels(scale).is_empty(), "{scale:?}");
        }
    }

    #[test]
    fn numbers_read_well() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.5, "0.5"),
            (-2.667, "−2.67"),
            (1e-6, "10^{−6}"),
            (3.3e-7, "3.3×10^{−7}"),
            (1234.0, "1234"),
        ] {
            assert_eq!(readable(value), text);
        }
    }
}
