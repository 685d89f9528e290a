//! The network as layers, with the parameters that the latest step changed.

use egui::{Color32, Painter, Pos2, Rect, Sense, Stroke, Ui, pos2, vec2};
use sketchpde::network::Site;

use crate::app::state::State;
use crate::mirror::Mirror;
use crate::theme::{self, Palette};
use crate::widgets::card;

/// Edges and nodes; those that the latest step changed are lit.
pub fn network(ui: &mut Ui, state: &State) {
    let mirror = &state.mirror;
    let (lit, all) = (mirror.columns.len(), mirror.network.parameters());
    let remark = match lit {
        0 => format!("{all} parameters"),
        _ => format!("{lit} of {all} changed in this step"),
    };
    card(ui, "Network", &remark, |ui| {
        let size = vec2(ui.available_width(), 150.0);
        let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
        let plan = Plan::new(mirror, rect.shrink2(vec2(6.0, 8.0)));
        draw(ui.painter(), &plan, mirror, theme::palette(ui));
    });
}

/// Where units stand.
struct Plan {
    rect: Rect,
    inputs: usize,
    width: usize,
    /// Inputs, embedding, hidden layers, output.
    layers: usize,
}

impl Plan {
    fn new(mirror: &Mirror, rect: Rect) -> Self {
        let network = &mirror.network;
        Self {
            rect,
            inputs: network.inputs().len(),
            width: network.width(),
            layers: network.hidden_layers() + 3,
        }
    }

    fn count(&self, layer: usize) -> usize {
        match layer {
            0 => self.inputs,
            layer if layer + 1 == self.layers => 1,
            _ => self.width,
        }
    }

    /// Layer 0 are the inputs, 1 is the embedding.
    fn unit(&self, layer: usize, unit: usize) -> Pos2 {
        let x = layer as f32 / (self.layers - 1) as f32;
        let y = (unit as f32 + 0.5) / self.count(layer) as f32;
        pos2(self.rect.left() + x * self.rect.width(), self.rect.top() + y * self.rect.height())
    }

    fn radius(&self) -> f32 {
        (self.rect.height() / self.width as f32 * 0.3).clamp(1.2, 3.6)
    }
}

/// What a parameter looks like.
enum Mark {
    Edge(Pos2, Pos2),
    Node(Pos2),
}

fn mark(plan: &Plan, site: Site) -> Option<Mark> {
    Some(match site {
        Site::Amplitude { unit, input }
        | Site::Phase { unit, input }
        | Site::Slope { unit, input } => Mark::Edge(plan.unit(0, input), plan.unit(1, unit)),
        Site::Shift { unit, .. } | Site::Offset { unit } => Mark::Node(plan.unit(1, unit)),
        Site::Weight { layer, row, column } => {
            Mark::Edge(plan.unit(layer, column), plan.unit(layer + 1, row))
        }
        Site::Bias { layer, row } => Mark::Node(plan.unit(layer + 1, row)),
        // An activation belongs to a layer as a whole; the others to networks of whole domains.
        Site::Activation { .. } | Site::Feature { .. } | Site::Encoder { .. } => return None,
    })
}

fn draw(painter: &Painter, plan: &Plan, mirror: &Mirror, palette: &Palette) {
    let quiet = Stroke::new(0.5, palette.line);
    for site in &mirror.sites {
        if let Some(Mark::Edge(from, to)) = mark(plan, *site) {
            painter.line_segment([from, to], quiet);
        }
    }
    let lit = mirror.columns.iter().filter_map(|&column| mirror.sites.get(column as usize));
    let bright = Stroke::new(0.9, palette.accent.gamma_multiply(0.55));
    let mut nodes: Vec<Pos2> = Vec::new();
    for site in lit {
        match mark(plan, *site) {
            Some(Mark::Edge(from, to)) => {
                painter.line_segment([from, to], bright);
            }
            Some(Mark::Node(at)) => nodes.push(at),
            None => {}
        }
    }
    let radius = plan.radius();
    for layer in 0..plan.layers {
        for unit in 0..plan.count(layer) {
            node(painter, plan.unit(layer, unit), radius, palette.faint, palette.card);
        }
    }
    for at in nodes {
        node(painter, at, radius + 0.4, palette.accent, palette.accent);
    }
}

fn node(painter: &Painter, at: Pos2, radius: f32, line: Color32, fill: Color32) {
    painter.circle(at, radius, fill, Stroke::new(1.0, line));
}
