//! Randomized range finders: an orthonormal basis Q with `|G - Q Q^T G|` small.
//!
//! Halko, Martinsson, Tropp: "Finding structure with randomness", SIAM Review 2011: `Y = G Omega`,
//! `Q = orth(Y)` (algorithm 4.1), power iterations with an orthonormalisation after every product
//! (4.4), blocks that are added until the estimated error is small enough (4.2).

use nalgebra::{DMatrix, DMatrixView};

use super::bridge::{orthonormal, product, transposed_product};
use super::eigen::{SymmetricOperator, check_finite};
use super::test_matrix::{TestMatrix, TestMatrixKind};

/// `|B| <= 10 sqrt(2 / pi) max_i |B w_i|` over q standard normal vectors w fails with a probability
/// of at most `10^-q` (Halko, Martinsson, Tropp, lemma 4.1).
const PROBE_FACTOR: f64 = 7.978_845_608_028_654;
/// Gaussian probes of an error estimate: it is too small once in `10^6` draws.
pub const PROBES: usize = 6;
/// Epochs (see [`TestMatrix`]) of probes, beyond those of any iteration.
const PROBE_EPOCH: u64 = 1 << 38;

/// How a range is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RangeSettings {
    pub kind: TestMatrixKind,
    /// Products with G after the first: each multiplies the ratio of wanted to unwanted
    /// eigenvalues by itself once more.
    pub power_iterations: usize,
    pub seed: u64,
    /// Numbers the draw: the iteration, say.
    pub epoch: u64,
}

impl Default for RangeSettings {
    fn default() -> Self {
        Self { kind: TestMatrixKind::Gaussian, power_iterations: 0, seed: 0, epoch: 0 }
    }
}

/// A basis of the dominant range of G.
#[derive(Clone, Debug)]
pub struct Range {
    /// Q, d x l, orthonormal columns.
    pub basis: DMatrix<f64>,
    /// What G was last multiplied with: Omega, or a basis after power iterations.
    pub test: DMatrix<f64>,
    /// `Y = G test`.
    pub sketch: DMatrix<f64>,
}

/// A basis of l = `size` columns.
///
/// # Errors
/// The operator's, or `NotFinite`.
pub async fn range<O: SymmetricOperator>(
    operator: &mut O,
    size: usize,
    settings: RangeSettings,
) -> Result<Range, O::Error> {
    let RangeSettings { kind, power_iterations, seed, epoch } = settings;
    let dimension = operator.dimension();
    let mut test = TestMatrix::new(kind, dimension, size.min(dimension), seed, epoch).dense();
    let mut sketch = operator.apply(test.as_view()).await?;
    check_finite(sketch.as_view())?;
    for _ in 0..power_iterations {
        test = orthonormal(sketch.as_view());
        sketch = operator.apply(test.as_view()).await?;
        check_finite(sketch.as_view())?;
    }
    Ok(Range { basis: orthonormal(sketch.as_view()), test, sketch })
}

/// A range whose size was found, and the bound that ended the search.
#[derive(Clone, Debug)]
pub struct AdaptiveRange {
    pub range: Range,
    /// Upper bound of `|G - Q Q^T G|`, wrong once in `10^6` draws.
    pub error: f64,
}

/// A basis that grows by `block` columns until `|G - Q Q^T G| <= tolerance` by [`range_error`], or
/// until it has `largest` columns.
///
/// # Errors
/// The operator's, or `NotFinite`.
pub async fn adaptive_range<O: SymmetricOperator>(
    operator: &mut O,
    tolerance: f64,
    block: usize,
    largest: usize,
    settings: RangeSettings,
) -> Result<AdaptiveRange, O::Error> {
    let dimension = operator.dimension();
    let largest = largest.min(dimension);
    let probes = probe_products(operator, settings).await?;
    let mut basis = DMatrix::<f64>::zeros(dimension, 0);
    let (mut test, mut sketch) = (basis.clone(), basis.clone());
    let mut number = 0;
    loop {
        let error = bound(without(basis.as_view(), probes.as_view()).as_view());
        if error <= tolerance || basis.ncols() >= largest {
            return Ok(AdaptiveRange { range: Range { basis, test, sketch }, error });
        }
        let size = block.clamp(1, largest - basis.ncols());
        // Each block is another draw of the same iteration.
        let epoch = settings.epoch | ((number + 1) << 28);
        let found = range(operator, size, RangeSettings { epoch, ..settings }).await?;
        // Twice: once more removes what round-off left of the old basis.
        let mut fresh = without(basis.as_view(), found.basis.as_view());
        fresh = without(basis.as_view(), orthonormal(fresh.as_view()).as_view());
        basis = beside(&basis, &orthonormal(fresh.as_view()));
        test = beside(&test, &found.test);
        sketch = beside(&sketch, &found.sketch);
        number += 1;
    }
}

/// Upper bound of `|G - Q Q^T G|` from [`PROBES`] further products; wrong once in `10^6` draws, and
/// above the truth by a factor of about eight and the spread of the spectrum.
///
/// # Errors
/// The operator's, or `NotFinite`.
pub async fn range_error<O: SymmetricOperator>(
    operator: &mut O,
    basis: DMatrixView<'_, f64>,
    settings: RangeSettings,
) -> Result<f64, O::Error> {
    let products = probe_products(operator, settings).await?;
    Ok(bound(without(basis, products.as_view()).as_view()))
}

/// Upper bound of `|G - H|` for an approximation H, by the same probes; `approximate` gives `H W`.
///
/// # Errors
/// The operator's, or `NotFinite`.
pub async fn approximation_error<O: SymmetricOperator>(
    operator: &mut O,
    approximate: impl FnOnce(DMatrixView<'_, f64>) -> DMatrix<f64>,
    settings: RangeSettings,
) -> Result<f64, O::Error> {
    let probes = probes(operator.dimension(), settings);
    let products = operator.apply(probes.as_view()).await?;
    check_finite(products.as_view())?;
    Ok(bound((products - approximate(probes.as_view())).as_view()))
}

fn probes(dimension: usize, settings: RangeSettings) -> DMatrix<f64> {
    let epoch = settings.epoch | PROBE_EPOCH;
    TestMatrix::new(TestMatrixKind::Gaussian, dimension, PROBES, settings.seed, epoch).dense()
}

async fn probe_products<O: SymmetricOperator>(
    operator: &mut O,
    settings: RangeSettings,
) -> Result<DMatrix<f64>, O::Error> {
    let products = operator.apply(probes(operator.dimension(), settings).as_view()).await?;
    check_finite(products.as_view())?;
    Ok(products)
}

fn bound(products: DMatrixView<'_, f64>) -> f64 {
    PROBE_FACTOR * products.column_iter().map(|column| column.norm()).fold(0.0, f64::max)
}

/// `Y - Q Q^T Y`.
fn without(basis: DMatrixView<'_, f64>, y: DMatrixView<'_, f64>) -> DMatrix<f64> {
    y - product(basis, transposed_product(basis, y).as_view())
}

fn beside(a: &DMatrix<f64>, b: &DMatrix<f64>) -> DMatrix<f64> {
    let entries = a.iter().chain(b.iter()).copied();
    DMatrix::from_iterator(b.nrows(), a.ncols() + b.ncols(), entries)
}
