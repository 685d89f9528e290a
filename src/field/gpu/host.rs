//! What the host adds to the network's jets: features of the points before, the ansatz and the
//! equation after.
//!
//! A handful of operations beside the network's thousands, in f64: every function that an equation
//! may have is then the same on all devices.

use std::ops::Range;

use rayon::prelude::*;

use crate::ansatz::Ansatz;
use crate::cpu::{Field, Head, feature_rows};
use crate::jet::JetSet;
use crate::network::Network;
use crate::problem::Problem;
use crate::program::{Block, Registers, Rows};

/// Points that one thread takes at a time.
const SHARE: usize = 1 << 10;

/// One problem's ansatz and equation at fixed points.
#[derive(Debug)]
pub struct Host {
    network: Network,
    /// Of the equation, and of the value alone.
    pub jets: JetSet,
    pub value: JetSet,
    pub points: usize,
    /// Point after point, and coordinate after coordinate.
    coordinates: Vec<f64>,
    rows: Vec<f64>,
    ansatz: Ansatz,
    right_hand_side: Head,
    pub parameters: Vec<f64>,
    /// A row per channel; none where it is 1.
    distance: Option<Vec<f64>>,
}

impl Host {
    /// For n x d `coordinates`, point after point.
    pub fn new(problem: &Problem, network: &Network, coordinates: &[f64]) -> Self {
        let dimensions = network.inputs().len();
        let jets = JetSet::closure(dimensions, problem.right_hand_side[0].channels());
        let mut host = Self {
            network: network.clone(),
            value: jets.prefix(1),
            points: coordinates.len() / dimensions.max(1),
            coordinates: Vec::new(),
            rows: Vec::new(),
            ansatz: Ansatz::new(problem, &jets),
            right_hand_side: Head::right_hand_side(&problem.right_hand_side, jets.clone()),
            parameters: problem.parameter_values(),
            distance: None,
            jets,
        };
        host.set_points(coordinates);
        host
    }

    /// As many points as before.
    pub fn set_points(&mut self, coordinates: &[f64]) {
        let dimensions = self.network.inputs().len();
        self.coordinates = coordinates.to_vec();
        self.rows = (0..dimensions)
            .flat_map(|k| coordinates.iter().skip(k).step_by(dimensions))
            .copied()
            .collect();
        self.distance = self.ansatz.distance(self.coordinate_rows(0), self.points);
    }

    pub fn set_parameters(&mut self, values: &[f64]) {
        self.parameters = values.to_vec();
        self.ansatz.set_parameters(values);
        self.distance = self.ansatz.distance(self.coordinate_rows(0), self.points);
    }

    fn coordinate_rows(&self, first: usize) -> Rows<'_, f64> {
        Rows { data: &self.rows[first.min(self.rows.len())..], stride: self.points }
    }

    /// Taylor coefficients of the features at some of the points: a row for each feature and
    /// channel, channels of a feature together.
    pub fn features(&self, range: Range<usize>, jets: &JetSet) -> Vec<f64> {
        let dimensions = self.network.inputs().len();
        let points = &self.coordinates[range.start * dimensions..range.end * dimensions];
        feature_rows(&self.network, jets, points)
    }

    /// du/dN at some of the points: what seeds the sweep back of the values.
    pub fn value_seeds(&self, range: Range<usize>) -> Vec<f64> {
        match &self.distance {
            Some(rows) => rows[range].to_vec(),
            None => vec![1.0; range.len()],
        }
    }

    /// u and F from the network's Taylor coefficients, a row per channel.
    pub fn field(&self, network: &[f64], time: f64) -> Field {
        let shares: Vec<Range<usize>> = (0..self.points)
            .step_by(SHARE)
            .map(|first| first..self.points.min(first + SHARE))
            .collect();
        let parts = shares.into_par_iter().map(|range| self.field_of(network, range, time));
        let parts: Vec<Field> = parts.collect();
        let join = |of: fn(&Field) -> &[f64]| parts.iter().flat_map(of).copied().collect();
        Field {
            values: join(|part| &part.values),
            right_hand_side: join(|part| &part.right_hand_side),
        }
    }

    fn field_of(&self, network: &[f64], range: Range<usize>, time: f64) -> Field {
        let (first, count) = (range.start, range.len());
        let coordinates = self.coordinate_rows(first);
        let lift = self.ansatz.lift(coordinates, count, time);
        let derivatives = self.derivatives(network, range.clone(), lift.as_deref());
        let mut rates = vec![0.0; count];
        let block = Block {
            count,
            coordinates,
            channels: Rows { data: &derivatives, stride: count },
            time,
            parameters: &self.parameters,
        };
        self.right_hand_side.values().run(&block, &mut Registers::new(), &mut rates, count);
        if let Some(lift) = lift {
            let rate = &lift[self.jets.len() * count..];
            rates.iter_mut().zip(rate).for_each(|(to, rate)| *to -= rate);
        }
        Field { values: derivatives[..count].to_vec(), right_hand_side: rates }
    }

    /// Derivatives of lift + distance * network at some of the points, a row per channel.
    fn derivatives(&self, network: &[f64], range: Range<usize>, lift: Option<&[f64]>) -> Vec<f64> {
        let count = range.len();
        let within = |c: usize| c * self.points + range.start..c * self.points + range.end;
        let mut to = vec![0.0; self.jets.len() * count];
        for (c, to) in to.chunks_exact_mut(count).enumerate() {
            match &self.distance {
                None => to.copy_from_slice(&network[within(c)]),
                Some(distance) => {
                    for t in self.jets.products().iter().filter(|t| usize::from(t.c) == c) {
                        let (d, n) = (&distance[within(t.a.into())], &network[within(t.b.into())]);
                        to.iter_mut().zip(d.iter().zip(n)).for_each(|(to, (d, n))| *to += d * n);
                    }
                }
            }
            if let Some(lift) = lift {
                to.iter_mut().zip(&lift[c * count..]).for_each(|(to, v)| *to += v);
            }
            let factor = self.jets.factor(c);
            to.iter_mut().for_each(|v| *v *= factor);
        }
        to
    }
}
