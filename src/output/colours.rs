//! Colours that print well and that colour-blind readers can tell apart.

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    pub const WHITE: Self = Self(255, 255, 255);
    /// Texts and frames.
    pub const INK: Self = Self(34, 34, 34);
    /// Grid lines.
    pub const FAINT: Self = Self(228, 228, 228);
    pub const GREY: Self = Self(120, 120, 120);
    /// Of the palette by Okabe and Ito ("Color universal design", 2008).
    pub const BLUE: Self = Self(0, 114, 178);
    pub const VERMILLION: Self = Self(213, 94, 0);
    pub const GREEN: Self = Self(0, 158, 115);
    /// Curves that are compared, in their order.
    pub const CURVES: [Self; 6] = [
        Self::BLUE,
        Self::VERMILLION,
        Self::GREEN,
        Self(204, 121, 167),
        Self(230, 159, 0),
        Self(86, 180, 233),
    ];

    /// From this colour, `part` of the way to another.
    #[must_use]
    pub fn between(self, other: Self, part: f64) -> Self {
        let mix =
            |a: u8, b: u8| (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u8;
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }
}

/// A perceptually uniform map from \[0, 1\] to colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColourMap {
    /// Values: dark violet through green to yellow.
    Viridis,
    /// Errors: black through magenta to pale yellow.
    Magma,
}

/// Colours at equal distances; between them straight lines stay within two levels of the maps.
const VIRIDIS: [Colour; 11] = [
    Colour(68, 1, 84),
    Colour(72, 36, 117),
    Colour(65, 68, 135),
    Colour(53, 95, 141),
    Colour(42, 120, 142),
    Colour(33, 145, 140),
    Colour(34, 168, 132),
    Colour(68, 191, 112),
    Colour(122, 209, 81),
    Colour(189, 223, 38),
    Colour(253, 231, 37),
];
const MAGMA: [Colour; 11] = [
    Colour(0, 0, 4),
    Colour(20, 14, 54),
    Colour(59, 15, 112),
    Colour(100, 26, 128),
    Colour(140, 41, 129),
    Colour(183, 55, 121),
    Colour(222, 73, 104),
    Colour(247, 112, 92),
    Colour(254, 159, 109),
    Colour(254, 207, 146),
    Colour(252, 253, 191),
];

impl ColourMap {
    /// The colour at `part`, which is clamped to \[0, 1\].
    #[must_use]
    pub fn at(self, part: f64) -> Colour {
        let stops = match self {
            Self::Viridis => &VIRIDIS,
            Self::Magma => &MAGMA,
        };
        let position = part.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
        let index = (position as usize).min(stops.len() - 2);
        stops[index].between(stops[index + 1], position - index as f64)
    }

    /// The 256 colours of the levels of an image; the first is that of the paper, for places
    /// without a value.
    #[must_use]
    pub fn levels(self) -> [Colour; 256] {
        std::array::from_fn(|level| match level {
            0 => Colour::WHITE,
            _ => self.at((level - 1) as f64 / 254.0),
        })
    }

    /// The level of a part of the scale; of what is not a number, that of no value.
    #[must_use]
    pub fn level(part: f64) -> u8 {
        if part.is_nan() { 0 } else { 1 + (254.0 * part.clamp(0.0, 1.0)).round() as u8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CIE lightness from sRGB.
    fn lightness(Colour(r, g, b): Colour) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        let y = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
        if y > 0.008_856 { 116.0 * y.cbrt() - 16.0 } else { 903.3 * y }
    }

    #[test]
    fn lightness_rises_steadily_along_the_maps() {
        for map in [ColourMap::Viridis, ColourMap::Magma] {
            let values: Vec<f64> =
                (0..=20).map(|k| lightness(map.at(f64::from(k) / 20.0))).collect();
            let mean = (values[20] - values[0]) / 20.0;
            for pair in values.windows(2) {
                let rise = pair[1] - pair[0];
                assert!(rise > 0.4 * mean && rise < 1.7 * mean, "{map:?} {values:?}");
            }
        }
    }
}
