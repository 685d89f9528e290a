//! The space that some of a network's features span, in coordinates that are orthonormal at points.
//!
//! With the features' values Phi (n x K, the output's bias included) at n points,
//! Phi = U S V^T cut off at round-off, an unknown is u = lift + U a at the points and
//! lift + Phi V S^-1 a anywhere, and its derivatives are products with the derivatives of
//! Phi V S^-1. What the equation makes of it is projected back: a' = U^T (F - d lift / dt).

use nalgebra::DMatrix;

use crate::field::ansatz::Ansatz;
use crate::field::cpu::Field;
use crate::field::jet::JetSet;
use crate::field::program::{Block, Program, Registers, Rows};
use crate::linalg::{LeastSquaresError, norm, times, transposed_product, transposed_times};
use crate::network::Network;
use crate::problem::Problem;
use crate::problem::expression::{Channel, Entry, Expression};

use super::basis::{Basis, basis, derivatives};
use super::draw;
use super::radau::System;

/// Times whose lift is kept: those of one step's stages, and of its beginning.
const LIFTS: usize = 5;

/// dF_p / d entry.
struct Slope {
    equation: usize,
    entry: Entry,
    channel: usize,
    /// Whether it is the same at all points.
    uniform: bool,
}

/// The space of the first K features of a problem's network.
pub struct Space {
    bases: Vec<Basis>,
    /// The basis of each unknown.
    of: Vec<usize>,
    jets: JetSet,
    points: usize,
    /// One row per coordinate.
    coordinates: Vec<f64>,
    places: Vec<f64>,
    parameters: Vec<f64>,
    right_hand_side: Program,
    slopes: Vec<Slope>,
    slope_program: Program,
    ansatz: Ansatz,
    lifts: Vec<(f64, Vec<f64>)>,
    /// Where the network's outputs lie among its parameters, for each unknown: K of them and the bias.
    outputs: Vec<Vec<usize>>,
}

/// The problem, its network and its parameters with the first K units alone.
pub fn first_units(
    problem: &Problem,
    network: &Network,
    theta: &[f64],
    features: usize,
) -> (Problem, Network, Vec<f64>) {
    let mut problem = problem.clone();
    problem.network.width = features;
    let small = Network::of(&problem);
    let mut first = vec![0.0; small.parameters()];
    for (from, to) in network.layout().segments().iter().zip(small.layout().segments()) {
        let (theta, first) = (&theta[from.range()], &mut first[to.range()]);
        let rows = theta.chunks_exact(from.columns).zip(first.chunks_exact_mut(to.columns));
        rows.for_each(|(theta, first)| first.copy_from_slice(&theta[..to.columns]));
    }
    (problem, small, first)
}

impl Space {
    /// # Errors
    /// Where the singular values do not converge, or features are not finite.
    pub fn new(
        problem: &Problem,
        network: &Network,
        theta: &[f64],
        features: usize,
    ) -> Result<Self, LeastSquaresError> {
        let places = draw::points(problem, features).coordinates;
        let outputs = outputs(network, features);
        let (small, network, theta) = first_units(problem, network, theta, features);
        let dimensions = problem.dimensions();
        let points = places.len() / dimensions;
        let wanted = problem.right_hand_side.iter().flat_map(Expression::channels);
        let jets = JetSet::closure(dimensions, wanted);
        let entries = problem.right_hand_side.iter().flat_map(Expression::entries);
        let entries: Vec<Entry> = entries.collect();
        let shared = problem.distance.as_ref().is_none_or(|d| d.iter().all(|e| *e == d[0]));
        let unknowns = problem.unknowns.len();
        let of: Vec<usize> = (0..unknowns).map(|q| if shared { 0 } else { q }).collect();
        let own = self::outputs(&network, features);
        let bases = (0..if shared { 1 } else { unknowns }).map(|q| {
            let mut wanted = vec![false; jets.len()];
            wanted[0] = true;
            for entry in entries.iter().filter(|entry| of[entry.unknown] == q) {
                wanted[position(&jets, entry.channel)] = true;
            }
            let columns: Vec<u32> = own[q].iter().map(|&k| k as u32).collect();
            let of_channel = |channel: Channel| {
                derivatives((&small, &network, &theta), &places, channel, q, &columns)
            };
            basis(&jets, &wanted, of_channel)
        });
        let bases = bases.collect::<Result<Vec<Basis>, _>>()?;
        let (slopes, expressions) = slopes(problem, &jets);
        Ok(Self {
            bases,
            of,
            points,
            coordinates: (0..dimensions)
                .flat_map(|k| places.iter().skip(k).step_by(dimensions).copied())
                .collect(),
            places,
            parameters: problem.parameter_values(),
            right_hand_side: Program::compile(&problem.right_hand_side, jets.channels()),
            slope_program: Program::compile(&expressions, jets.channels()),
            slopes,
            ansatz: Ansatz::new(problem, &jets),
            lifts: Vec::new(),
            outputs,
            jets,
        })
    }

    pub fn set_parameters(&mut self, values: &[f64]) {
        self.parameters = values.to_vec();
        self.ansatz.set_parameters(values);
        self.lifts.clear();
    }

    /// The points, one after the other.
    pub fn places(&self) -> &[f64] {
        &self.places
    }

    /// r, the sum over unknowns.
    pub fn size(&self) -> usize {
        self.of.iter().map(|&b| self.bases[b].rank()).sum()
    }

    /// Of the first unknown's features, descending.
    pub fn singular_values(&self) -> &[f64] {
        &self.bases[0].singular_values
    }

    /// The output's parameters that the space moves.
    pub fn columns(&self) -> Vec<u32> {
        let mut columns: Vec<u32> = self.outputs.iter().flatten().map(|&k| k as u32).collect();
        columns.sort_unstable();
        columns
    }

    /// |u - P u|, P the projection on what half of the features span: what the finer half is there for.
    pub fn fine(&self, a: &[f64]) -> f64 {
        let of = |(b, range): (usize, std::ops::Range<usize>)| {
            let basis = &self.bases[b];
            let u = times(basis.values().as_view(), &a[range]);
            let coarse = transposed_times(basis.half.as_view(), &u);
            let coarse = times(basis.half.as_view(), &coarse);
            norm(&u.iter().zip(coarse).map(|(u, coarse)| u - coarse).collect::<Vec<f64>>())
        };
        norm(&self.blocks().into_iter().map(of).collect::<Vec<f64>>())
    }

    fn blocks(&self) -> Vec<(usize, std::ops::Range<usize>)> {
        let mut first = 0;
        let block = |&b: &usize| {
            let range = first..first + self.bases[b].rank();
            first = range.end;
            (b, range)
        };
        self.of.iter().map(block).collect()
    }

    /// Coordinates of a network whose features are the space's: a = S V^T w.
    pub fn coordinates_of(&self, theta: &[f64]) -> Vec<f64> {
        let of = |(q, &b): (usize, &usize)| {
            let basis = &self.bases[b];
            let w: Vec<f64> = self.outputs[q].iter().map(|&k| theta[k]).collect();
            let along = transposed_times(basis.right.as_view(), &w);
            along.into_iter().zip(&basis.singular_values).map(|(a, s)| a * s).collect::<Vec<f64>>()
        };
        self.of.iter().enumerate().flat_map(of).collect()
    }

    /// The network's outputs for coordinates: w = V S^-1 a.
    pub fn put(&self, a: &[f64], theta: &mut [f64]) {
        for (q, (b, range)) in self.blocks().into_iter().enumerate() {
            let basis = &self.bases[b];
            let scaled: Vec<f64> =
                a[range].iter().zip(&basis.singular_values).map(|(a, s)| a / s).collect();
            let w = times(basis.right.as_view(), &scaled);
            self.outputs[q].iter().zip(w).for_each(|(&k, w)| theta[k] = w);
        }
    }

    /// Coordinates of the values nearest to some at the points, one unknown after the other.
    pub fn project(&self, values: &[f64]) -> Vec<f64> {
        let of = |(q, &b): (usize, &usize)| {
            let part = &values[q * self.points..][..self.points];
            transposed_times(self.bases[b].values().as_view(), part)
        };
        self.of.iter().enumerate().flat_map(of).collect()
    }

    /// What coordinates stand for at the points, without the lift.
    fn values(&self, a: &[f64]) -> Vec<f64> {
        let blocks = self.blocks().into_iter();
        blocks.flat_map(|(b, range)| times(self.bases[b].values().as_view(), &a[range])).collect()
    }

    /// |v - U U^T v|: what the space leaves of values at the points.
    pub fn left(&self, values: &[f64]) -> f64 {
        let inside = self.values(&self.project(values));
        norm(&values.iter().zip(&inside).map(|(v, inside)| v - inside).collect::<Vec<f64>>())
    }

    /// The lift's derivatives and its rate: rows of the jet's channels and one more, per unknown.
    fn lift(&mut self, time: f64) -> Option<Vec<f64>> {
        if let Some((_, lift)) = self.lifts.iter().find(|(at, _)| *at == time) {
            return Some(lift.clone());
        }
        let rows = Rows { data: &self.coordinates, stride: self.points };
        let mut lift = self.ansatz.lift(rows, self.points, time)?;
        for of_unknown in lift.chunks_mut((self.jets.len() + 1) * self.points) {
            for (c, row) in of_unknown.chunks_mut(self.points).take(self.jets.len()).enumerate() {
                let factor = self.jets.factor(c);
                row.iter_mut().for_each(|v| *v *= factor);
            }
        }
        if self.lifts.len() == LIFTS {
            self.lifts.remove(0);
        }
        self.lifts.push((time, lift.clone()));
        Some(lift)
    }

    /// Derivatives of every unknown at the points, one channel after the other; those that nothing asks
    /// for are zero.
    fn jet(&mut self, time: f64, a: &[f64]) -> Vec<f64> {
        let (n, channels) = (self.points, self.jets.len());
        let mut jet = vec![0.0; self.of.len() * channels * n];
        for (q, (b, range)) in self.blocks().into_iter().enumerate() {
            for (c, matrix) in self.bases[b].channels.iter().enumerate() {
                let Some(matrix) = matrix else { continue };
                let row = times(matrix.as_view(), &a[range.clone()]);
                jet[(q * channels + c) * n..][..n].copy_from_slice(&row);
            }
        }
        if let Some(lift) = self.lift(time) {
            for (of_unknown, lift) in
                jet.chunks_mut(channels * n).zip(lift.chunks((channels + 1) * n))
            {
                of_unknown.iter_mut().zip(lift).for_each(|(u, lift)| *u += lift);
            }
        }
        jet
    }

    fn run(&self, program: &Program, time: f64, jet: &[f64]) -> Vec<f64> {
        let rows = |data| Rows { data, stride: self.points };
        let block = Block {
            count: self.points,
            coordinates: rows(&self.coordinates),
            channels: rows(jet),
            time,
            parameters: &self.parameters,
        };
        let mut out = vec![0.0; program.outputs().len() * self.points];
        program.run(&block, &mut Registers::new(), &mut out, self.points);
        out
    }

    /// u, and F less the lift's rate, at the points.
    pub fn field(&mut self, time: f64, a: &[f64]) -> Field {
        let (n, channels) = (self.points, self.jets.len());
        let jet = self.jet(time, a);
        let mut right_hand_side = self.run(&self.right_hand_side, time, &jet);
        if let Some(lift) = self.lift(time) {
            let rates = lift.chunks((channels + 1) * n).flat_map(|lift| &lift[channels * n..]);
            right_hand_side.iter_mut().zip(rates).for_each(|(f, rate)| *f -= rate);
        }
        let values = jet.chunks(channels * n).flat_map(|of_unknown| &of_unknown[..n]);
        Field { values: values.copied().collect(), right_hand_side }
    }
}

impl System for Space {
    fn rates(&mut self, time: f64, a: &[f64]) -> Vec<f64> {
        let field = self.field(time, a);
        self.project(&field.right_hand_side)
    }

    /// `U_p^T sum_e diag(dF_p/de) (channel of e) V S^-1`, block by block.
    fn jacobian(&mut self, time: f64, a: &[f64]) -> DMatrix<f64> {
        let jet = self.jet(time, a);
        let slopes = self.run(&self.slope_program, time, &jet);
        let blocks = self.blocks();
        let mut jacobian = DMatrix::zeros(self.size(), self.size());
        for (p, (row_basis, rows)) in blocks.iter().enumerate() {
            for (q, (basis, columns)) in blocks.iter().enumerate() {
                let of_block = |slope: &Slope| slope.equation == p && slope.entry.unknown == q;
                let mut target =
                    jacobian.view_mut((rows.start, columns.start), (rows.len(), columns.len()));
                let mut sum: Option<DMatrix<f64>> = None;
                for (k, slope) in self.slopes.iter().enumerate().filter(|(_, s)| of_block(s)) {
                    let values = &slopes[k * self.points..][..self.points];
                    let basis = &self.bases[*basis];
                    if let (true, Some(projected), true) =
                        (slope.uniform, &basis.projected[slope.channel], row_basis == &blocks[q].0)
                    {
                        target += projected * values[0];
                        continue;
                    }
                    let channel = basis.channels[slope.channel].as_ref().expect("it is wanted");
                    let sum = sum.get_or_insert_with(|| DMatrix::zeros(self.points, columns.len()));
                    for (mut to, from) in sum.column_iter_mut().zip(channel.column_iter()) {
                        let pairs = to.iter_mut().zip(from.iter()).zip(values);
                        pairs.for_each(|((to, from), slope)| *to += slope * from);
                    }
                }
                if let Some(sum) = sum {
                    let left = self.bases[*row_basis].values();
                    target += transposed_product(left.as_view(), sum.as_view());
                }
            }
        }
        jacobian
    }
}

fn position(jets: &JetSet, channel: Channel) -> usize {
    jets.position(channel).expect("the equation's channels are in its jet set")
}

/// For each unknown, the weights of the first features in its output, and its bias.
fn outputs(network: &Network, features: usize) -> Vec<Vec<usize>> {
    let first = |name| network.layout().segment(name).map_or(0, |segment| segment.offset);
    let (weights, biases) = (first("output.weight"), first("output.bias"));
    let of = |q: usize| {
        let row = weights + q * network.width();
        (row..row + features).chain([biases + q]).collect()
    };
    (0..network.outputs()).map(of).collect()
}

/// The derivatives of the right-hand sides by the entries of their jets, which are not zero.
fn slopes(problem: &Problem, jets: &JetSet) -> (Vec<Slope>, Vec<Expression>) {
    let mut slopes = Vec::new();
    let mut expressions = Vec::new();
    for (equation, f) in problem.right_hand_side.iter().enumerate() {
        for entry in f.entries() {
            let slope = f.derivative_by(entry).simplify();
            let varies =
                |e: &Expression| matches!(e, Expression::Coordinate(_) | Expression::Jet(_));
            let uniform = !slope.any(&varies);
            slopes.push(Slope { equation, entry, channel: position(jets, entry.channel), uniform });
            expressions.push(slope);
        }
    }
    (slopes, expressions)
}
