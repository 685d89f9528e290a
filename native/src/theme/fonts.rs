//! The typeface: Inter in two weights, with digits of equal width, so that changing numbers do not
//! shake.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily};

use super::strong_family;

/// egui's own fonts stay behind ours, for signs that ours lack.
pub(super) fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let files: [(&str, &'static [u8]); 2] = [
        ("text-regular", include_bytes!("../../assets/fonts/text-regular.otf")),
        ("text-semibold", include_bytes!("../../assets/fonts/text-semibold.otf")),
    ];
    for (name, bytes) in files {
        fonts.font_data.insert(name.into(), Arc::new(FontData::from_static(bytes)));
    }
    let others = fonts.families.entry(FontFamily::Proportional).or_default();
    let strong = [&["text-semibold".to_owned()], others.as_slice()].concat();
    others.insert(0, "text-regular".into());
    fonts.families.insert(strong_family(), strong);
    fonts
}
