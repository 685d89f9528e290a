//! From the unknown's derivatives at a point to the rows of the residual, and their derivatives by
//! the channels, which seed the sweep back.

use super::prepare::{Prepared, prepare};
use crate::jet::JetSet;
use crate::problem::expression::{Entry, Expression};
use crate::program::{Block, Program, Registers, Rows};
use crate::scalar::Real;

/// Curvatures of an energy density below this part of the largest one at the same point are raised
/// to it: the pulled-back Hessian stays definite where the density is flat in some channel, and
/// its gradient stays exactly what it is.
const FLOOR: f64 = 1e-3;

/// What happens to the channels at each point.
#[derive(Clone, Debug)]
pub struct Head {
    jets: JetSet,
    /// Positions of the derivatives that occur: the unknown times the channels of the jet set, and
    /// the position there.
    channels: Vec<usize>,
    /// For equations the residuals, for an energy the density.
    values: Program,
    /// The same, then their derivatives: for equations by each channel, expression by expression;
    /// for an energy the gradient and the upper triangle of the Hessian.
    slopes: Program,
    rows: usize,
    energy: bool,
    /// Expressions of the coordinates that are rows of their own behind the coordinates.
    known: Vec<Expression>,
}

impl Head {
    /// Residuals F_q = 0, one row each. `given` rows of numbers stand behind the `dimensions`
    /// coordinates.
    #[must_use]
    pub fn equations(list: &[Expression], dimensions: usize, given: usize) -> Self {
        Self::new(list, dimensions, given, false)
    }

    /// An energy density, one row per derivative that occurs.
    #[must_use]
    pub fn energy(density: &Expression, dimensions: usize) -> Self {
        Self::new(std::slice::from_ref(density), dimensions, 0, true)
    }

    /// The right-hand side F of an evolution, one row per unknown, on the channels of `jets`; F may
    /// name the time and the problem's parameters.
    ///
    /// # Panics
    /// When F has a channel that `jets` does not have.
    #[must_use]
    pub fn right_hand_side(list: &[Expression], jets: JetSet) -> Self {
        Self::of(Prepared { expressions: list.to_vec(), known: Vec::new() }, jets, false)
    }

    fn new(list: &[Expression], dimensions: usize, given: usize, energy: bool) -> Self {
        let prepared = prepare(list, dimensions, given);
        let wanted = prepared.expressions.iter().flat_map(Expression::channels);
        let jets = JetSet::closure(dimensions, wanted);
        Self::of(prepared, jets, energy)
    }

    fn of(prepared: Prepared, jets: JetSet, energy: bool) -> Self {
        let mut wanted: Vec<Entry> =
            prepared.expressions.iter().flat_map(Expression::entries).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let position = |entry: &Entry| {
            entry.unknown * jets.len() + jets.position(entry.channel).expect("a carried channel")
        };
        let derivatives = |e: &Expression| -> Vec<Expression> {
            wanted.iter().map(|entry| e.derivative_by(*entry).simplify()).collect()
        };
        let mut slopes = prepared.expressions.clone();
        for expression in &prepared.expressions {
            let gradient = derivatives(expression);
            slopes.extend(gradient.iter().cloned());
            if energy {
                let row = |(k, e): (usize, &Expression)| derivatives(e).split_off(k);
                slopes.extend(gradient.iter().enumerate().flat_map(row));
            }
        }
        let rows = if energy { wanted.len() } else { prepared.expressions.len() };
        Self {
            channels: wanted.iter().map(position).collect(),
            values: Program::compile(&prepared.expressions, jets.channels()),
            slopes: Program::compile(&slopes, jets.channels()),
            jets,
            rows,
            energy,
            known: prepared.known,
        }
    }

    #[must_use]
    pub fn jets(&self) -> &JetSet {
        &self.jets
    }

    /// Rows of the residual per point.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    #[must_use]
    pub fn is_energy(&self) -> bool {
        self.energy
    }

    /// The derivatives that occur: the unknown times the channels of the jet set, and the position
    /// there.
    #[must_use]
    pub fn channels(&self) -> &[usize] {
        &self.channels
    }

    /// One output per expression.
    #[must_use]
    pub fn values(&self) -> &Program {
        &self.values
    }

    /// The same, then their derivatives by those that occur, expression by expression.
    #[must_use]
    pub fn slopes(&self) -> &Program {
        &self.slopes
    }

    /// What stands in the rows behind the coordinates and the given ones.
    #[must_use]
    pub fn known(&self) -> &[Expression] {
        &self.known
    }
}

/// Of a derivative that occurs: where its seed is, and derivative over Taylor coefficient.
struct Place {
    seed: usize,
    factor: f64,
}

impl Head {
    /// For each of the derivatives that occur, in jets of `size` entries: channel by channel, and in
    /// each unknown by unknown.
    #[inline(always)]
    fn places(&self, size: usize) -> impl Iterator<Item = Place> {
        let channels = self.jets.len();
        let unknowns = size / channels;
        self.channels.iter().map(move |&entry| {
            let (unknown, c) = (entry / channels, entry % channels);
            Place { seed: c * unknowns + unknown, factor: self.jets.factor(c) }
        })
    }
}

/// Room for the results of one block of points.
pub struct HeadScratch<T, const L: usize> {
    registers: Registers<T>,
    /// Derivatives of the unknowns, channel by channel for one unknown after the other.
    jets: Vec<T>,
    out: Vec<T>,
    /// Per row of the residual.
    pub values: Vec<[T; L]>,
}

impl<T: Real, const L: usize> HeadScratch<T, L> {
    /// For a network with so many outputs.
    pub fn new(head: &Head, outputs: usize) -> Self {
        Self {
            registers: Registers::new(),
            jets: vec![T::ZERO; outputs * head.jets.len() * L],
            out: vec![T::ZERO; head.slopes.outputs().len() * L],
            values: vec![[T::ZERO; L]; head.rows],
        }
    }

    #[inline(always)]
    fn load(&mut self, head: &Head, network: &[[T; L]]) {
        let channels = head.jets.len();
        let outputs = network.len() / channels;
        for (c, of_channel) in network.chunks_exact(outputs).enumerate() {
            let factor = T::of(head.jets.factor(c));
            for (unknown, lanes) in of_channel.iter().enumerate() {
                let at = (unknown * channels + c) * L;
                for l in 0..L {
                    self.jets[at + l] = factor * lanes[l];
                }
            }
        }
    }

    #[inline(always)]
    fn run(&mut self, program: &Program, coordinates: Rows<'_, T>) {
        let channels = Rows { data: &self.jets, stride: L };
        let block = Block { count: L, coordinates, channels, time: T::ZERO, parameters: &[] };
        program.run(&block, &mut self.registers, &mut self.out, L);
    }

    #[inline(always)]
    fn output(&self, k: usize) -> [T; L] {
        let mut lanes = [T::ZERO; L];
        lanes.copy_from_slice(&self.out[k * L..(k + 1) * L]);
        lanes
    }

    /// The residuals alone times a factor per point, or the energy density times its square in
    /// the first entry. `network` is the network's jet, Taylor coefficients: channel by channel, and
    /// in each output by output.
    #[inline(always)]
    pub fn evaluate(
        &mut self,
        head: &Head,
        network: &[[T; L]],
        coordinates: Rows<'_, T>,
        scale: &[T; L],
    ) {
        self.load(head, network);
        self.run(&head.values, coordinates);
        for k in 0..head.values.outputs().len() {
            let value = self.output(k);
            for l in 0..L {
                let factor = if head.energy { scale[l] * scale[l] } else { scale[l] };
                self.values[k][l] = factor * value[l];
            }
        }
    }

    /// The rows of the residual times a factor per point, and per row the derivatives by the network's Taylor
    /// coefficients, in the same order, in `seeds`. For an energy `scale^2 e` they are such that
    /// `2 J^T r` is its gradient and `2 J^T J` its Hessian.
    #[inline(always)]
    pub fn differentiate(
        &mut self,
        head: &Head,
        network: &[[T; L]],
        coordinates: Rows<'_, T>,
        scale: &[T; L],
        seeds: &mut dyn Iterator<Item = &mut [[T; L]]>,
    ) {
        self.load(head, network);
        self.run(&head.slopes, coordinates);
        if head.energy {
            let mut seeds: Vec<&mut [[T; L]]> = seeds.collect();
            self.factor(head, network.len(), scale, &mut seeds);
            return;
        }
        for (q, seed) in seeds.enumerate() {
            let value = self.output(q);
            for l in 0..L {
                self.values[q][l] = scale[l] * value[l];
            }
            seed.fill([T::ZERO; L]);
            for (k, place) in head.places(network.len()).enumerate() {
                let slope = self.output(head.rows + q * head.channels.len() + k);
                let factor = T::of(place.factor);
                for l in 0..L {
                    seed[place.seed][l] = factor * scale[l] * slope[l];
                }
            }
        }
    }

    /// Lane by lane `H = M M^T` for half the Hessian of the density, by a square-root-free
    /// Cholesky factorisation whose pivots are kept positive, and `M r = g` for half its gradient.
    /// Column q of M seeds row q.
    fn factor(&mut self, head: &Head, size: usize, scale: &[T; L], seeds: &mut [&mut [[T; L]]]) {
        let m = head.rows;
        let half = |value: T| 0.5 * value.to_f64();
        seeds.iter_mut().for_each(|seed| seed.fill([T::ZERO; L]));
        for l in 0..L {
            let scale = scale[l].to_f64();
            let at = |k: usize| half(self.out[k * L + l]);
            let mut lower = vec![vec![0.0; m]; m];
            let mut next = 1 + m;
            for i in 0..m {
                for j in i..m {
                    lower[j][i] = at(next);
                    next += 1;
                }
            }
            let mut r: Vec<f64> = (0..m).map(|k| at(1 + k)).collect();
            let largest = (0..m).map(|k| lower[k][k]).fold(0.0, f64::max);
            let floor = if largest > 0.0 { FLOOR * largest } else { 1.0 };
            for k in 0..m {
                let pivot = lower[k][k].max(floor).sqrt();
                lower[k][k] = pivot;
                r[k] /= pivot;
                for i in k + 1..m {
                    lower[i][k] /= pivot;
                    r[i] -= lower[i][k] * r[k];
                }
                for i in k + 1..m {
                    for j in k + 1..=i {
                        lower[i][j] -= lower[i][k] * lower[j][k];
                    }
                }
            }
            for q in 0..m {
                self.values[q][l] = T::of(scale * r[q]);
                for (k, place) in head.places(size).enumerate() {
                    let entry = if k >= q { lower[k][q] } else { 0.0 };
                    seeds[q][place.seed][l] = T::of(scale * place.factor * entry);
                }
            }
        }
    }
}
