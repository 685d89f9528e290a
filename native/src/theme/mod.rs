//! How everything looks: one palette in two moods, two weights of one typeface, one grid of 4.

mod fonts;
mod palette;

use egui::{
    Context, CornerRadius, FontFamily, FontId, Margin, Stroke, Style, TextStyle, Theme, Ui,
    Visuals, vec2,
};

pub use palette::Palette;

/// Corners of cards and controls.
pub const RADIUS: u8 = 8;
/// Between blocks.
pub const GAP: f32 = 12.0;

/// Names of text styles beyond egui's own.
pub fn title_style() -> TextStyle {
    TextStyle::Name("title".into())
}

/// Small headings over cards.
pub fn label_style() -> TextStyle {
    TextStyle::Name("label".into())
}

/// Figures that are to be read from afar.
pub fn figure_style() -> TextStyle {
    TextStyle::Name("figure".into())
}

/// The heavier weight.
#[must_use]
pub fn strong_family() -> FontFamily {
    FontFamily::Name("strong".into())
}

/// Sets fonts and both styles; once, before the first frame.
pub fn install(ctx: &Context) {
    ctx.set_fonts(fonts::definitions());
    for theme in [Theme::Dark, Theme::Light] {
        ctx.set_style_of(theme, style(theme));
    }
}

/// The colours of the mood that `ui` is in.
#[must_use]
pub fn palette(ui: &Ui) -> &'static Palette {
    Palette::of(ui.visuals().dark_mode)
}

fn style(theme: Theme) -> Style {
    let palette = Palette::of(theme == Theme::Dark);
    let mut style = theme.default_style();
    let regular = |size| FontId::new(size, FontFamily::Proportional);
    let strong = |size| FontId::new(size, strong_family());
    style.text_styles = [
        (TextStyle::Body, regular(13.5)),
        (TextStyle::Button, regular(13.5)),
        (TextStyle::Small, regular(12.0)),
        (TextStyle::Heading, strong(15.0)),
        (TextStyle::Monospace, FontId::new(13.0, FontFamily::Monospace)),
        (title_style(), strong(20.0)),
        (label_style(), strong(11.5)),
        (figure_style(), strong(22.0)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(8.0, 6.0);
    spacing.button_padding = vec2(10.0, 5.0);
    spacing.interact_size = vec2(32.0, 26.0);
    spacing.slider_rail_height = 4.0;
    spacing.icon_width = 16.0;
    spacing.menu_margin = Margin::same(6);
    spacing.scroll.bar_width = 6.0;
    spacing.scroll.floating_allocated_width = 0.0;
    style.interaction.selectable_labels = false;
    style.visuals = visuals(theme, palette);
    style
}

fn visuals(theme: Theme, palette: &Palette) -> Visuals {
    let mut visuals = theme.default_visuals();
    let radius = CornerRadius::same(6);
    visuals.panel_fill = palette.panel;
    visuals.window_fill = palette.card;
    visuals.window_stroke = Stroke::new(1.0, palette.line);
    visuals.window_corner_radius = CornerRadius::same(RADIUS);
    visuals.menu_corner_radius = CornerRadius::same(RADIUS);
    visuals.extreme_bg_color = palette.well;
    visuals.text_edit_bg_color = Some(palette.well);
    visuals.faint_bg_color = palette.card;
    visuals.hyperlink_color = palette.accent;
    visuals.error_fg_color = palette.bad;
    visuals.warn_fg_color = palette.second;
    visuals.weak_text_color = Some(palette.soft);
    visuals.selection.bg_fill = palette.accent.gamma_multiply(0.35);
    visuals.selection.stroke = Stroke::new(1.0, palette.accent);
    visuals.slider_trailing_fill = true;
    let widgets = &mut visuals.widgets;
    for (state, fill, text, line) in [
        (&mut widgets.noninteractive, palette.card, palette.ink, palette.line),
        (&mut widgets.inactive, palette.control, palette.ink, palette.line),
        (&mut widgets.hovered, palette.hovered, palette.ink, palette.faint),
        (&mut widgets.active, palette.hovered, palette.ink, palette.accent),
        (&mut widgets.open, palette.hovered, palette.ink, palette.line),
    ] {
        state.bg_fill = fill;
        state.weak_bg_fill = fill;
        state.bg_stroke = Stroke::new(1.0, line);
        state.fg_stroke = Stroke::new(1.0, text);
        state.corner_radius = radius;
        state.expansion = 0.0;
    }
    visuals
}
