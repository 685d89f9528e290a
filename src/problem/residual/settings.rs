//! The settings of residual problems and the words that stand for them.

use crate::settings::{Choice, choices};

/// How the squares of a block's rows become its part of the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Norm {
    /// The measure of the block's part of the domain times the mean: an integral.
    #[default]
    Integral,
    Mean,
    Sum,
}

choices!(Norm { "integral" => Integral, "mean" => Mean, "sum" => Sum });

/// Where the points of a block stand.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleSettings {
    pub layout: SampleLayout,
    /// Grids: nodes per free coordinate (one entry: the same along each). Else one total.
    pub count: Vec<usize>,
    /// Whether a grid keeps its outermost nodes, which stand on the walls.
    pub walls: bool,
    /// Draw new points every so many iterations; 0: never.
    pub resample: usize,
    /// k of points that are drawn again by the residual F, in proportion to
    /// `|F|^k / mean |F|^k + 1`; 0: evenly.
    pub refine: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleLayout {
    /// Equispaced nodes with both ends among them.
    Grid,
    /// Equispaced nodes, half a spacing away from both ends.
    Midpoints,
    /// Nodes of Gauss-Legendre quadrature, with its weights.
    Gauss,
    /// Independent and uniform.
    Random,
    /// Sobol's low-discrepancy sequence with a random digital shift.
    Sobol,
    /// One point in each of `count` equal slices of every coordinate.
    LatinHypercube,
}

choices!(SampleLayout {
    "grid" => Grid,
    "midpoints" => Midpoints,
    "gauss" => Gauss,
    "random" => Random,
    "sobol" => Sobol,
    "latin-hypercube" => LatinHypercube,
});

impl SampleLayout {
    /// Whether counts are per coordinate and the points always the same.
    #[must_use]
    pub fn is_grid(self) -> bool {
        matches!(self, Self::Grid | Self::Midpoints | Self::Gauss)
    }
}

/// Where the error against the exact solution is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluationSettings {
    pub layout: SampleLayout,
    /// As in [`SampleSettings`].
    pub count: Vec<usize>,
}

/// Weights along time that hold back what comes later: with L_k the mean square of the equation's
/// residual in slice k of the time axis, that slice counts `exp(-tolerance (L_0 + .. + L_(k-1)))`,
/// L_0 the weighted residual of the conditions at the start (Wang, Sankaran, Perdikaris, arXiv
/// 2203.07404, equations 2.9 to 2.11).
#[derive(Clone, Debug, PartialEq)]
pub struct CausalSettings {
    pub tolerance: f64,
    /// Equal slices of the coordinate.
    pub slices: usize,
    /// The coordinate, as a position among the axes.
    pub along: usize,
}

/// How coordinates enter the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputScaling {
    /// Scaled to \[-1, 1\].
    #[default]
    Scaled,
    /// As they are.
    Raw,
}

choices!(InputScaling { "scaled" => Scaled, "raw" => Raw });

/// How starting parameters are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initialisation {
    /// Weights and biases normal with this standard deviation.
    Normal { deviation: f64 },
    /// Weights normal of variance 2 / (fan-in + fan-out), biases zero (Glorot, Bengio, 2010).
    Glorot,
    /// Weights truncated normal of variance 1 / fan-in, biases zero.
    Lecun,
}

/// How the loss is minimised.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingSettings {
    pub name: TrainingMethod,
    pub iterations: usize,
    /// Stop where the loss is at most this.
    pub tolerance: f64,
    /// Singular or eigenvalues below it count as zero; `None`: the method's own.
    pub cutoff: Option<f64>,
    pub cutoff_scale: CutoffScale,
    /// Columns of the first sketch; `None`: the method's own.
    pub sketch: Option<usize>,
    /// Columns of a sketch beyond the rank that is looked for; `None`: the method's own.
    pub oversampling: Option<usize>,
    pub line_search: LineSearch,
    /// Step length where there is no line search; `None`: the method's own.
    pub rate: Option<f64>,
    pub schedule: RateSchedule,
    /// lambda in J J^T + lambda; `None`: the method's own.
    pub damping: Option<f64>,
    /// Of SPRING; `None`: the method's own.
    pub momentum: Option<f64>,
    /// Weights along time; `None`: every instant counts alike.
    pub causal: Option<CausalSettings>,
    /// Whether a correction in the network's tangent space ends the training.
    pub correction: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrainingMethod {
    /// Levenberg-Marquardt in random subspaces.
    LevenbergMarquardt,
    /// Energy natural gradient: G^+ grad by least squares.
    Engd,
    /// Sketchy natural gradient, single pass.
    Sngd,
    SngdTwoPass,
    /// J^+ r by singular values with a cutoff.
    Anagram,
    /// J^T (J J^T + lambda)^-1 r.
    Kernel,
    /// The kernel form with momentum.
    Spring,
    /// The kernel form on a randomized Nystrom approximation.
    Nystrom,
    Adam,
    Lbfgs,
    Bfgs,
}

choices!(TrainingMethod {
    "lm" => LevenbergMarquardt,
    "engd" => Engd,
    "sngd" => Sngd,
    "sngd-two-pass" => SngdTwoPass,
    "anagram" => Anagram,
    "kernel" => Kernel,
    "spring" => Spring,
    "nystrom" => Nystrom,
    "adam" => Adam,
    "lbfgs" => Lbfgs,
    "bfgs" => Bfgs,
});

/// What a cutoff is held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CutoffScale {
    /// The largest singular or eigenvalue.
    #[default]
    Relative,
    /// Nothing.
    Absolute,
    /// As relative at the start, then adapted along the run.
    Adapted,
}

choices!(CutoffScale { "relative" => Relative, "absolute" => Absolute, "adapted" => Adapted });

/// How the step length along a direction is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineSearch {
    /// The best of 0.5^k, k = 0 .. 30.
    Grid,
    /// Golden sections of \[0, 1\].
    Golden,
    /// The rate.
    None,
}

choices!(LineSearch { "grid" => Grid, "golden" => Golden, "none" => None });

/// How the rate changes along a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RateSchedule {
    #[default]
    Constant,
    /// Half a cosine down to zero over the iterations.
    Cosine,
}

choices!(RateSchedule { "constant" => Constant, "cosine" => Cosine });
