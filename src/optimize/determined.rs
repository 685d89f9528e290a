//! Whether equations and conditions determine their solution: by the least that they see of any smooth
//! function.
//!
//! With A the rows of the linearised equations and conditions along N functions and B those of their
//! values, both at points that crowd at the sides as Chebyshev's do, the least
//!
//! ```text
//! share(N) = min over c of |A c| / |B c|
//! ```
//!
//! is a generalised singular value. It follows without squares from an orthonormal basis of the stack,
//! `[A; B] = [Q1; Q2] R`: with s the least singular value of Q1 it is `s / sqrt(1 - s^2)` (Paige,
//! Saunders, "Towards a generalized singular value decomposition", SIAM J. Numer. Anal. 18, 1981).
//!
//! The functions are polynomials, which come near a smooth function by a factor with every degree. So
//! where a function leaves the equations as they are, the share is round-off or falls on and on as
//! functions are added; where the solution is merely sensitive, because it grows or is near a
//! resonance, the share is small and stays where it is.

use nalgebra::{DMatrix, DVector, DVectorView};

use super::elsewhere::{Use, elsewhere};
use super::error::OptimizeError;
use super::estimate::equally;
use crate::field::residual::Collocation;
use crate::field::waves::{Ends, Span, Waves};
use crate::linalg::Svd;
use crate::problem::ResidualProblem;
use crate::problem::expression::{Channel, Expression};
use crate::problem::residual::{Location, Part};

/// Functions of one unknown by the number of coordinates, and of all unknowns.
const FUNCTIONS: [usize; 3] = [96, 256, 480];
const MOST: usize = 480;
/// Rows of the equations over functions.
const ROWS: usize = 4;
/// Combinations of the functions that have less than this share of the largest are left out.
const LEAST: f64 = 1e-9;
/// A share that is round-off; and where combinations were left out, of which a little is missing.
const NOTHING: f64 = 1e-12;
const MISSING: f64 = 10.0 * LEAST;
/// A share below the first that falls by more than the second with every degree has not come to an end.
const SMALL: f64 = 1e-4;
const FALL: f64 = 3.0;
/// Part of a function that is not constant, below which it is.
const CONSTANT: f64 = 1e-3;

/// What a problem leaves free, as far as it can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Free {
    /// A constant can be added to these unknowns.
    Constant(Vec<String>),
    /// Derivatives along a coordinate need more conditions at its ends than there are.
    Ends { coordinate: String, needed: usize, given: usize },
    /// Some function.
    Some,
}

impl std::fmt::Display for Free {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Constant(unknowns) => {
                write!(out, "a constant can be added to {}", unknowns.join(" and "))
            }
            Self::Ends { coordinate, needed, given } => write!(
                out,
                "the derivatives along {coordinate} need {needed} condition{} at its ends and there \
                 {} {given}",
                if *needed == 1 { "" } else { "s" },
                if *given == 1 { "is" } else { "are" }
            ),
            Self::Some => out.write_str(
                "a state at the start, a side without a condition, a vibration that needs no load",
            ),
        }
    }
}

/// What the problem linearised about the parameters `theta` leaves free; `None` where it determines its
/// solution, or where the functions are too few to tell.
pub fn free(problem: &ResidualProblem, theta: &[f64]) -> Result<Option<Free>, OptimizeError> {
    let unknowns = problem.unknowns.len();
    let of_dimensions = FUNCTIONS[problem.dimensions().clamp(1, FUNCTIONS.len()) - 1];
    let each = of_dimensions.min(MOST / unknowns).max(1);
    let system = system(problem, ROWS * each * unknowns);
    let waves = waves(problem, each);
    let mut functions = system.along(theta, &waves);
    // Smooth ones among them, of more than first degree in any number of coordinates.
    let factors = equally(&system, functions.as_view(), each, each.div_ceil(4));
    for mut column in functions.column_iter_mut() {
        column.iter_mut().zip(&factors).for_each(|(v, factor)| *v *= factor);
    }
    let share = |count: usize| {
        let chosen = (0..unknowns).flat_map(|q| (q * each..).take(count));
        let chosen: Vec<usize> = chosen.collect();
        Share::of(functions.select_columns(&chosen), factors.len())
    };
    let whole = share(each)?;
    if whole.least > SMALL || !whole.least.is_finite() {
        return Ok(None);
    }
    if whole.least > whole.nothing {
        let half = share(each / 2)?.least;
        let degrees = waves.degree(each) - waves.degree(each / 2);
        if half / whole.least < FALL.powf(degrees) {
            return Ok(None);
        }
    }
    Ok(Some(whole.free(problem)))
}

/// The problem at points that crowd at the sides of its box, where polynomials change most; as they are
/// drawn where it has a shape.
fn system(problem: &ResidualProblem, rows: usize) -> Collocation {
    let mut system = elsewhere(problem, Use::Determined, Some(rows));
    if problem.shape.is_none() {
        system.move_points(|k, x| match &problem.axes[k] {
            axis if axis.periodic => x,
            axis => {
                let angle = std::f64::consts::FRAC_PI_2 * (x - axis.lower) / axis.length();
                (axis.lower + axis.length() * angle.sin().powi(2)).min(axis.upper)
            }
        });
    }
    system
}

fn waves(problem: &ResidualProblem, count: usize) -> Waves {
    let spans = problem.axes.iter().map(|axis| Span {
        lower: axis.lower,
        length: axis.length(),
        ends: if axis.periodic { Ends::Periodic } else { Ends::Polynomials },
    });
    Waves::new(&spans.collect::<Vec<Span>>(), count)
}

/// The least share and what belongs to it.
struct Share {
    least: f64,
    /// What counts as round-off.
    nothing: f64,
    /// Whether the next is no round-off.
    alone: bool,
    /// Values of the function.
    values: DVector<f64>,
}

impl Share {
    /// Of functions by their rows: those of the equations, then values.
    fn of(mut functions: DMatrix<f64>, equations: usize) -> Result<Self, OptimizeError> {
        for mut column in functions.column_iter_mut() {
            let length = column.norm();
            column /= if length > 0.0 { length } else { 1.0 };
        }
        let Svd { left, values, .. } = Svd::of(functions.as_view())?;
        let bound = LEAST * values.first().copied().unwrap_or(0.0);
        let rank = values.iter().take_while(|s| **s > bound).count();
        let part = |first, count| left.view((first, 0), (count, rank)).into_owned();
        let (upper, lower) = (part(0, equations), part(equations, left.nrows() - equations));
        let Svd { values: seen, right, .. } = Svd::of(upper.as_view())?;
        let share = |s: &f64| s / (1.0 - s * s).max(f64::MIN_POSITIVE).sqrt();
        let mut ascending = seen.iter().rev().map(share);
        let nothing = if rank < values.len() { MISSING } else { NOTHING };
        Ok(Self {
            least: ascending.next().unwrap_or(f64::INFINITY),
            nothing,
            alone: ascending.next().is_some_and(|next| next > nothing),
            values: match right.ncols() {
                0 => DVector::zeros(lower.nrows()),
                count => lower * right.column(count - 1),
            },
        })
    }

    fn free(&self, problem: &ResidualProblem) -> Free {
        let constant = if self.alone { self.constant(problem) } else { None };
        constant.or_else(|| ends(problem)).unwrap_or(Free::Some)
    }

    /// Where every unknown is constant in the function, those that are not zero.
    fn constant(&self, problem: &ResidualProblem) -> Option<Free> {
        let each = self.values.len() / problem.unknowns.len();
        let of = |q: usize| self.values.rows(q * each, each);
        let size = self.values.norm();
        let rest = |values: DVectorView<'_, f64>| values.add_scalar(-values.mean()).norm();
        let all = 0..problem.unknowns.len();
        if all.clone().any(|q| rest(of(q)) > CONSTANT * size) {
            return None;
        }
        let names = all.filter(|&q| of(q).norm() > CONSTANT * size);
        Some(Free::Constant(names.map(|q| problem.unknowns[q].clone()).collect()))
    }
}

/// The first coordinate whose ends have fewer conditions than the derivatives along it ask for.
fn ends(problem: &ResidualProblem) -> Option<Free> {
    if problem.shape.is_some() {
        return None;
    }
    let inside = problem.blocks.iter().filter(|block| block.location == Location::Interior);
    let equations: Vec<&Expression> =
        inside.flat_map(|block| block.condition.expressions()).collect();
    let order = |q: usize, k: usize| {
        let mine = equations.iter().flat_map(|e| e.entries()).filter(|entry| entry.unknown == q);
        let orders = mine.map(|entry| match entry.channel {
            Channel::Laplacian => 2,
            Channel::Partial(index) => usize::from(index.0[k]),
        });
        orders.max().unwrap_or(0)
    };
    let given = |k: usize| -> usize {
        let of = |location: &Location| match location {
            Location::Parts(parts) => parts
                .iter()
                .filter(|part| matches!(part, Part::Plane(plane) if plane.coordinate == k))
                .count(),
            // A seam says the same of both ends.
            Location::Seam { coordinate } => usize::from(*coordinate == k),
            _ => 0,
        };
        let each = problem.blocks.iter();
        each.map(|block| of(&block.location) * block.condition.expressions().len()).sum()
    };
    let open = (0..problem.dimensions()).filter(|&k| !problem.axes[k].periodic);
    open.map(|k| {
        let needed = (0..problem.unknowns.len()).map(|q| order(q, k)).sum::<usize>();
        (k, needed, given(k))
    })
    .find(|(_, needed, given)| given < needed)
    .map(|(k, needed, given)| Free::Ends {
        coordinate: problem.axes[k].name.clone(),
        needed,
        given,
    })
}
