//! What is on screen, one file a view. A view draws [`State`](crate::app::state::State) and gives
//! back actions; it changes nothing but the texts that are being typed.

mod banner;
mod contour;
mod field;
mod header;
mod histories;
mod method;
mod network;
mod picture;
mod presets;
mod problem;
mod race;
mod spectrum;
mod status;
mod training;
mod transport;
mod trust;

pub use banner::{banner, notices};
pub use field::draw_onto;
pub use header::{heading, top_bar};
pub use histories::histories;
pub use method::method;
pub use network::network;
pub use picture::{Pictures, picture};
pub use presets::presets;
pub use problem::{equation, parameters};
pub use race::{race, race_menu};
pub use spectrum::spectrum;
pub use status::status;
pub use training::{
    training_heading, training_histories, training_method, training_picture, training_presets,
    training_transport, training_trust,
};
pub use transport::transport;
pub use trust::trust;
