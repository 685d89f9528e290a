//! The method and the stopping rule that a problem file asks for.

use super::settings::{
    AdamSettings, AnagramSettings, Cutoff, EngdSettings, KernelSettings, LevenbergSettings,
    LineSearch, Method, NystromSettings, Passes, Schedule, SingularCutoff, SngdSettings,
    SpringSettings, Subspace,
};
use super::stopping::{Stall, StoppingRule};
use crate::problem::ResidualProblem;
use crate::problem::residual::{
    self, CutoffScale, RateSchedule, ResidualBlock, TrainingMethod, TrainingSettings,
};

/// Of golden sections: the length to which the interval shrinks.
const GOLDEN_TOLERANCE: f64 = 1e-3;
/// A training ends where its loss fell by less than this over a tenth of all iterations, and over so
/// many at least; methods that go by the gradient alone take many small steps.
const FALLS: f64 = 0.7;
const LEAST_PATIENCE: usize = 100;
const FALLS_BY_GRADIENT: f64 = 0.9;
const LEAST_PATIENCE_BY_GRADIENT: usize = 500;
const PART: usize = 10;

impl Method {
    /// The method of a problem file; what the file leaves open is the method's default.
    #[must_use]
    pub fn chosen(settings: &TrainingSettings) -> Self {
        let line_search = line_search(settings);
        let cutoff = settings.cutoff.map(|value| match settings.cutoff_scale {
            CutoffScale::Absolute => Cutoff::Absolute(value),
            CutoffScale::Relative | CutoffScale::Adapted => Cutoff::Relative(value),
        });
        match settings.name {
            TrainingMethod::LevenbergMarquardt => Self::Levenberg(levenberg(settings)),
            TrainingMethod::Engd => Self::Engd(EngdSettings { cutoff, line_search }),
            TrainingMethod::Sngd => Self::Sngd(sngd(settings, cutoff, Passes::Single)),
            TrainingMethod::SngdTwoPass => Self::Sngd(sngd(settings, cutoff, Passes::Two)),
            TrainingMethod::Anagram => {
                let cutoff = match (settings.cutoff_scale, cutoff) {
                    (CutoffScale::Adapted, _) => {
                        SingularCutoff::Adapted { least: settings.cutoff.unwrap_or(0.0) }
                    }
                    (_, Some(cutoff)) => SingularCutoff::Fixed(cutoff),
                    (_, None) => SingularCutoff::Default,
                };
                Self::Anagram(AnagramSettings { cutoff, line_search })
            }
            TrainingMethod::Kernel => {
                let default = KernelSettings::default();
                let damping = settings.damping.unwrap_or(default.damping);
                Self::Kernel(KernelSettings { damping, ..default })
            }
            TrainingMethod::Spring => {
                let default = SpringSettings::default();
                Self::Spring(SpringSettings {
                    damping: settings.damping.unwrap_or(default.damping),
                    momentum: settings.momentum.unwrap_or(default.momentum),
                    line_search,
                })
            }
            TrainingMethod::Nystrom => {
                let default = NystromSettings::default();
                Self::Nystrom(NystromSettings {
                    damping: settings.damping.unwrap_or(default.damping),
                    rank: settings.sketch.unwrap_or(default.rank),
                    line_search,
                    ..default
                })
            }
            TrainingMethod::Adam => {
                let period = settings.iterations as u64;
                let schedule = match settings.schedule {
                    RateSchedule::Constant => Schedule::Constant,
                    RateSchedule::Cosine => Schedule::Cosine { period },
                };
                let rate = settings.rate.unwrap_or(AdamSettings::default().rate);
                Self::Adam(AdamSettings { rate, schedule })
            }
            TrainingMethod::Lbfgs => Self::Lbfgs(super::LbfgsSettings::default()),
            TrainingMethod::Bfgs => Self::Bfgs,
        }
    }
}

impl StoppingRule {
    /// The rule of a problem file: a loss that falls no longer ends the training, unless points or
    /// weights change along it and the loss with them.
    #[must_use]
    pub fn chosen(problem: &ResidualProblem) -> Self {
        let settings = &problem.method;
        let redrawn = |block: &ResidualBlock| block.samples.resample > 0;
        let changes = settings.causal.is_some() || problem.blocks.iter().any(redrawn);
        let by_gradient = matches!(
            settings.name,
            TrainingMethod::Adam | TrainingMethod::Lbfgs | TrainingMethod::Bfgs
        );
        let (least, factor) = match by_gradient {
            true => (LEAST_PATIENCE_BY_GRADIENT, FALLS_BY_GRADIENT),
            false => (LEAST_PATIENCE, FALLS),
        };
        let patience = (settings.iterations / PART).max(least);
        Self {
            max_iterations: settings.iterations,
            loss: (settings.tolerance > 0.0).then_some(settings.tolerance),
            stall: (!changes).then_some(Stall { patience, factor }),
            ..Self::default()
        }
    }
}

fn levenberg(settings: &TrainingSettings) -> LevenbergSettings {
    let default = LevenbergSettings::default();
    LevenbergSettings {
        subspace: settings.sketch.map_or(default.subspace, Subspace::Columns),
        damping: settings.damping.unwrap_or(default.damping),
        least_damping: settings.cutoff.unwrap_or(default.least_damping),
        ..default
    }
}

fn sngd(settings: &TrainingSettings, cutoff: Option<Cutoff>, passes: Passes) -> SngdSettings {
    let default = SngdSettings::default();
    SngdSettings {
        passes,
        cutoff: cutoff.unwrap_or(default.cutoff),
        adapted: settings.cutoff_scale == CutoffScale::Adapted,
        first_sketch: settings.sketch.unwrap_or(default.first_sketch),
        oversampling: settings.oversampling,
        line_search: line_search(settings),
        ..default
    }
}

fn line_search(settings: &TrainingSettings) -> LineSearch {
    match settings.line_search {
        residual::LineSearch::Grid => LineSearch::default(),
        residual::LineSearch::Golden => {
            LineSearch::Golden { halvings: 30, tolerance: GOLDEN_TOLERANCE }
        }
        residual::LineSearch::None => LineSearch::Fixed { rate: settings.rate.unwrap_or(1.0) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::ResidualProblem;

    fn chosen(method: &str) -> Method {
        let text = format!(
            "format = 1\n[domain]\nx = {{ range = [0, 1] }}\n[residual.interior]\n\
             equation = 'u_xx = 1'\n[method]\n{method}"
        );
        let problem = ResidualProblem::from_toml(&text, &Vec::new()).expect("a problem");
        Method::chosen(&problem.method)
    }

    #[test]
    fn every_word_has_its_method_with_its_own_settings() {
        for method in Method::all() {
            let asked = chosen(&format!("name = '{}'", method.word()));
            assert_eq!(asked.word(), method.word());
            asked.check().expect("defaults are in range");
        }
        assert_eq!(chosen("name = 'spring'"), Method::Spring(SpringSettings::default()));
        assert_eq!(
            chosen("name = 'sngd-two-pass'\ncutoff = 1e-12\ncutoff_scale = 'absolute'\nsketch = 7"),
            Method::Sngd(SngdSettings {
                cutoff: Cutoff::Absolute(1e-12),
                first_sketch: 7,
                ..SngdSettings::default()
            })
        );
        assert_eq!(
            chosen("name = 'anagram'\ncutoff_scale = 'adapted'"),
            Method::Anagram(AnagramSettings::default())
        );
        assert_eq!(
            chosen("name = 'anagram'\ncutoff_scale = 'adapted'\ncutoff = 1e-6"),
            Method::Anagram(AnagramSettings {
                cutoff: SingularCutoff::Adapted { least: 1e-6 },
                ..AnagramSettings::default()
            })
        );
        assert_eq!(
            chosen("name = 'adam'\niterations = 50\nrate = 0.01\nschedule = 'cosine'"),
            Method::Adam(AdamSettings { rate: 0.01, schedule: Schedule::Cosine { period: 50 } })
        );
        assert_eq!(
            chosen("name = 'spring'\nrate = 0.064\ndamping = 6.8e-10"),
            Method::Spring(SpringSettings {
                damping: 6.8e-10,
                line_search: LineSearch::Fixed { rate: 0.064 },
                ..SpringSettings::default()
            })
        );
        assert!(matches!(
            chosen("name = 'lm'\nsketch = 300"),
            Method::Levenberg(LevenbergSettings { subspace: Subspace::Columns(300), .. })
        ));
    }
}
