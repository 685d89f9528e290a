//! The axes of figures: one number of a run each.

use super::study::Quantity;
use crate::cli::runs::outcome::Measures;
use crate::output::ResultFolder;

/// The share of the time that counts as early.
const EARLY: f64 = 0.05;

/// One number of a run; none where it has none.
pub fn measure(run: &Measures, quantity: Quantity, folder: &ResultFolder) -> Option<f64> {
    match quantity {
        Quantity::Columns => run.columns.map(|s| s as f64),
        Quantity::Parameters => Some(run.parameters as f64),
        Quantity::Points => Some(run.points as f64),
        Quantity::Seconds => Some(run.seconds),
        Quantity::SecondsPerStep => Some(run.seconds / run.steps.max(1) as f64),
        Quantity::RelativeL2 | Quantity::Error => run.relative_l2,
        Quantity::EarlyResidual => mean_residual(folder, EARLY),
        Quantity::MeanResidual | Quantity::Residual => mean_residual(folder, 1.0),
        Quantity::Time => None,
    }
}

/// Mean over the steps of the first `share` of the time.
fn mean_residual(folder: &ResultFolder, share: f64) -> Option<f64> {
    let records = folder.read_history().ok()?.records;
    let (first, last) = (records.first()?, records.last()?);
    let start = first.time - first.dt;
    let until = start + share * (last.time - start);
    let early: Vec<f64> = records
        .iter()
        .filter(|r| r.time <= until || r.step == first.step)
        .map(|r| r.residual)
        .collect();
    Some(early.iter().sum::<f64>() / early.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_has_not_is_none() {
        let run = Measures {
            relative_l2: None,
            estimated_error: None,
            seconds: 8.5,
            steps: 17,
            parameters: 30,
            points: 64,
            columns: None,
            out_of_time: false,
        };
        let folder = ResultFolder::open("nowhere");
        assert_eq!(measure(&run, Quantity::SecondsPerStep, &folder), Some(0.5));
        assert_eq!(measure(&run, Quantity::Columns, &folder), None);
        assert_eq!(measure(&run, Quantity::MeanResidual, &folder), None);
    }
}
