//! Lines of equal value over a grid (marching squares).

/// A piece of a line, from and to, in fractions of the grid's indices.
pub type Segment = [[f64; 2]; 2];

/// The lines on which the bilinear interpolant of `values` takes the value `level`, as straight
/// pieces, one or two per cell; `values` has `shape[0]` rows of `shape[1]`. Cells with a value that
/// is not finite have none. Where a cell could be cut in two ways its mean decides.
pub fn contour(values: &[f64], shape: [usize; 2], level: f64, pieces: &mut Vec<Segment>) {
    let [rows, columns] = shape;
    if rows < 2 || columns < 2 || values.len() != rows * columns {
        return;
    }
    for i in 0..rows - 1 {
        for j in 0..columns - 1 {
            let corner = |a: usize, b: usize| values[(i + a) * columns + j + b] - level;
            // Around the cell, so that neighbours share a side.
            let around = [corner(0, 0), corner(0, 1), corner(1, 1), corner(1, 0)];
            if around.iter().all(|v| v.is_finite()) {
                cell(around, [i as f64, j as f64], pieces);
            }
        }
    }
}

fn cell(around: [f64; 4], [i, j]: [f64; 2], pieces: &mut Vec<Segment>) {
    const PLACES: [[f64; 2]; 4] = [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]];
    let mut crossings = [[0.0; 2]; 4];
    let mut count = 0;
    for side in 0..4 {
        let (a, b) = (around[side], around[(side + 1) % 4]);
        if (a > 0.0) != (b > 0.0) {
            let share = a / (a - b);
            let (from, to) = (PLACES[side], PLACES[(side + 1) % 4]);
            let between = |k: usize| from[k] + share * (to[k] - from[k]);
            crossings[count] = [i + between(0), j + between(1)];
            count += 1;
        }
    }
    match count {
        2 => pieces.push([crossings[0], crossings[1]]),
        4 => {
            // A saddle: the first corner is cut off, or joined with the one across.
            let joined = (around.iter().sum::<f64>() > 0.0) == (around[0] > 0.0);
            let [a, b, c, d] = crossings;
            pieces.extend(if joined { [[a, b], [c, d]] } else { [[d, a], [b, c]] });
        }
        _ => {}
    }
}

/// Round numbers inside of a range, about `count` of them.
pub fn levels([lower, upper]: [f64; 2], count: usize) -> Vec<f64> {
    let span = upper - lower;
    if span <= 0.0 || !span.is_finite() {
        return Vec::new();
    }
    let rough = span / count as f64;
    let decade = 10f64.powf(rough.log10().floor());
    let factor =
        [1.0, 2.0, 5.0, 10.0].into_iter().find(|f| f * decade >= 0.7 * rough).unwrap_or(10.0);
    let step = factor * decade;
    let first = (lower / step).ceil() as i64;
    (first..).map(|k| k as f64 * step).take_while(|level| *level < upper).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contour_of_a_cone_is_a_circle() {
        let n = 81;
        let radius = |i: f64, j: f64| ((i - 40.0).powi(2) + (j - 40.0).powi(2)).sqrt();
        let values: Vec<f64> = (0..n * n).map(|k| radius((k / n) as f64, (k % n) as f64)).collect();
        let mut pieces = Vec::new();
        contour(&values, [n, n], 25.0, &mut pieces);
        let mut length = 0.0;
        for [a, b] in &pieces {
            for p in [a, b] {
                assert!((radius(p[0], p[1]) - 25.0).abs() < 0.02, "{p:?}");
            }
            length += ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).sqrt();
        }
        // It is closed and nothing is drawn twice.
        assert!((length / (2.0 * std::f64::consts::PI * 25.0) - 1.0).abs() < 0.01, "{length}");
    }

    #[test]
    fn saddles_are_cut_twice_and_gaps_not_at_all() {
        let mut pieces = Vec::new();
        contour(&[1.0, -1.0, -1.0, 1.2], [2, 2], 0.0, &mut pieces);
        assert_eq!(pieces.len(), 2);
        // The mean is above: the two lower corners are cut off.
        for [a, b] in &pieces {
            let middle = [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
            assert!((middle[0] - middle[1]).abs() > 0.3, "{middle:?}");
        }
        pieces.clear();
        contour(&[1.0, f64::NAN, -1.0, -1.0], [2, 2], 0.0, &mut pieces);
        contour(&[1.0, -1.0], [2, 2], 0.0, &mut pieces);
        assert!(pieces.is_empty());
    }

    #[test]
    fn levels_are_round_and_inside() {
        let found = levels([-1.03, 1.03], 9);
        assert!(found.len() >= 6 && found.contains(&0.0), "{found:?}");
        assert!(found.iter().all(|level| (-1.03..1.03).contains(level)));
        assert!(levels([1.0, 1.0], 9).is_empty());
    }
}
