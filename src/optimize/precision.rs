//! Settings that ask for more than the numbers of a run can tell.

use crate::field::residual::Rounding;
use crate::problem::residual::{CutoffScale, TrainingMethod, TrainingSettings};

/// What of a method's settings lies below the noise of a Jacobian that is known to `rounding`, and
/// what is done instead; `None` where nothing does.
///
/// The cutoff of `anagram` is a share of the largest singular value of J, those of `engd` and `sngd`
/// of the largest eigenvalue of `J^T J`, as is the damping of `kernel`. What an absolute cutoff is
/// worth shows only with J itself. `lm` tries dampings below the noise as well: the loss judges them,
/// and for Poisson's equation in two dimensions, mixed, they leave 2.4e-8 where others leave 6.5e-8.
#[must_use]
pub fn beyond_precision(settings: &TrainingSettings, rounding: Rounding) -> Option<String> {
    let noise = rounding.noise();
    let lost = |key: &str, value: f64, limit: f64| {
        (value < limit).then(|| {
            format!(
                "method.{key} = {value:e} lies below the noise of the Jacobian's numbers, and counts as \
                 {limit:.1e}. Set run.precision = \"f64\", on the CPU or a device that has it, to go lower"
            )
        })
    };
    let relative = settings.cutoff_scale != CutoffScale::Absolute;
    let cutoff = settings.cutoff.filter(|_| relative);
    let found = match settings.name {
        TrainingMethod::Anagram => cutoff.and_then(|value| lost("cutoff", value, noise)),
        TrainingMethod::Engd | TrainingMethod::Sngd | TrainingMethod::SngdTwoPass => {
            cutoff.and_then(|value| lost("cutoff", value, noise.powi(2)))
        }
        TrainingMethod::Kernel => {
            settings.damping.and_then(|value| lost("damping", value, noise.powi(2)))
        }
        _ => None,
    };
    found.or_else(|| unreachable_loss(settings.tolerance))
}

/// A loss is a sum of squares of numbers whose round-off is that of f64 at best.
fn unreachable_loss(tolerance: f64) -> Option<String> {
    let least = f64::EPSILON.powi(2);
    (tolerance > 0.0 && tolerance < least).then(|| {
        format!(
            "method.tolerance = {tolerance:e} is a loss that no numbers reach: the round-off of f64 \
             leaves {least:.1e} or more. The training ends with its iterations"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::ResidualProblem;

    const SINGLE: Rounding = Rounding { entries: 1e-7, products: f64::EPSILON };

    fn warning(method: &str, rounding: Rounding) -> Option<String> {
        let text = format!(
            "format = 1\n[domain]\nx = {{ range = [0, 1] }}\n[residual.interior]\n\
             equation = 'u_xx = 1'\n[method]\n{method}"
        );
        let problem = ResidualProblem::from_toml(&text, &Vec::new()).expect("a problem");
        beyond_precision(&problem.method, rounding)
    }

    #[test]
    fn settings_below_the_noise_are_named_with_what_counts_instead() {
        for (method, key, counts) in [
            ("name = 'anagram'\ncutoff = 1e-9", "method.cutoff = 1e-9", "1.0e-7"),
            ("name = 'anagram'\ncutoff = 1e-9\ncutoff_scale = 'adapted'", "cutoff", "1.0e-7"),
            ("name = 'engd'\ncutoff = 1e-15", "method.cutoff = 1e-15", "1.0e-14"),
            ("name = 'sngd'\ncutoff = 1e-15", "method.cutoff", "1.0e-14"),
            ("name = 'sngd-two-pass'\ncutoff = 1e-15", "method.cutoff", "1.0e-14"),
            ("name = 'kernel'\ndamping = 1e-15", "method.damping = 1e-15", "1.0e-14"),
        ] {
            let text = warning(method, SINGLE).unwrap_or_else(|| panic!("{method}: no warning"));
            assert!(text.contains(key) && text.contains(counts), "{method}: {text}");
            assert_eq!(warning(method, Rounding::DOUBLE), None, "{method}");
        }
        for method in [
            "name = 'anagram'\ncutoff = 1e-6",
            "name = 'anagram'\ncutoff = 1e-9\ncutoff_scale = 'absolute'",
            "name = 'lm'\ncutoff = 1e-8",
            "name = 'sngd'\ncutoff = 1e-13",
            "name = 'kernel'",
        ] {
            assert_eq!(warning(method, SINGLE), None, "{method}");
        }
    }

    #[test]
    fn a_loss_below_round_off_is_never_reached() {
        let text = warning("tolerance = 1e-40", Rounding::DOUBLE).expect("a warning");
        assert!(text.contains("method.tolerance = 1e-40"), "{text}");
        assert_eq!(warning("tolerance = 1e-20", Rounding::DOUBLE), None);
    }
}
