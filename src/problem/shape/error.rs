//! What can be wrong with the shape of a domain.

use thiserror::Error;

use super::TreeIssue;

/// A mistake in a shape; [`ShapeIssue::remedy`] says what to do.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ShapeIssue {
    #[error("{0}")]
    Tree(TreeIssue, Vec<String>),
    #[error("evolutions are solved on whole boxes only")]
    Evolution,
    #[error("{name} says {count} shapes at once")]
    Kinds { name: String, count: usize },
    #[error("{name} is a {kind}, which there is in {wanted} only, and space has {found}")]
    Dimensions { name: String, kind: &'static str, wanted: &'static str, found: usize },
    #[error("{found} numbers where space has {expected} coordinates")]
    Numbers { found: usize, expected: usize },
    #[error("the outline has {corners} corners")]
    FewCorners { corners: usize },
    #[error(
        "the outline crosses or touches itself, at the sides after corners {first} and {second}"
    )]
    Crossed { first: usize, second: usize },
    #[error("the outline has no area")]
    Flat,
    #[error("the normal is zero")]
    NoNormal,
    #[error("the domain is empty, or fills less than a thousandth of its box")]
    Empty,
    #[error("the formula has no finite value at {place}")]
    NotFinite { place: String },
    #[error("{name} does not occur in the shape of the domain")]
    Unused { name: String },
    #[error("no part of {what} bounds the domain")]
    NotOnBoundary { what: String },
    #[error("no block has a condition on {what}, which bounds the domain")]
    NoCondition { what: String },
    #[error("{what} has no points of the layout {layout}")]
    Layout { what: String, layout: &'static str },
}

impl ShapeIssue {
    /// What the writer of the file can do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Tree(TreeIssue::Unknown(_), names) if names.is_empty() => {
                "state it under [shapes]; the whole box is called box".into()
            }
            Self::Tree(TreeIssue::Unknown(name), names) => {
                let near = crate::nearest::nearest(name, names.iter().map(String::as_str));
                let known = format!("the shapes are box, {}", names.join(", "));
                near.map_or(known, |near| format!("did you mean {near}?"))
            }
            Self::Tree(..) => {
                "write names, joined (+), subtracted (-) or cut (&), as in \"box - hole\"".into()
            }
            Self::Evolution => {
                "remove it, or state the problem by [residual.NAME] blocks, with t under [domain]"
                    .into()
            }
            Self::Kinds { .. } => {
                "write one of disc, ball, ellipse, box, polygon, half-plane, formula".into()
            }
            Self::Dimensions { .. } => "write a ball, a box or a formula".into(),
            Self::Numbers { .. } => "write one for each coordinate of space, in their order".into(),
            Self::FewCorners { .. } => {
                "write three corners or more, as in [[0, 0], [1, 0], [0, 1]]".into()
            }
            Self::Crossed { .. } => {
                "list the corners in the order in which one walks around, each once".into()
            }
            Self::Flat => "the corners must not lie on one line".into(),
            Self::NoNormal => "write the direction that leads out, as in normal = [1, 0]".into(),
            Self::Empty => "look at the shapes' places, or choose ranges that fit them".into(),
            Self::NotFinite { .. } => "write a formula that is finite in the whole box".into(),
            Self::Unused { .. } => "use it, as in shape = \"box - hole\", or remove it".into(),
            Self::NotOnBoundary { .. } => {
                "move it: its surface must lie between the domain and what is no domain".into()
            }
            Self::NoCondition { what } => {
                format!("write a block with on = \"{what}\", or \"boundary\" for all of it")
            }
            Self::Layout { .. } => "choose layout = \"sobol\", or random".into(),
        }
    }
}
