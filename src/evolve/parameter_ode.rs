//! Neural Galerkin as published: Runge-Kutta on the parameters' own ODE.
//!
//! theta' = v on the chosen subset S and 0 elsewhere, with v = argmin |J_S v - F| by least squares
//! with a relative cutoff; the subset is drawn once per step and kept for its stages (\[RSNG\],
//! arXiv 2310.04867, equation 6 and algorithm 1). With Gaussian sketches it is theta' = P z with
//! z = argmin |J P z - F|.

use super::columns::Columns;
use super::directions::Directions;
use super::engine::Engine;
use super::error::AttemptError;
use super::subset::Subsets;
use super::tableau::{Tableau, combine};
use crate::field::cpu::Field;
use crate::linalg::{LeastSquares, Solution, norm};

/// What an attempt at a step found.
pub struct Attempt {
    pub theta: Vec<f64>,
    /// |J v - F| / |F| of the first stage.
    pub residual: f64,
    /// Embedded estimate of the parameters' local error, where the tableau has one, measured in
    /// the field through J and divided by |u|.
    pub error: Option<f64>,
    pub chosen: Vec<u32>,
    /// s.
    pub count: usize,
    pub rank: usize,
    pub largest: f64,
    pub singular_values: Vec<f64>,
}

/// Attempts one step of length `dt` from theta, where u and F are `field`.
///
/// # Errors
/// When a least-squares problem has no solution or the device fails.
pub async fn attempt(
    engine: &mut Engine,
    tableau: &Tableau,
    squares: &mut LeastSquares,
    subsets: &mut Subsets,
    (theta, field): (&[f64], &Field),
    (time, dt): (f64, f64),
) -> Result<Attempt, AttemptError> {
    let directions = subsets.draw();
    let mut slopes: Vec<Vec<f64>> = Vec::new();
    let mut first: Option<(Solution, f64)> = None;
    let mut image = None;
    for (row, c) in tableau.a.iter().zip(tableau.c) {
        let stage = moved(theta, &directions, &combine(row, &slopes), dt);
        let at = time + c * dt;
        let known = slopes.is_empty().then_some(field);
        let stored = tableau.error.is_some();
        let linear = Linear { directions: &directions, epoch: subsets.epoch, stored, known };
        let (field, solution, columns) = linear.solve(engine, squares, (&stage, at)).await?;
        slopes.push(solution.coefficients.clone());
        if first.is_none() {
            first = Some((solution, norm(&field.values)));
            if tableau.error.is_some() {
                image = columns;
                continue;
            }
        }
        if let Some(columns) = columns {
            engine.recycle(columns);
        }
    }
    let error = tableau.error.zip(image).zip(first.as_ref()).map(|((e, columns), (_, size))| {
        let change = combine(e, &slopes);
        dt * norm(&columns.multiply(&change)) / size.max(f64::MIN_POSITIVE)
    });
    let theta = moved(theta, &directions, &combine(tableau.b, &slopes), dt);
    let (solution, _) = first.expect("every tableau has a stage");
    Ok(Attempt {
        theta,
        residual: solution.residual_norm,
        error,
        chosen: directions.parameters(),
        count: directions.count(),
        rank: solution.rank,
        largest: solution.largest,
        singular_values: solution.singular_values,
    })
}

/// The least-squares problem of a stage.
struct Linear<'a> {
    directions: &'a Directions,
    epoch: u64,
    /// Whether J itself is wanted: the embedded estimate needs it.
    stored: bool,
    /// u and F, where they are known already.
    known: Option<&'a Field>,
}

impl Linear<'_> {
    /// The stage's field and slope, and J where it exists.
    async fn solve(
        &self,
        engine: &mut Engine,
        squares: &mut LeastSquares,
        at: (&[f64], f64),
    ) -> Result<(Field, Solution, Option<Columns>), AttemptError> {
        let Self { directions, epoch, stored, known } = *self;
        if let Some(chosen) = directions.subset().filter(|_| !stored) {
            let solved = match engine.solve_on_device(at, chosen, squares, epoch).await? {
                Some(solved) => Some(solved),
                None => engine.solve_unstored(at, chosen, squares, epoch, known).await?,
            };
            if let Some((field, solution)) = solved {
                return Ok((field, solution, None));
            }
        }
        let (field, columns) = directions.field_and_columns(engine, at.0, at.1).await?;
        let rate = &field.right_hand_side;
        let solution = match &columns {
            Columns::Single(m) => squares.solve(m.as_view(), rate, epoch)?,
            Columns::Double(m) => squares.solve(m.as_view(), rate, epoch)?,
        };
        Ok((field, solution, Some(columns)))
    }
}

/// `theta + dt P v`; no change for an empty v.
fn moved(theta: &[f64], directions: &Directions, v: &[f64], dt: f64) -> Vec<f64> {
    let step: Vec<f64> = v.iter().map(|v| dt * v).collect();
    directions.moved(theta, &step)
}
