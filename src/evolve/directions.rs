//! The directions that a step moves the parameters along.

use nalgebra::{DMatrix, DMatrixView};

use super::columns::Columns;
use super::engine::Engine;
use super::error::EvolveError;
use crate::field::cpu::Field;
use crate::linalg::{Entry, add_product};
use crate::random::{Philox, Stream};

/// Entries of the columns of J that are in memory at a time while they are mixed.
const MOST_ENTRIES: usize = 1 << 24;
/// Epochs of Gaussian sketches lie beyond those of the subsets.
const FIRST_EPOCH: u64 = 1 << 48;

/// The columns of P (p x s): a step looks for theta' = P z, so that the Jacobian of its least
/// squares is J P.
#[derive(Clone, Debug, PartialEq)]
pub enum Directions {
    /// Unit vectors of these parameters, ascending: J P is some of the columns of J.
    Subset(Vec<u32>),
    /// Independent normal numbers of variance 1/p: every parameter moves.
    Gaussian(DMatrix<f64>),
}

impl Directions {
    /// The Gaussian sketch of that epoch.
    #[must_use]
    pub fn gaussian(seed: u64, epoch: u64, parameters: usize, count: usize) -> Self {
        let random = Philox::new(seed, Stream::Columns);
        let scale = (parameters as f64).sqrt().recip();
        let entry = |j: usize, k: usize| {
            let number = (k * parameters + j) as u64;
            // A number that 32 bits do not hold goes on in the epoch.
            scale * random.normal(FIRST_EPOCH + (epoch << 8) + (number >> 32), number as u32)
        };
        Self::Gaussian(DMatrix::from_fn(parameters, count, entry))
    }

    /// s.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Subset(chosen) => chosen.len(),
            Self::Gaussian(mixture) => mixture.ncols(),
        }
    }

    /// Those of these numbers, ascending.
    #[must_use]
    pub fn select(&self, numbers: &[usize]) -> Self {
        match self {
            Self::Subset(chosen) => Self::Subset(numbers.iter().map(|&k| chosen[k]).collect()),
            Self::Gaussian(mixture) => {
                Self::Gaussian(DMatrix::from_fn(mixture.nrows(), numbers.len(), |i, k| {
                    mixture[(i, numbers[k])]
                }))
            }
        }
    }

    /// The parameters that they move.
    #[must_use]
    pub fn parameters(&self) -> Vec<u32> {
        match self {
            Self::Subset(chosen) => chosen.clone(),
            Self::Gaussian(mixture) => (0..mixture.nrows() as u32).collect(),
        }
    }

    /// The parameters whose columns J P is; `None` for mixtures.
    #[must_use]
    pub fn subset(&self) -> Option<&[u32]> {
        match self {
            Self::Subset(chosen) => Some(chosen),
            Self::Gaussian(_) => None,
        }
    }

    /// `theta + P v`.
    #[must_use]
    pub fn moved(&self, theta: &[f64], v: &[f64]) -> Vec<f64> {
        let mut moved = theta.to_vec();
        match self {
            Self::Subset(chosen) => {
                for (&column, v) in chosen.iter().zip(v) {
                    moved[column as usize] += v;
                }
            }
            Self::Gaussian(mixture) => {
                for (column, v) in mixture.column_iter().zip(v) {
                    moved.iter_mut().zip(column.iter()).for_each(|(theta, p)| *theta += v * p);
                }
            }
        }
        moved
    }

    /// J P at theta. A mixture takes every column of J, from a GPU as well, and multiplies on the
    /// processor.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn columns(
        &self,
        engine: &mut Engine,
        theta: &[f64],
        time: f64,
    ) -> Result<Columns, EvolveError> {
        match self {
            Self::Subset(chosen) => engine.columns(theta, time, chosen).await,
            Self::Gaussian(mixture) => {
                mix(engine, Head::Values, mixture, (theta, time), MOST_ENTRIES).await
            }
        }
    }

    /// A P at theta, A = dF/dtheta: on the processor.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn rate_columns(
        &self,
        engine: &mut Engine,
        theta: &[f64],
        time: f64,
    ) -> Result<Columns, EvolveError> {
        match self {
            Self::Subset(chosen) => Ok(engine.rate_columns(theta, time, chosen)),
            Self::Gaussian(mixture) => {
                mix(engine, Head::Rates, mixture, (theta, time), MOST_ENTRIES).await
            }
        }
    }

    /// u, F and J P at theta.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn field_and_columns(
        &self,
        engine: &mut Engine,
        theta: &[f64],
        time: f64,
    ) -> Result<(Field, Columns), EvolveError> {
        match self {
            Self::Subset(chosen) => engine.field_and_columns(theta, time, chosen).await,
            Self::Gaussian(mixture) => {
                let field = engine.field(theta, time).await?;
                let at = (theta, time);
                Ok((field, mix(engine, Head::Values, mixture, at, MOST_ENTRIES).await?))
            }
        }
    }
}

/// What is differentiated by the parameters: u, or F.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Head {
    Values,
    Rates,
}

/// J P or A P, at most `entries` of the columns' entries at a time.
async fn mix(
    engine: &mut Engine,
    head: Head,
    mixture: &DMatrix<f64>,
    (theta, time): (&[f64], f64),
    entries: usize,
) -> Result<Columns, EvolveError> {
    let (parameters, block) = (mixture.nrows(), (entries / engine.rows().max(1)).max(1));
    let mut mixed: Option<Columns> = None;
    for first in (0..parameters).step_by(block) {
        let count = block.min(parameters - first);
        let columns: Vec<u32> = (first as u32..(first + count) as u32).collect();
        let rows = mixture.rows(first, count);
        let columns = match head {
            Head::Values => engine.columns(theta, time, &columns).await?,
            Head::Rates => engine.rate_columns(theta, time, &columns),
        };
        match (&columns, &mut mixed) {
            (Columns::Single(j), Some(Columns::Single(sum))) => add(sum, j, rows),
            (Columns::Double(j), Some(Columns::Double(sum))) => add(sum, j, rows),
            (Columns::Single(j), _) => mixed = Some(Columns::Single(multiplied(j, rows))),
            (Columns::Double(j), _) => mixed = Some(Columns::Double(multiplied(j, rows))),
        }
        engine.recycle(columns);
    }
    Ok(mixed.expect("a network has parameters"))
}

fn multiplied<T: Entry>(j: &DMatrix<T>, p: DMatrixView<'_, f64>) -> DMatrix<T> {
    let mut product = DMatrix::repeat(j.nrows(), p.ncols(), T::ZERO);
    add(&mut product, j, p);
    product
}

/// `sum += J P`, in J's own precision.
fn add<T: Entry>(sum: &mut DMatrix<T>, j: &DMatrix<T>, p: DMatrixView<'_, f64>) {
    let p = p.map(T::of);
    add_product(sum.as_view_mut(), j.as_view(), p.as_view());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{REACTION, engine, problem, start};

    /// J P from all columns of J, product by product.
    #[test]
    fn mixed_columns_are_the_product_whatever_the_blocks() {
        for precision in ["f64", "f32"] {
            let problem = problem(REACTION, &[("run.precision", precision)]);
            let theta = start(&problem, 1.0);
            let mut engine = engine(&problem);
            let directions = Directions::gaussian(3, 7, theta.len(), 12);
            let Directions::Gaussian(p) = &directions else { panic!("a mixture") };
            let all: Vec<u32> = (0..theta.len() as u32).collect();
            let j =
                pollster::block_on(engine.columns(&theta, 0.0, &all)).expect("a CPU").to_double();
            let product =
                |i: usize, k: usize| -> f64 { (0..all.len()).map(|c| j[(i, c)] * p[(c, k)]).sum() };
            let expected = DMatrix::from_fn(j.nrows(), 12, product);
            let epsilon = if precision == "f64" { f64::EPSILON } else { f64::from(f32::EPSILON) };
            let tolerance = all.len() as f64 * epsilon * expected.norm();
            for entries in [1, 16 * 50, MOST_ENTRIES] {
                let mixed =
                    pollster::block_on(mix(&mut engine, Head::Values, p, (&theta, 0.0), entries));
                let mixed = mixed.expect("a CPU").to_double();
                let error = (&mixed - &expected).norm();
                assert!(error < tolerance, "{precision}, {entries}: {error:e}, {tolerance:e}");
            }
            let other = Directions::gaussian(3, 8, theta.len(), 12);
            let other = pollster::block_on(other.columns(&mut engine, &theta, 0.0));
            let planted = (&other.expect("a CPU").to_double() - &expected).norm();
            assert!(planted > 1e3 * tolerance, "planted: of another draw");
        }
    }

    /// J P v is how u changes along P v: central differences of the values.
    #[test]
    fn a_move_along_a_mixture_changes_the_field_by_its_columns() {
        let problem = problem(REACTION, &[]);
        let theta = start(&problem, 1.0);
        let mut engine = engine(&problem);
        let directions = Directions::gaussian(1, 1, theta.len(), 5);
        let columns = pollster::block_on(directions.columns(&mut engine, &theta, 0.0));
        let columns = columns.expect("a CPU");
        let v = [0.3, -1.0, 0.7, 0.2, -0.4];
        let size = 1e-5;
        let mut at = |size: f64| {
            let step = v.map(|v| size * v);
            let moved = directions.moved(&theta, &step);
            pollster::block_on(engine.values(&moved, 0.0)).expect("a CPU")
        };
        let (up, down) = (at(size), at(-size));
        let image = columns.multiply(&v);
        for ((up, down), image) in up.iter().zip(&down).zip(&image) {
            let slope = (up - down) / (2.0 * size);
            assert!((slope - image).abs() < 1e-7 * (1.0 + image.abs()), "{slope}, {image}");
        }
        let planted: f64 = image.iter().map(|i| i.abs()).fold(0.0, f64::max);
        assert!(planted > 1e-3, "something moves");
    }

    #[test]
    fn gaussian_directions_have_unit_length_on_average_and_differ_from_draw_to_draw() {
        let (p, s) = (4_000, 20);
        let Directions::Gaussian(mixture) = Directions::gaussian(5, 1, p, s) else {
            panic!("a mixture")
        };
        let squares: f64 = mixture.column_iter().map(|c| c.norm_squared()).sum::<f64>() / s as f64;
        // The variance of the mean of s p squares of unit normals over p is 2 / (s p).
        assert!((squares - 1.0).abs() < 5.0 * (2.0 / (s * p) as f64).sqrt(), "{squares}");
        let sum: f64 = mixture.column_iter().map(|c| c.sum()).sum();
        assert!(sum.abs() < 5.0 * (s as f64).sqrt(), "{sum}");
        assert_eq!(Directions::gaussian(5, 1, p, s), Directions::Gaussian(mixture.clone()));
        assert_ne!(Directions::gaussian(5, 2, p, s), Directions::Gaussian(mixture));
    }
}
