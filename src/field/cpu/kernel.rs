//! The precisions that the kernels are compiled for, each in this crate and only here.

use std::cell::Cell;

use super::implicit;
use super::operator;
use super::sweep;
use super::tile::Lanes;
use crate::scalar::Real;

/// `f32` or `f64`. Every method runs with the widest registers of this machine.
pub trait Kernel: Real {
    /// A part of a sweep over an evaluator's points.
    fn run_part(run: sweep::Run<'_, Self>);
    /// A part of a product with columns that are not stored.
    fn run_product(run: implicit::Run<'_, Self>);
    /// A run of an operator's points.
    fn run_operator(run: operator::Run<'_, '_, '_, '_, Self>);
    /// This thread's memory for the buffers of a tile, with what is left over in it: fresh pages
    /// for every run of points cost as much as a fifth of the passes.
    fn take_memory(lanes: usize) -> Lanes<Self>;
    /// Hands it back for the next run.
    fn keep_memory(memory: Lanes<Self>);
}

macro_rules! kernel {
    ($type:ident, $memory:ident) => {
        thread_local! {
            static $memory: Cell<Lanes<$type>> = const { Cell::new(Lanes::none()) };
        }

        impl Kernel for $type {
            fn take_memory(lanes: usize) -> Lanes<Self> {
                let mut memory = $memory.take();
                memory.resize(lanes);
                memory
            }

            fn keep_memory(memory: Lanes<Self>) {
                $memory.set(memory);
            }

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

kernel!(f32, SINGLE);
kernel!(f64, DOUBLE);
