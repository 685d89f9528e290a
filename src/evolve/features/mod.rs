//! Steps in the space of random features: the network's hidden layer stays as it was drawn, and the
//! weights of its output obey an ordinary differential equation.
//!
//! A layer of sines whose frequencies are as high as the solution's ([`draw`]) is linear in its output,
//! so that the initial state is fitted by one least-squares problem, the tangent space is the same at
//! every time and no step has to be fitted: what is left is a' = U^T F in orthonormal coordinates
//! ([`space`]), which an implicit method of order 5 solves, stiff or not ([`radau`]). How many of the
//! features take part is seen from what they leave of the initial state, and of the equation's right-hand
//! side along the run ([`Evolution::feature_step`]).

mod basis;
mod choose;
mod draw;
pub mod radau;
mod space;
mod step;
#[cfg(test)]
mod tests;

pub use choose::{Fitted, fitted, is_of, resolved};
pub(crate) use space::first_units;
pub use step::FeatureState;
pub(crate) use step::Features;
