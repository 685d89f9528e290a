//! Buttons with drawn signs.

use egui::{
    Color32, Painter, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use crate::theme;

/// A sign on a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    Play,
    Pause,
    Step,
    Reset,
    Sun,
    Moon,
    Panels,
}

/// A square button of `size` with a sign; `name` is what it does, for screen readers and hints.
/// `filled` is for the one that matters most.
pub fn glyph_button(ui: &mut Ui, glyph: Glyph, name: &str, size: f32, filled: bool) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(size, size), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    let palette = theme::palette(ui);
    let hovered = response.hovered() || response.has_focus();
    let (fill, ink) = match (filled, hovered) {
        (true, false) => (palette.accent, palette.on_accent),
        (true, true) => (palette.accent.lerp_to_gamma(palette.ink, 0.2), palette.on_accent),
        (false, false) => (Color32::TRANSPARENT, palette.soft),
        (false, true) => (palette.hovered, palette.ink),
    };
    let painter = ui.painter();
    if filled {
        painter.circle_filled(rect.center(), size / 2.0, fill);
    } else {
        painter.rect_filled(rect, size / 4.0, fill);
    }
    draw(painter, glyph, rect.shrink(size * 0.3), ink);
    response.on_hover_text(name)
}

fn draw(painter: &Painter, glyph: Glyph, rect: Rect, ink: Color32) {
    let stroke = Stroke::new(1.6, ink);
    let at = |x: f32, y: f32| rect.lerp_inside(vec2(x, y));
    let fill = |points: Vec<Pos2>| Shape::convex_polygon(points, ink, Stroke::NONE);
    let bar = |x: f32, width: f32| {
        let bar = Rect::from_min_max(at(x, 0.0), at(x + width, 1.0));
        Shape::rect_filled(bar, 1.0, ink)
    };
    match glyph {
        Glyph::Play => {
            painter.add(fill(vec![at(0.14, -0.02), at(1.04, 0.5), at(0.14, 1.02)]));
        }
        Glyph::Pause => painter.extend([bar(0.1, 0.27), bar(0.63, 0.27)]),
        Glyph::Step => {
            painter.add(fill(vec![at(0.0, 0.0), at(0.7, 0.5), at(0.0, 1.0)]));
            painter.add(bar(0.8, 0.2));
        }
        Glyph::Reset => {
            painter.add(fill(vec![at(1.0, 0.0), at(0.3, 0.5), at(1.0, 1.0)]));
            painter.add(bar(0.0, 0.2));
        }
        Glyph::Moon => crescent(painter, rect, ink),
        Glyph::Sun => {
            painter.circle_stroke(rect.center(), rect.width() * 0.26, stroke);
            for ray in 0..8 {
                let (sin, cos) = (ray as f32 * std::f32::consts::FRAC_PI_4).sin_cos();
                let from = rect.center() + rect.width() * 0.42 * vec2(cos, sin);
                let to = rect.center() + rect.width() * 0.6 * vec2(cos, sin);
                painter.line_segment([from, to], stroke);
            }
        }
        Glyph::Panels => {
            painter.rect_stroke(rect, 2.0, stroke, egui::StrokeKind::Middle);
            painter.line_segment([at(0.36, 0.0), at(0.36, 1.0)], stroke);
        }
    }
}

/// The outline of the moon: two arcs.
fn crescent(painter: &Painter, rect: Rect, ink: Color32) {
    let radius = rect.width() * 0.5;
    let arc = |centre: Pos2, radius: f32, from: f32, to: f32| {
        (0..=16).map(move |k| {
            let (sin, cos) = (from + (to - from) * k as f32 / 16.0).sin_cos();
            centre + radius * vec2(cos, sin)
        })
    };
    let centre = rect.center();
    let outer = arc(centre, radius, 0.6, 5.2);
    let inner_centre = pos2(centre.x + radius * 0.45, centre.y - radius * 0.35);
    let inner = arc(inner_centre, radius * 0.78, 4.35, 1.5);
    let outline = outer.chain(inner).collect();
    painter.add(Shape::closed_line(outline, Stroke::new(1.6, ink)));
}
