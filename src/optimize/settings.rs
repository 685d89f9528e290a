//! What an optimiser is told.

use super::error::OptimizeError;
use crate::linalg::TestMatrixKind;

/// A method with its settings; the defaults are the published ones where there are any.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Method {
    /// Levenberg-Marquardt with iterated geodesic acceleration in a random subspace.
    Levenberg(LevenbergSettings),
    /// Energy natural gradient descent: least squares on `G = J^T J`.
    Engd(EngdSettings),
    /// Sketched natural gradient descent.
    Sngd(SngdSettings),
    /// Empirical natural gradient: the pseudo-inverse of J.
    Anagram(AnagramSettings),
    /// `J^T (J J^T + lambda)^-1 r` with adapted damping.
    Kernel(KernelSettings),
    /// The kernel form with momentum.
    Spring(SpringSettings),
    /// The kernel form with a randomized Nystrom approximation of `J J^T`.
    Nystrom(NystromSettings),
    Adam(AdamSettings),
    Lbfgs(LbfgsSettings),
    Bfgs,
}

impl Method {
    /// Every method with its default settings, by the word that problem files use.
    #[must_use]
    pub fn all() -> [Self; 10] {
        [
            Self::Levenberg(LevenbergSettings::default()),
            Self::Engd(EngdSettings::default()),
            Self::Sngd(SngdSettings::default()),
            Self::Anagram(AnagramSettings::default()),
            Self::Kernel(KernelSettings::default()),
            Self::Spring(SpringSettings::default()),
            Self::Nystrom(NystromSettings::default()),
            Self::Adam(AdamSettings::default()),
            Self::Lbfgs(LbfgsSettings::default()),
            Self::Bfgs,
        ]
    }

    /// The word that stands for the method.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Levenberg(_) => "lm",
            Self::Engd(_) => "engd",
            Self::Sngd(_) => "sngd",
            Self::Anagram(_) => "anagram",
            Self::Kernel(_) => "kernel",
            Self::Spring(_) => "spring",
            Self::Nystrom(_) => "nystrom",
            Self::Adam(_) => "adam",
            Self::Lbfgs(_) => "lbfgs",
            Self::Bfgs => "bfgs",
        }
    }

    /// The method of a word, with its default settings.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::all().into_iter().find(|method| method.word() == word)
    }
}

/// How long a step is, along a direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LineSearch {
    /// The best of eta = 0.5^k, k = 0..=`halvings`, all evaluated in one batch.
    Grid { halvings: usize },
    /// The same grid, then golden sections between the best point's neighbours, several at a time
    /// in one batch, until the interval has shrunk to `tolerance` of its length.
    Golden { halvings: usize, tolerance: f64 },
    /// Always the same length, whatever the loss does.
    Fixed { rate: f64 },
}

impl Default for LineSearch {
    fn default() -> Self {
        Self::Grid { halvings: 30 }
    }
}

/// Below which eigenvalues or singular values are left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cutoff {
    /// As a share of the largest.
    Relative(f64),
    Absolute(f64),
}

impl Cutoff {
    /// As a share of `largest`.
    #[must_use]
    pub fn relative_to(self, largest: f64) -> f64 {
        match self {
            Self::Relative(share) => share,
            Self::Absolute(_) if largest == 0.0 => 0.0,
            Self::Absolute(value) => value / largest,
        }
    }
}

/// Of `lm`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevenbergSettings {
    pub subspace: Subspace,
    pub kind: TestMatrixKind,
    /// Start value of the damping, relative to the largest singular value.
    pub damping: f64,
    /// The damping does not go below this; round-off sets another bound.
    pub least_damping: f64,
    /// Repetitions of the step with one factor (geodesic acceleration, iterated).
    pub repetitions: usize,
}

/// The random subspace in which a step is sought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subspace {
    /// All parameters.
    Full,
    /// `share` times as many columns as singular values matter for the damping.
    Adaptive { share: f64 },
    /// So many columns.
    Columns(usize),
}

impl Default for LevenbergSettings {
    fn default() -> Self {
        Self {
            subspace: Subspace::Adaptive { share: 2.5 },
            kind: TestMatrixKind::Trigonometric,
            damping: 1e-3,
            least_damping: 1e-14,
            repetitions: 5,
        }
    }
}

/// Of `engd`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EngdSettings {
    /// Of the eigenvalues of G; `None`: `eps p`, as least-squares libraries choose.
    pub cutoff: Option<Cutoff>,
    pub line_search: LineSearch,
}

/// How often `sngd` multiplies with G.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passes {
    Single,
    Two,
}

/// Of `sngd`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SngdSettings {
    pub passes: Passes,
    pub kind: TestMatrixKind,
    /// Eigenvalues of G that are kept.
    pub cutoff: Cutoff,
    /// Whether the cutoff is only where the run begins, several around the last one being judged by
    /// the loss.
    pub adapted: bool,
    /// Columns of the first sketch, from which the rank and the oversampling are taken.
    pub first_sketch: usize,
    /// Columns beyond the rank of the last iteration; `None`: the first index at which the first
    /// sketch's spectrum falls below machine precision.
    pub oversampling: Option<usize>,
    pub power_iterations: usize,
    pub line_search: LineSearch,
}

impl Default for SngdSettings {
    fn default() -> Self {
        Self {
            passes: Passes::Two,
            kind: TestMatrixKind::Gaussian,
            cutoff: Cutoff::Relative(1e-13),
            adapted: false,
            first_sketch: 200,
            oversampling: None,
            power_iterations: 0,
            line_search: LineSearch::default(),
        }
    }
}

/// Of `anagram`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnagramSettings {
    pub cutoff: SingularCutoff,
    pub line_search: LineSearch,
}

/// Which singular values of J `anagram` keeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SingularCutoff {
    /// `sqrt(eps p) sigma_max`, the published default.
    Default,
    Fixed(Cutoff),
    /// Several around the last one, from one decomposition, judged by the loss; none below `least`,
    /// relative to the largest.
    Adapted {
        least: f64,
    },
}

impl Default for AnagramSettings {
    fn default() -> Self {
        Self { cutoff: SingularCutoff::Adapted { least: 0.0 }, line_search: LineSearch::default() }
    }
}

/// Of `kernel`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KernelSettings {
    /// lambda at the start, as a share of the largest eigenvalue of `J J^T`.
    pub damping: f64,
    /// Dampings tried around the last one, from one eigen-decomposition.
    pub trials: usize,
}

impl Default for KernelSettings {
    fn default() -> Self {
        Self { damping: 1e-6, trials: 9 }
    }
}

/// Of `spring`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpringSettings {
    /// lambda itself, not a share.
    pub damping: f64,
    /// mu.
    pub momentum: f64,
    pub line_search: LineSearch,
}

impl Default for SpringSettings {
    fn default() -> Self {
        // arXiv 2505.12149 has, for Laplace's equation in five dimensions and 10,065 parameters, a
        // damping of 6.8e-10 and steps of 0.064: on small networks they diverge.
        Self { damping: 1e-6, momentum: 0.83, line_search: LineSearch::default() }
    }
}

/// Of `nystrom`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NystromSettings {
    /// lambda, as a share of the largest eigenvalue of `J J^T`.
    pub damping: f64,
    /// Rank of the approximation; 0: a tenth of the rows.
    pub rank: usize,
    pub kind: TestMatrixKind,
    pub line_search: LineSearch,
}

impl Default for NystromSettings {
    fn default() -> Self {
        Self {
            damping: 1e-9,
            rank: 0,
            kind: TestMatrixKind::Gaussian,
            line_search: LineSearch::default(),
        }
    }
}

/// Of `adam` (Kingma, Ba: arXiv 1412.6980).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    pub rate: f64,
    pub schedule: Schedule,
}

impl Default for AdamSettings {
    fn default() -> Self {
        Self { rate: 1e-3, schedule: Schedule::Constant }
    }
}

/// How Adam's rate changes with the step k.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    Constant,
    /// `(1 + cos(pi k / period)) / 2`, k modulo the period.
    Cosine {
        period: u64,
    },
}

/// Of `lbfgs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbfgsSettings {
    /// Pairs of steps and gradient differences that are remembered.
    pub memory: usize,
}

impl Default for LbfgsSettings {
    fn default() -> Self {
        Self { memory: 20 }
    }
}

impl Method {
    /// That every setting is in its range.
    pub fn check(&self) -> Result<(), OptimizeError> {
        match *self {
            Self::Levenberg(settings) => {
                positive("damping", settings.damping)?;
                positive("least damping", settings.least_damping)?;
                match settings.subspace {
                    Subspace::Full => Ok(()),
                    Subspace::Adaptive { share } => positive("share", share),
                    Subspace::Columns(columns) => positive("columns", columns as f64),
                }
            }
            Self::Engd(settings) => {
                settings.line_search.check()?;
                settings.cutoff.map_or(Ok(()), Cutoff::check)
            }
            Self::Sngd(settings) => {
                positive("sketch", settings.first_sketch as f64)?;
                settings.line_search.check()?;
                settings.cutoff.check()
            }
            Self::Anagram(settings) => {
                settings.line_search.check()?;
                match settings.cutoff {
                    SingularCutoff::Fixed(cutoff) => cutoff.check(),
                    SingularCutoff::Default | SingularCutoff::Adapted { .. } => Ok(()),
                }
            }
            Self::Kernel(settings) => positive("damping", settings.damping),
            Self::Spring(settings) => {
                positive("damping", settings.damping)?;
                let momentum = settings.momentum;
                within("momentum", momentum, "0 to 1, without 1", (0.0..1.0).contains(&momentum))?;
                settings.line_search.check()
            }
            Self::Nystrom(settings) => {
                positive("damping", settings.damping)?;
                settings.line_search.check()
            }
            Self::Adam(settings) => positive("rate", settings.rate),
            Self::Lbfgs(_) | Self::Bfgs => Ok(()),
        }
    }
}

impl LineSearch {
    fn check(self) -> Result<(), OptimizeError> {
        match self {
            Self::Grid { .. } => Ok(()),
            Self::Golden { tolerance, .. } => within(
                "tolerance of the line search",
                tolerance,
                "0 to 1, without the ends",
                tolerance > 0.0 && tolerance < 1.0,
            ),
            Self::Fixed { rate } => positive("rate", rate),
        }
    }
}

impl Cutoff {
    fn check(self) -> Result<(), OptimizeError> {
        match self {
            Self::Relative(share) => {
                within("cutoff", share, "0 to 1, without 1", (0.0..1.0).contains(&share))
            }
            Self::Absolute(value) => {
                within("cutoff", value, "0 and above", value >= 0.0 && value.is_finite())
            }
        }
    }
}

fn positive(setting: &'static str, value: f64) -> Result<(), OptimizeError> {
    within(setting, value, "numbers above 0", value > 0.0 && value.is_finite())
}

fn within(
    setting: &'static str,
    value: f64,
    range: &'static str,
    holds: bool,
) -> Result<(), OptimizeError> {
    if holds { Ok(()) } else { Err(OptimizeError::Setting { setting, value, range }) }
}
