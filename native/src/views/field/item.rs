//! A sheet of values as a part of a plot, which moves and grows with it.

use std::ops::RangeInclusive;
use std::sync::Arc;

use egui::{Color32, Rect, Shape, Ui, pos2};
use egui_plot::{PlotBounds, PlotGeometry, PlotItem, PlotItemBase, PlotPoint, PlotTransform};
use sketchpde::output::colours::ColourMap;

use super::paint::{Look, Painting, target};
use super::sheet::Shared;

/// Equispaced positions along one side of a sheet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Side {
    /// Position of the first column (or row), and from one to the next.
    pub first: f64,
    pub spacing: f64,
    /// Whether the first one follows the last one.
    pub periodic: bool,
}

impl Side {
    /// Every `every`-th of these positions.
    pub fn of(positions: &[f64], every: usize, periodic: bool) -> Self {
        let first = positions.first().copied().unwrap_or_default();
        let second = positions.get(1).copied().unwrap_or(first + 1.0);
        Self { first, spacing: (second - first) * every as f64, periodic }
    }
}

/// What the values of a sheet mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meaning {
    /// Along the plot's x and y.
    pub sides: [Side; 2],
    /// The rectangle of the plot that it fills: lower and upper x, lower and upper y.
    pub bounds: [[f64; 2]; 2],
    /// Values of the lowest and the highest colour.
    pub range: [f64; 2],
    pub map: ColourMap,
    /// Behind values that are not known.
    pub empty: Color32,
}

/// A sheet in a plot.
pub struct FieldItem {
    base: PlotItemBase,
    sheet: Shared,
    meaning: Meaning,
}

impl FieldItem {
    pub fn new(name: &str, sheet: &Shared, meaning: Meaning) -> Self {
        Self { base: PlotItemBase::new(name.to_owned()), sheet: Arc::clone(sheet), meaning }
    }

    /// From points on the screen to columns and rows: those of the screen's corner, and how many
    /// there are per point.
    fn look(&self, transform: &PlotTransform) -> Look {
        let corner = transform.value_from_position(pos2(0.0, 0.0));
        let per_point = transform.dvalue_dpos();
        let [across, along] = self.meaning.sides;
        let [lower, upper] = self.meaning.range;
        Look {
            origin: [
                (corner.x - across.first) / across.spacing,
                (corner.y - along.first) / along.spacing,
            ],
            per_point: [per_point[0] / across.spacing, per_point[1] / along.spacing],
            lowest: lower,
            // A range without length has its values at the ends; f32 holds this much.
            scale: (1.0 / (upper - lower)).clamp(0.0, 1e36),
            map: self.meaning.map,
            periodic: [across.periodic, along.periodic],
        }
    }
}

impl PlotItem for FieldItem {
    fn shapes(&self, ui: &Ui, transform: &PlotTransform, shapes: &mut Vec<Shape>) {
        let [[left, right], [low, high]] = self.meaning.bounds;
        let whole = Rect::from_two_pos(
            transform.position_from_point(&PlotPoint::new(left, low)),
            transform.position_from_point(&PlotPoint::new(right, high)),
        );
        let visible = whole.intersect(*transform.frame());
        let Some(format) = target(ui.ctx()).filter(|_| visible.is_positive()) else { return };
        shapes.push(Shape::rect_filled(visible, 0.0, self.meaning.empty));
        let painting =
            Painting { sheet: Arc::clone(&self.sheet), look: self.look(transform), format };
        shapes.push(painting.shape(visible));
    }

    fn initialize(&mut self, _x_range: RangeInclusive<f64>) {}

    fn color(&self) -> Color32 {
        Color32::TRANSPARENT
    }

    fn geometry(&self) -> PlotGeometry<'_> {
        PlotGeometry::None
    }

    fn bounds(&self) -> PlotBounds {
        let [[left, right], [low, high]] = self.meaning.bounds;
        PlotBounds::from_min_max([left, low], [right, high])
    }

    fn base(&self) -> &PlotItemBase {
        &self.base
    }

    fn base_mut(&mut self) -> &mut PlotItemBase {
        &mut self.base
    }
}
