//! The ansatz u = lift + distance * network, as power series at fixed points.

use super::jet::JetSet;
use super::program::{Block, Program, Registers, Rows};
use crate::problem::Problem;
use crate::problem::expression::{Channel, Expression};

/// The lift's and the distance's derivatives per channel of a jet set, and the lift's rate of
/// change, as programs over points.
#[derive(Clone, Debug)]
pub struct Ansatz {
    jets: JetSet,
    /// For each unknown one output per channel; `None` where the distance is 1.
    distance: Option<Program>,
    /// For each unknown one output per channel and d lift / dt last; `None` where the lift is 0.
    lift: Option<Program>,
    parameters: Vec<f64>,
}

impl Ansatz {
    #[must_use]
    pub fn new(problem: &Problem, jets: &JetSet) -> Self {
        let distances = |list: &Vec<Expression>| -> Vec<Expression> {
            list.iter().flat_map(|e| channel_expressions(e, jets)).collect()
        };
        let distance = problem.distance.as_ref().map(distances);
        let of_unknown = |e: &Expression| {
            let mut list = channel_expressions(e, jets);
            list.push(e.differentiate_time().simplify());
            list
        };
        let lift = problem.lift.as_ref().map(|lift| lift.iter().flat_map(of_unknown).collect());
        let compile = |list: Vec<Expression>| Program::compile(&list, &[]);
        Self {
            jets: jets.clone(),
            distance: distance.map(compile),
            lift: lift.map(compile),
            parameters: problem.parameter_values(),
        }
    }

    /// Values of the named parameters, on which lift and distance may depend.
    pub fn set_parameters(&mut self, values: &[f64]) {
        self.parameters = values.to_vec();
    }

    /// For one unknown after the other, Taylor coefficients of the distance: one row of points per
    /// channel; `None` where it is 1.
    ///
    /// `coordinates` has one row per coordinate, `stride` apart.
    #[must_use]
    pub fn distance(&self, coordinates: Rows<'_, f64>, points: usize) -> Option<Vec<f64>> {
        let channels = self.jets.len();
        self.distance
            .as_ref()
            .map(|program| self.rows(program, coordinates, (points, channels), 0.0))
    }

    /// For one unknown after the other, Taylor coefficients of the lift per channel and its rate of
    /// change as the last row; `None` where the lift is 0.
    #[must_use]
    pub fn lift(&self, coordinates: Rows<'_, f64>, points: usize, time: f64) -> Option<Vec<f64>> {
        let rows = self.jets.len() + 1;
        self.lift.as_ref().map(|program| self.rows(program, coordinates, (points, rows), time))
    }

    /// Of a program with so many rows for each unknown, the channels first.
    fn rows(
        &self,
        program: &Program,
        coordinates: Rows<'_, f64>,
        (points, of_unknown): (usize, usize),
        time: f64,
    ) -> Vec<f64> {
        let block = Block {
            count: points,
            coordinates,
            channels: Rows::none(),
            time,
            parameters: &self.parameters,
        };
        let mut out = vec![0.0; program.outputs().len() * points];
        program.run(&block, &mut Registers::new(), &mut out, points);
        for of_unknown in out.chunks_mut((of_unknown * points).max(1)) {
            for (c, row) in of_unknown.chunks_mut(points).take(self.jets.len()).enumerate() {
                let factor = self.jets.factor(c);
                row.iter_mut().for_each(|v| *v /= factor);
            }
        }
        out
    }
}

/// The derivatives of a jet-free expression that the channels name.
fn channel_expressions(expression: &Expression, jets: &JetSet) -> Vec<Expression> {
    let dims = jets.dimensions();
    let along = |e: &Expression, k: usize| e.differentiate_coordinate(k, dims).simplify();
    let of = |channel: &Channel| match channel {
        Channel::Partial(index) => {
            let mut result = expression.clone();
            for (k, &times) in index.0.iter().enumerate() {
                for _ in 0..times {
                    result = along(&result, k);
                }
            }
            result
        }
        Channel::Laplacian => (0..dims)
            .map(|k| along(&along(expression, k), k))
            .reduce(|sum, term| sum + term)
            .unwrap_or(Expression::Constant(0.0))
            .simplify(),
    };
    jets.channels().iter().map(of).collect()
}
