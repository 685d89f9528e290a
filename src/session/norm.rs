//! How far two fields are apart.

/// || u - v || / || v ||, or the root mean square of u - v where v is zero; of any numbers whose
/// quotient is a number, since squares of the largest and the smallest of them are not.
pub(super) fn relative_l2(u: &[f64], v: &[f64]) -> f64 {
    let largest = v.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    let scale = if largest > 0.0 { largest } else { 1.0 };
    let (difference, size) = u.iter().zip(v).fold((0.0, 0.0), |(d, s), (a, b)| {
        (d + (a / scale - b / scale).powi(2), s + (b / scale).powi(2))
    });
    if size > 0.0 {
        (difference / size).sqrt()
    } else {
        f64::sqrt(difference / u.len().max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::relative_l2;

    #[test]
    fn errors_are_relative_at_every_size() {
        for scale in [1e-300, 1e-170, 1.0, 1e170, 1e300] {
            let error = relative_l2(&[1.1 * scale, -2.0 * scale], &[scale, -2.0 * scale]);
            let expected = 0.1 / 5.0f64.sqrt();
            assert!((error - expected).abs() < 1e-12, "{error} at {scale}");
        }
        assert_eq!(relative_l2(&[3.0, 4.0], &[0.0, 0.0]), 12.5f64.sqrt());
        assert!(relative_l2(&[f64::NAN], &[1.0]).is_nan());
    }
}
