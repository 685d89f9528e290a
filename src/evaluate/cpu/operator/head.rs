//! From the unknown's derivatives at a point to the rows of the residual, and their derivatives by
//! the channels, which seed the sweep back.

use super::prepare::prepare;
use crate::evaluate::jet::JetSet;
use crate::evaluate::program::{Block, Program, Registers, Rows};
use crate::problem::expression::{Channel, Expression};
use crate::scalar::Real;

/// Curvatures of an energy density below this part of the largest one at the same point are raised
/// to it: the pulled-back Hessian stays definite where the density is flat in some channel, and
/// its gradient stays exactly what it is.
const FLOOR: f64 = 1e-3;

/// What happens to the channels at each point.
#[derive(Clone, Debug)]
pub struct Head {
    jets: JetSet,
    /// Positions of the channels that occur, in the jet set.
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

    /// An energy density, one row per channel that occurs.
    #[must_use]
    pub fn energy(density: &Expression, dimensions: usize) -> Self {
        Self::new(std::slice::from_ref(density), dimensions, 0, true)
    }

    fn new(list: &[Expression], dimensions: usize, given: usize, energy: bool) -> Self {
        let prepared = prepare(list, dimensions, given);
        let mut wanted: Vec<Channel> =
            prepared.expressions.iter().flat_map(Expression::channels).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let jets = JetSet::closure(dimensions, wanted.iter().copied());
        let position = |channel: &Channel| jets.position(*channel).expect("in its own closure");
        let derivatives = |e: &Expression| -> Vec<Expression> {
            wanted.iter().map(|c| e.derivative_by_channel(*c).simplify()).collect()
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
        let rows = if energy { wanted.len() } else { list.len() };
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

    /// What stands in the rows behind the coordinates and the given ones.
    #[must_use]
    pub fn known(&self) -> &[Expression] {
        &self.known
    }
}

/// Room for the results of one block of points.
pub struct HeadScratch<T, const L: usize> {
    registers: Registers<T>,
    /// Derivatives of the unknown, channel by channel.
    jets: Vec<T>,
    out: Vec<T>,
    /// Per row of the residual.
    pub values: Vec<[T; L]>,
    /// Per row and channel of the jet set: dr / d(Taylor coefficient).
    pub seeds: Vec<Vec<[T; L]>>,
}

impl<T: Real, const L: usize> HeadScratch<T, L> {
    pub fn new(head: &Head) -> Self {
        let channels = head.jets.len();
        Self {
            registers: Registers::new(),
            jets: vec![T::ZERO; channels * L],
            out: vec![T::ZERO; head.slopes.outputs().len() * L],
            values: vec![[T::ZERO; L]; head.rows],
            seeds: vec![vec![[T::ZERO; L]; channels]; head.rows],
        }
    }

    #[inline(always)]
    fn load(&mut self, head: &Head, network: &[[T; L]]) {
        for (c, lanes) in network.iter().enumerate() {
            let factor = T::of(head.jets.factor(c));
            for l in 0..L {
                self.jets[c * L + l] = factor * lanes[l];
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
        std::array::from_fn(|l| self.out[k * L + l])
    }

    /// The residuals alone, or the energy density in the first entry. `network` is the network's
    /// jet, Taylor coefficients.
    #[inline(always)]
    pub fn evaluate(&mut self, head: &Head, network: &[[T; L]], coordinates: Rows<'_, T>) {
        self.load(head, network);
        self.run(&head.values, coordinates);
        for k in 0..head.values.outputs().len() {
            self.values[k] = self.output(k);
        }
    }

    /// The rows of the residual times `scale`, and their seeds. For an energy `scale^2 e` they are
    /// such that `2 J^T r` is its gradient and `2 J^T J` its Hessian.
    #[inline(always)]
    pub fn differentiate(
        &mut self,
        head: &Head,
        network: &[[T; L]],
        coordinates: Rows<'_, T>,
        scale: T,
    ) {
        self.load(head, network);
        self.run(&head.slopes, coordinates);
        if head.energy {
            self.factor(head, scale.to_f64());
            return;
        }
        for q in 0..head.rows {
            let value = self.output(q);
            for l in 0..L {
                self.values[q][l] = scale * value[l];
            }
            for (k, &c) in head.channels.iter().enumerate() {
                let slope = self.output(head.rows + q * head.channels.len() + k);
                let factor = scale * T::of(head.jets.factor(c));
                for l in 0..L {
                    self.seeds[q][c][l] = factor * slope[l];
                }
            }
        }
    }

    /// Replaces the seeds of all rows by one, their sum with the given weights: that of
    /// `sum_q w_q r_q` at the points from `first` on. Lanes that are no point count nothing.
    #[inline(always)]
    pub fn combine(&mut self, weights: &[&[f64]], first: usize, valid: usize) {
        let (combined, rest) = self.seeds.split_at_mut(1);
        for (c, to) in combined[0].iter_mut().enumerate() {
            for l in 0..L {
                let weight = |q: usize| {
                    if l < valid { T::of(weights[q][first + l]) } else { T::ZERO }
                };
                let mut sum = weight(0) * to[l];
                for (q, seed) in rest.iter().enumerate() {
                    sum += weight(q + 1) * seed[c][l];
                }
                to[l] = sum;
            }
        }
    }

    /// Lane by lane `H = M M^T` for half the Hessian of the density, by a square-root-free
    /// Cholesky factorisation whose pivots are kept positive, and `M r = g` for half its gradient.
    /// Column q of M seeds row q.
    fn factor(&mut self, head: &Head, scale: f64) {
        let m = head.rows;
        let half = |value: T| 0.5 * value.to_f64();
        for l in 0..L {
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
                for (k, &c) in head.channels.iter().enumerate() {
                    let entry = if k >= q { lower[k][q] } else { 0.0 };
                    self.seeds[q][c][l] = T::of(scale * head.jets.factor(c) * entry);
                }
            }
        }
    }
}
