//! The colours.

use egui::Color32;

/// What each colour is for. Two hues carry meaning: `accent` is the network and what it computes,
/// `second` is the truth that it is compared with. Both can be told apart by colour-blind readers
/// (Okabe and Ito, "Color universal design", 2008).
#[derive(Debug)]
pub struct Palette {
    /// Behind the picture.
    pub ground: Color32,
    /// Behind the panels.
    pub panel: Color32,
    /// Behind blocks in panels.
    pub card: Color32,
    /// Inside text fields.
    pub well: Color32,
    /// Buttons, rails of sliders.
    pub control: Color32,
    pub hovered: Color32,
    /// Hairlines.
    pub line: Color32,
    /// Text.
    pub ink: Color32,
    /// Text that explains.
    pub soft: Color32,
    /// Axes, what is switched off.
    pub faint: Color32,
    pub accent: Color32,
    /// Text on `accent`.
    pub on_accent: Color32,
    pub second: Color32,
    pub good: Color32,
    pub bad: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

static DARK: Palette = Palette {
    ground: rgb(0x0D_1014),
    panel: rgb(0x12_161C),
    card: rgb(0x19_1E26),
    well: rgb(0x0D_1014),
    control: rgb(0x26_2D37),
    hovered: rgb(0x31_3A46),
    line: rgb(0x28_2F39),
    ink: rgb(0xE9_EDF1),
    soft: rgb(0xA3_AEBA),
    faint: rgb(0x6C_7885),
    accent: rgb(0x58_B8EC),
    on_accent: rgb(0x08_1118),
    second: rgb(0xF0_A04B),
    good: rgb(0x4C_C38A),
    bad: rgb(0xF0_7560),
};

static LIGHT: Palette = Palette {
    ground: rgb(0xFF_FFFF),
    panel: rgb(0xF5_F6F8),
    card: rgb(0xFF_FFFF),
    well: rgb(0xFA_FBFC),
    control: rgb(0xE9_ECF0),
    hovered: rgb(0xDD_E2E8),
    line: rgb(0xDF_E3E8),
    ink: rgb(0x1A_2028),
    soft: rgb(0x55_606C),
    faint: rgb(0x86_919D),
    accent: rgb(0x00_72B2),
    on_accent: rgb(0xFF_FFFF),
    second: rgb(0xC2_5A00),
    good: rgb(0x0B_7F57),
    bad: rgb(0xBF_3B25),
};

impl Palette {
    #[must_use]
    pub fn of(dark: bool) -> &'static Self {
        if dark { &DARK } else { &LIGHT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as in WCAG 2.1.
    fn luminance(colour: Color32) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn texts_have_the_contrast_that_wcag_asks_for() {
        for palette in [&DARK, &LIGHT] {
            for ground in [palette.ground, palette.panel, palette.card, palette.well] {
                for text in [palette.ink, palette.soft, palette.accent, palette.second, palette.bad]
                {
                    let contrast = contrast(text, ground);
                    assert!(contrast >= 4.0, "{text:?} on {ground:?}: {contrast:.2}");
                }
            }
            assert!(contrast(palette.on_accent, palette.accent) >= 4.5);
        }
    }
}
