//! The GPU's picture against the colour map and a bilinear interpolation on the CPU.

use eframe::egui_wgpu::wgpu::TextureFormat;
use egui::{Color32, Theme, Vec2b, vec2};
use egui_kittest::Harness;
use egui_plot::PlotTransform;
use sketchpde::output::colours::ColourMap;

use super::draw_onto;
use super::item::{FieldItem, Meaning, Side};
use super::sheet::{Shared, lock};

/// Column, row and colour.
type Pixel = ([u32; 2], [u8; 4]);

const EMPTY: Color32 = Color32::from_rgb(9, 200, 30);
/// Columns and rows: neither is a power of two, nor are they equal.
const SIZE: [usize; 2] = [13, 7];

/// A wave with a hole in it and with values beyond both ends of the range.
fn values() -> Vec<f32> {
    let wave = |k: usize| ((k % SIZE[0]) as f32 * 0.9).sin() + ((k / SIZE[0]) as f32 * 1.3).cos();
    let mut values: Vec<f32> = (0..SIZE[0] * SIZE[1]).map(wave).collect();
    values[3 * SIZE[0] + 5] = f32::NAN;
    values[5 * SIZE[0] + 2] = f32::INFINITY;
    values
}

fn meaning(map: ColourMap, periodic: bool) -> Meaning {
    // A periodic side is longer than its nodes by one.
    let length = if periodic { SIZE[0] as f64 } else { SIZE[0] as f64 - 1.0 };
    Meaning {
        sides: [
            Side { first: -1.0, spacing: 0.25, periodic },
            Side { first: 2.0, spacing: 0.5, periodic: false },
        ],
        bounds: [[-1.0, -1.0 + 0.25 * length], [2.0, 5.0]],
        range: [-1.2, 1.4],
        map,
        empty: EMPTY,
    }
}

/// The colour at a place of the plot.
fn expected(meaning: &Meaning, x: f64, y: f64) -> Color32 {
    let values = values();
    let [across, along] = meaning.sides;
    let at = [(x - across.first) / across.spacing, (y - along.first) / along.spacing];
    let inside = |k: i64, side: usize| match meaning.sides[side].periodic {
        true => k.rem_euclid(SIZE[side] as i64),
        false => k.clamp(0, SIZE[side] as i64 - 1),
    };
    let value = |column: i64, row: i64| {
        f64::from(values[inside(row, 1) as usize * SIZE[0] + inside(column, 0) as usize])
    };
    let nearest = value(at[0].round() as i64, at[1].round() as i64);
    if !nearest.is_finite() {
        return EMPTY;
    }
    let [i, j] = at.map(|v| v.floor() as i64);
    let [s, t] = at.map(|v| v - v.floor());
    let corner = |a: i64, b: i64| {
        let value = value(i + a, j + b);
        if value.is_finite() { value } else { nearest }
    };
    let row = |b: i64| (1.0 - s) * corner(0, b) + s * corner(1, b);
    let between = (1.0 - t) * row(0) + t * row(1);
    let [lower, upper] = meaning.range;
    let colour = meaning.map.at((between - lower) / (upper - lower));
    Color32::from_rgb(colour.0, colour.1, colour.2)
}

/// Draws the sheet in a plot that shows `seen` of it; gives the pixels with their columns and rows,
/// and the plot's mapping.
fn draw(meaning: Meaning, seen: [[f64; 2]; 2], scale: f32) -> (Vec<Pixel>, PlotTransform) {
    let sheet = Shared::default();
    lock(&sheet).clear(SIZE[0], SIZE[1]);
    lock(&sheet).write(0, values());
    let mut harness = Harness::builder()
        .with_size([300.0, 260.0])
        .with_pixels_per_point(scale)
        .with_theme(Theme::Dark)
        .with_context_setup(|ctx| draw_onto(ctx, TextureFormat::Rgba8Unorm))
        .build_ui_state(
            move |ui, transform: &mut Option<PlotTransform>| {
                let shown = egui_plot::Plot::new("plot")
                    .show_axes(false)
                    .show_grid(false)
                    .show_background(false)
                    .auto_bounds(Vec2b::FALSE)
                    .set_margin_fraction(vec2(0.0, 0.0))
                    .invert_y(true)
                    .show(ui, |plot| {
                        plot.set_plot_bounds_x(seen[0][0]..=seen[0][1]);
                        plot.set_plot_bounds_y(seen[1][0]..=seen[1][1]);
                        plot.add(FieldItem::new("field", &sheet, meaning));
                    });
                *transform = Some(shown.transform);
            },
            None,
        );
    harness.run_steps(2);
    let image = harness.render().expect("an adapter that draws");
    let pixels = image.enumerate_pixels().map(|(x, y, pixel)| ([x, y], pixel.0)).collect();
    (pixels, harness.state().expect("a plot"))
}

/// The largest difference of a colour's parts, over the pixels whose middle lies in the picture and
/// not within a hundredth of a cell of where a hole begins, and the pixels looked at.
fn difference(meaning: Meaning, seen: [[f64; 2]; 2], scale: f32, judge: &Meaning) -> (u8, usize) {
    let (pixels, transform) = draw(meaning, seen, scale);
    let (mut largest, mut looked_at) = (0, 0);
    for (place, pixel) in pixels {
        let [x, y] = place.map(|at| (at as f32 + 0.5) / scale);
        let middle = egui::pos2(x, y);
        // A pixel at the frame may be covered in part.
        if !transform.frame().shrink(1.0).contains(middle) {
            continue;
        }
        let at = transform.value_from_position(middle);
        let within = |k: usize, v: f64| {
            let [lower, upper] = meaning.bounds[k];
            (v - lower).min(upper - v) > 0.01 * (upper - lower)
        };
        let even = |side: Side, v: f64| ((v - side.first) / side.spacing).rem_euclid(1.0);
        let border = |side: Side, v: f64| (even(side, v) - 0.5).abs() < 0.01;
        if !within(0, at.x) || !within(1, at.y) {
            continue;
        }
        if border(judge.sides[0], at.x) || border(judge.sides[1], at.y) {
            continue;
        }
        let colour = expected(judge, at.x, at.y);
        let parts = [colour.r(), colour.g(), colour.b()];
        let apart = parts.iter().zip(&pixel).map(|(a, b)| a.abs_diff(*b)).max();
        largest = largest.max(apart.unwrap_or(u8::MAX));
        looked_at += 1;
    }
    (largest, looked_at)
}

#[test]
fn the_gpu_colours_as_the_colour_map_does() {
    let whole = [[-1.0, 2.0], [2.0, 5.0]];
    // Moved and magnified, with a part of it outside of the plot.
    let part = [[0.3, 2.6], [1.5, 3.1]];
    for (map, periodic, seen, scale) in [
        (ColourMap::Viridis, false, whole, 1.0),
        (ColourMap::Magma, true, [[-1.0, 2.25], [2.0, 5.0]], 1.0),
        (ColourMap::Viridis, true, part, 2.0),
    ] {
        let meaning = meaning(map, periodic);
        let (largest, pixels) = difference(meaning, seen, scale, &meaning);
        assert!(largest <= 1 && pixels > 15_000, "{map:?} {seen:?}: {largest}, {pixels}");
    }
}

#[test]
fn the_comparison_can_fail() {
    let right = meaning(ColourMap::Viridis, false);
    let whole = right.bounds;
    let mut half_a_cell = right;
    half_a_cell.sides[0].first += 0.5 * half_a_cell.sides[0].spacing;
    let mut range = right;
    range.range[1] *= 1.02;
    for wrong in [half_a_cell, range, Meaning { map: ColourMap::Magma, ..right }] {
        let (largest, _) = difference(right, whole, 1.0, &wrong);
        assert!(largest > 2, "{wrong:?}: {largest}");
    }
}
