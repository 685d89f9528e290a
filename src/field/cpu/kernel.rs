//! The precisions that the kernels are compiled for, each in this crate and only here.

use super::implicit;
use super::operator;
use super::sweep;
use crate::scalar::Real;

/// `f32` or `f64`. Every method runs with the widest registers of this machine.
pub trait Kernel: Real {
    /// A part of a sweep over an evaluator's points.
    fn run_part(run: sweep::Run<'_, Self>);
    /// A part of a product with columns that are not stored.
    fn run_product(run: implicit::Run<'_, Self>);
    /// A run of an operator's points.
    fn run_operator(run: operator::Run<'_, '_, '_, '_, Self>);
}

macro_rules! kernel {
    ($type:ident) => {
        impl Kernel for $type {
            fn run_part(run: sweep::Run<'_, Self>) {
                pulp::Arch::new().dispatch(run);
            }

            fn run_product(run: implicit::Run<'_, Self>) {
                pulp::Arch::new().dispatch(run);
            }

            fn run_operator(run: operator::Run<'_, '_, '_, '_, Self>) {
                pulp::Arch::new().dispatch(run);
            }
        }
    };
}

kernel!(f32);
kernel!(f64);
