//! The bits of every algorithm that has more than one thread: they are those of one.

use nalgebra::DMatrix;

use super::bridge;
use super::products::{self, norm};
use super::testing::normals;
use super::*;
use crate::problem::Solver;

fn matrix(rows: usize, columns: usize, seed: u64) -> DMatrix<f64> {
    DMatrix::from_vec(rows, columns, normals(rows * columns, seed))
}

/// `A^T A + I`.
fn definite(order: usize) -> DMatrix<f64> {
    let a = matrix(order, order, 5);
    a.transpose() * &a + DMatrix::identity(order, order)
}

fn bits<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> Vec<u64> {
    numbers.into_iter().map(|x| x.to_bits()).collect()
}

/// Holds what `of` gives on two, three and five threads against that of one.
fn same_on_all(what: &str, of: impl Fn() -> Vec<u64> + Sync) {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(&of)
    };
    let one = on(1);
    for threads in [2, 3, 5] {
        let others = on(threads);
        let differ = one.iter().zip(&others).filter(|(a, b)| a != b).count();
        assert!(
            differ == 0 && one.len() == others.len(),
            "{what}: {differ} of {} numbers differ on {threads} threads",
            one.len()
        );
    }
}

/// Shapes of products: below and above what is shared out, tall, flat and deep.
const SHAPES: [(usize, usize, usize); 6] = [
    (150, 150, 40),
    (300, 200, 100),
    (1_100, 60, 70),
    (60, 2_100, 90),
    (40, 3_000, 40),
    (700, 650, 1),
];

#[test]
fn products_of_matrices() {
    for (n, depth, m) in SHAPES {
        let (a, b) = (matrix(n, depth, 1), matrix(depth, m, 2));
        let (at, bt) = (a.transpose(), b.transpose());
        let what = format!("{n} x {depth} x {m}");
        same_on_all(&what, || bits(product(a.as_view(), b.as_view()).iter()));
        same_on_all(&what, || bits(transposed_product(at.as_view(), b.as_view()).iter()));
        same_on_all(&what, || bits(product_transposed(a.as_view(), bt.as_view()).iter()));
        same_on_all(&what, || {
            let mut out = DMatrix::default();
            lower_gram(a.as_view(), &mut out);
            bits(out.lower_triangle().iter())
        });
        let (v, w) = (normals(depth, 3), normals(n, 4));
        same_on_all(&what, || bits(&products::times(a.as_view(), &v)));
        same_on_all(&what, || bits(&products::transposed_times(a.as_view(), &w)));
    }
    let (a, v) = (matrix(9_000, 300, 1), normals(300, 2));
    same_on_all("both products", || {
        let (mut u, mut out) = (normals(9_000, 3), vec![0.0; 300]);
        products::multiply_both(a.as_view(), &v, 0.5, &mut u, &mut out);
        bits(u.iter().chain(&out))
    });
}

#[test]
fn factorisations() {
    for order in [120, 1_050] {
        let a = definite(order);
        let what = |name: &str| format!("{name} of order {order}");
        same_on_all(&what("Cholesky"), || {
            let mut l = a.clone();
            assert!(bridge::cholesky(&mut l, &mut bridge::Scratch::default()));
            bits(l.lower_triangle().iter())
        });
        let b = matrix(order, 70, 6);
        for transposed in [false, true] {
            same_on_all(&what("substitution"), || {
                let mut x = b.clone();
                let l = a.lower_triangle();
                bridge::substitute(l.as_view(), x.as_view_mut(), transposed);
                bits(x.iter())
            });
        }
        same_on_all(&what("LU"), || bits(&Lu::of(a.clone()).solve(&normals(order, 7))));
    }
    let a = definite(1_050);
    same_on_all("eigenvectors", || {
        let mut vectors = DMatrix::zeros(1_050, 1_050);
        let scratch = &mut bridge::Scratch::default();
        let values =
            bridge::symmetric_eigen(a.as_view(), &mut vectors, scratch).expect("converges");
        bits(values.iter().chain(vectors.iter()))
    });
    for (rows, columns) in [(500, 60), (400, 350), (200, 600)] {
        let a = matrix(rows, columns, 8);
        let what = |name: &str| format!("{name} of {rows} x {columns}");
        same_on_all(&what("QR"), || bits(orthonormal(a.as_view()).iter()));
        same_on_all(&what("pivoted QR"), || {
            let qr = PivotedQr::of(a.clone());
            let mut r = normals(rows, 9);
            qr.rotate(&mut r);
            bits(qr.factor.iter().chain(&r))
        });
        same_on_all(&what("SVD"), || {
            let size = rows.min(columns);
            let (mut u, mut v) = (DMatrix::zeros(rows, size), DMatrix::zeros(columns, size));
            let (vectors, scratch) = (Some((&mut u, &mut v)), &mut bridge::Scratch::default());
            let sigma = bridge::thin_svd(a.as_view(), vectors, scratch).expect("converges");
            bits(sigma.iter().chain(u.iter()).chain(v.iter()))
        });
    }
    let (a, b) = (definite(300), matrix(300, 40, 6));
    same_on_all("A^-1 B", || bits(bridge::solve(a.as_view(), b.as_view()).iter()));
}

#[test]
fn least_squares_by_every_solver() {
    let (n, s) = (2_600, 260);
    // Columns whose lengths decay over six orders of magnitude.
    let mut j = matrix(n, s, 10);
    for (k, mut column) in j.column_iter_mut().enumerate() {
        column *= 10f64.powf(-6.0 * k as f64 / s as f64);
    }
    let r = normals(n, 11);
    assert!(norm(&r) > 0.0);
    for solver in [
        Solver::Svd,
        Solver::PivotedQr,
        Solver::Gram,
        Solver::SketchAndSolve,
        Solver::SketchedLsqr,
        Solver::NystromCg,
    ] {
        for regularisation in [Regularisation::Damp, Regularisation::Truncate] {
            let settings = Settings { solver, regularisation, rcond: 1e-5, ..Settings::default() };
            same_on_all(&format!("{solver:?}, {regularisation:?}"), || {
                let solution = LeastSquares::new(settings).solve(j.as_view(), &r, 3);
                bits(&solution.expect("a finite problem").coefficients)
            });
        }
    }
}

/// What the tests above are for is seen: a sum by as many parts as there are threads.
#[test]
#[should_panic(expected = "numbers differ on")]
fn a_sum_in_another_order_is_seen() {
    use rayon::prelude::*;
    let x = normals(10_000, 1);
    same_on_all("a sum", || {
        let share = x.len().div_ceil(rayon::current_num_threads());
        let parts: Vec<f64> = x.par_chunks(share).map(|part| part.iter().sum()).collect();
        bits([&parts.iter().sum()])
    });
}
