//! The typeface: Inter in two weights, with digits of equal width, so that changing numbers do not
//! shake; behind it Ubuntu, for letters that people type and the subset of Inter lacks.
//!
//! egui's own set of fonts stays out: its pictograms would be a sixth of what a visitor downloads.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily};

use super::strong_family;

pub(super) fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let files: [(&str, &'static [u8]); 3] = [
        ("text-regular", include_bytes!("../../assets/fonts/text-regular.otf")),
        ("text-semibold", include_bytes!("../../assets/fonts/text-semibold.otf")),
        // In the program already, for its plots.
        ("letters", sketchpde::output::plots::raster::LETTERS),
    ];
    for (name, bytes) in files {
        fonts.font_data.insert(name.into(), Arc::new(FontData::from_static(bytes)));
    }
    for (family, first) in [
        (FontFamily::Proportional, "text-regular"),
        (FontFamily::Monospace, "text-regular"),
        (strong_family(), "text-semibold"),
    ] {
        fonts.families.insert(family, vec![first.into(), "letters".into()]);
    }
    fonts
}

#[cfg(test)]
mod tests {
    use egui::{Context, FontId, RawInput};

    use super::*;
    use crate::theme;

    #[test]
    fn every_sign_that_the_app_shows_is_there() {
        let ctx = Context::default();
        theme::install(&ctx);
        let mut missing = String::new();
        let _ = ctx.run_ui(RawInput::default(), |ui| {
            for family in [FontFamily::Proportional, strong_family()] {
                let font = FontId::new(14.0, family);
                // Of the app's own texts, and what a person may type.
                let signs = "−·–×…σ→Δ⁻⁰¹²³⁴⁵⁶⁷⁸⁹éü αβγδεκλμνπρτφψω^*/=[]{}|_~";
                ui.fonts_mut(|fonts| {
                    missing.extend(signs.chars().filter(|sign| !fonts.has_glyph(&font, *sign)));
                    // The question can be answered with no.
                    assert!(!fonts.has_glyph(&font, '水'));
                });
            }
        });
        assert_eq!(missing, "");
    }
}
