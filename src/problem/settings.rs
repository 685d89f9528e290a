//! The settings of a problem file and the words that stand for them.

/// A setting that is one of a few words.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every choice, with its word in problem files and on the command line.
    const WORDS: &'static [(&'static str, Self)];

    /// The word of this choice.
    #[must_use]
    fn word(self) -> &'static str {
        let mut words = Self::WORDS.iter();
        words.find(|(_, choice)| *choice == self).map_or("", |(word, _)| word)
    }
}

macro_rules! choices {
    ($type:ident { $($word:literal => $variant:ident),+ $(,)? }) => {
        impl Choice for $type {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),+];
        }
    };
}
pub(super) use choices;

#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSettings {
    pub width: usize,
    /// Hidden linear layers after the embedding (the paper's "depth 7" is 5 here).
    pub hidden_layers: usize,
    pub activation: Activation,
    pub architecture: ArchitectureSettings,
}

/// How the layers are connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Architecture {
    /// One after the other.
    #[default]
    Mlp,
    /// With two encoders of the coordinates that gate every hidden layer.
    ModifiedMlp,
}

choices!(Architecture { "mlp" => Mlp, "modified-mlp" => ModifiedMlp });

/// Random Fourier features in place of the linear coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FourierSettings {
    /// Frequencies; each gives a cosine and a sine.
    pub count: usize,
    /// Standard deviation of the frequencies, along coordinates as they enter the network.
    pub scale: f64,
}

/// The form of the network, beyond its sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ArchitectureSettings {
    pub kind: Architecture,
    pub fourier: Option<FourierSettings>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// P3(z) / Q2(z) with seven trainable coefficients per layer.
    Rational,
    Tanh,
    Sin,
    /// z / (1 + exp(-z)).
    Swish,
}

choices!(Activation {
    "rational" => Rational,
    "tanh" => Tanh,
    "sin" => Sin,
    "swish" => Swish,
});

impl Activation {
    pub const ALL: [Self; 4] = [Self::Rational, Self::Tanh, Self::Sin, Self::Swish];

    #[must_use]
    pub fn name(self) -> &'static str {
        self.word()
    }
}

impl NetworkSettings {
    /// Of random features in so many coordinates: a layer of sines, of which a run uses as many as it
    /// needs.
    #[must_use]
    pub fn of_features(coordinates: usize) -> Self {
        Self {
            width: if coordinates == 1 { 1_024 } else { 1_280 },
            hidden_layers: 0,
            activation: Activation::Sin,
            architecture: ArchitectureSettings::default(),
        }
    }

    /// p: the number of parameters behind `periodic` periodic and `linear` other coordinates.
    /// The layout of the vector is the network's own business; this is for checks before there is
    /// a network.
    #[must_use]
    pub fn parameters(&self, periodic: usize, linear: usize, unknowns: usize) -> usize {
        let width = self.width;
        let slopes = self.architecture.fourier.map_or(linear, |fourier| 2 * fourier.count);
        let embedding = width * (3 * periodic + slopes + usize::from(slopes > 0));
        let embeddings = match self.architecture.kind {
            Architecture::Mlp => 1,
            Architecture::ModifiedMlp => 3,
        };
        let hidden = self.hidden_layers * (width * width + width);
        let activation = match self.activation {
            Activation::Rational => 7 * (self.hidden_layers + 1),
            Activation::Tanh | Activation::Sin | Activation::Swish => 0,
        };
        embeddings * embedding + hidden + unknowns * (width + 1) + activation
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct PointSettings {
    pub layout: PointLayout,
    /// Grid: points per coordinate (one entry: the same along each). Random, Sobol: one total.
    pub count: Vec<usize>,
    /// Adaptive: what is drawn from.
    pub density: Density,
    /// Adaptive and following: steps between two draws.
    pub resample: usize,
}

impl PointSettings {
    /// Layout and counts of the points for so many random features: two for each, a grid in one and two
    /// coordinates.
    #[must_use]
    pub fn of_features(features: usize, dimensions: usize) -> (PointLayout, Vec<usize>) {
        let count = 2 * (features + 1);
        match dimensions {
            d @ 1..=2 => {
                let along = (count as f64).powf(1.0 / d as f64).ceil() as usize;
                (PointLayout::Grid, vec![along])
            }
            _ => (PointLayout::Sobol, vec![count]),
        }
    }
}

/// The density that adaptive points are drawn from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Density {
    /// |u|. A network need not be zero where no point has been, and points are drawn there too: the
    /// logarithm is the better unknown wherever the density is positive.
    #[default]
    Magnitude,
    /// exp(u), of which u is the logarithm.
    Logarithm,
}

choices!(Density { "magnitude" => Magnitude, "logarithm" => Logarithm });

impl Density {
    /// Logarithm of the density where the solution is u.
    #[must_use]
    pub fn logarithm(self, u: f64) -> f64 {
        match self {
            Self::Magnitude => u.abs().ln(),
            Self::Logarithm => u,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointLayout {
    /// Equispaced; periodic coordinates leave out the upper end, others keep half a spacing from
    /// both ends.
    Grid,
    /// Uniform at random.
    Random,
    /// Sobol's low-discrepancy sequence.
    Sobol,
    /// Dense where the solution bends, drawn anew as it moves; in one dimension without chance.
    Following,
    /// Drawn from the solution, which they follow.
    Adaptive,
}

choices!(PointLayout {
    "grid" => Grid,
    "random" => Random,
    "sobol" => Sobol,
    "following" => Following,
    "adaptive" => Adaptive,
});

/// Relative L2 error of an initial fit beyond which a run that accepts no larger one ends.
pub const MOST_FIT_ERROR: f64 = 1e-2;

#[derive(Clone, Debug, PartialEq)]
pub struct FitSettings {
    pub method: FitMethod,
    /// Stop at this relative L2 error.
    pub tolerance: f64,
    /// A run ends before its first step where the error of its fit is above this.
    pub accept: f64,
    pub max_iterations: usize,
    /// Points per coordinate of the fit; empty: chosen by the fit.
    pub count: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitMethod {
    LevenbergMarquardt,
    /// The paper's: L-BFGS, then Adam with cosine decay.
    LbfgsAdam,
}

choices!(FitMethod { "levenberg-marquardt" => LevenbergMarquardt, "lbfgs-adam" => LbfgsAdam });

#[derive(Clone, Debug, PartialEq)]
pub struct MethodSettings {
    pub scheme: Scheme,
    /// Whether the file leaves the scheme, and with it network and points, to the run: random
    /// features where they hold the initial state, else `scheme`.
    pub chooses_scheme: bool,
    pub update: Update,
    /// s: how many parameters a sparse update changes; the first s where it is adaptive.
    pub columns: usize,
    /// Whether s follows the rank of the Jacobian and the fits along the run.
    pub adaptive_columns: bool,
    pub sampling: Sampling,
    pub integrator: Integrator,
    /// Time step; the first one where `tolerance` is set.
    pub step: f64,
    /// Local error per step, relative, that the step controller aims at; `None`: fixed steps.
    pub tolerance: Option<f64>,
    /// Singular values below `rcond` times the largest are left out.
    pub rcond: f64,
    pub solver: Solver,
    pub regularisation: Regularisation,
    /// Most Gauss-Newton corrections of one stage fit.
    pub corrections: usize,
    /// Steps after which a freshly initialised network is fitted to the present field and goes on
    /// from there, as Neural-IVP restarts; `None`: never.
    pub refit_every: Option<usize>,
}

impl MethodSettings {
    /// Of the error of one step, where a file says nothing about steps.
    pub const TOLERANCE: f64 = 1e-6;
    /// Likewise, of random features: nothing but the steps limits them.
    pub const FEATURE_TOLERANCE: f64 = 1e-9;
    /// Of the features' singular values, over the largest.
    pub const FEATURE_CUTOFF: f64 = 1e-11;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Scheme {
    /// Runge-Kutta on theta' = J^+ f, as published.
    ParameterOde,
    /// Runge-Kutta in function space, each step fitted by Gauss-Newton corrections.
    StageFit,
    /// Radau IIA on the output's weights of a layer of sines that stays as it was drawn.
    RandomFeatures,
}

choices!(Scheme {
    "parameter-ode" => ParameterOde,
    "stage-fit" => StageFit,
    "random-features" => RandomFeatures,
});

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Update {
    Dense,
    RandomSparse,
}

choices!(Update { "dense" => Dense, "random-sparse" => RandomSparse });

/// How a sparse update chooses its parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sampling {
    /// All alike, as published.
    #[default]
    Uniform,
    /// As many of each layer's.
    ByLayer,
    /// With probabilities that grow with the leverage of their columns, measured in every step.
    Leverage,
    /// The first pivots of a QR factorisation in every step; corrections draw uniformly.
    PivotedQr,
    /// None of them: every parameter moves, along s Gaussian directions.
    Gaussian,
}

choices!(Sampling {
    "uniform" => Uniform,
    "by-layer" => ByLayer,
    "leverage" => Leverage,
    "pivoted-qr" => PivotedQr,
    "gaussian" => Gaussian,
});

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Integrator {
    /// Dormand-Prince or RODASP, as the equation's stiffness asks for along the run; explicit where
    /// steps are fixed, and of the parameter ODE.
    Auto,
    Euler,
    Rk4,
    /// Dormand-Prince 5(4).
    DormandPrince,
    /// Linearly implicit, of order 3: RODAS3.
    Rosenbrock3,
    /// Linearly implicit, of order 4: RODASP.
    Rosenbrock4,
}

impl Integrator {
    /// Whether it solves with the derivative of the right-hand side in every step.
    #[must_use]
    pub fn is_implicit(self) -> bool {
        matches!(self, Self::Rosenbrock3 | Self::Rosenbrock4)
    }

    /// Whether it estimates the error of its steps.
    #[must_use]
    pub fn estimates(self) -> bool {
        !matches!(self, Self::Euler | Self::Rk4)
    }
}

choices!(Integrator {
    "auto" => Auto,
    "euler" => Euler,
    "rk4" => Rk4,
    "dormand-prince" => DormandPrince,
    "rosenbrock-3" => Rosenbrock3,
    "rosenbrock-4" => Rosenbrock4,
});

/// How the least-squares problem of a stage is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Solver {
    /// By size, from the measurements written down in `linalg`.
    Auto,
    /// Truncated singular value decomposition: the oracle.
    Svd,
    /// Rank-revealing QR with column pivoting.
    PivotedQr,
    /// Normal equations in f64 with pivoted Cholesky or an eigen-decomposition.
    Gram,
    /// The least-squares solution of the sketched problem.
    SketchAndSolve,
    /// LSQR preconditioned by the sketch's factor.
    SketchedLsqr,
    /// Conjugate gradients on the normal equations with a randomized Nystrom preconditioner, by
    /// products alone (Neural-IVP). Always damps.
    NystromCg,
}

/// How directions that the data barely determine are kept from blowing up the solution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Regularisation {
    /// Singular values below `rcond` times the largest are left out, the others kept as they are:
    /// what the papers do.
    Truncate,
    /// `min |J v - r|^2 + lambda^2 |v|^2` with `lambda = rcond sigma_max`: several times cheaper,
    /// and along a run more accurate, since no direction is switched on and off from one step to
    /// the next.
    #[default]
    Damp,
}
choices!(Regularisation { "truncate" => Truncate, "damp" => Damp });
choices!(Solver {
    "auto" => Auto,
    "svd" => Svd,
    "pivoted-qr" => PivotedQr,
    "gram" => Gram,
    "sketch-and-solve" => SketchAndSolve,
    "sketched-lsqr" => SketchedLsqr,
    "nystrom-cg" => NystromCg,
});

#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceSettings {
    pub kind: ReferenceKind,
    /// Fourier modes; `None`: doubled until two resolutions agree.
    pub modes: Option<usize>,
    pub step: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceKind {
    /// The Gaussian if points are drawn from one, else the exact solution if there is one, else
    /// spectral or by characteristics if the problem allows it, else none.
    Auto,
    Exact,
    Spectral,
    /// For linear transport: the start at the feet of the characteristics.
    Characteristics,
    /// For linear Fokker-Planck equations: the Gaussian, by the equations of its moments.
    Gaussian,
    None,
}

choices!(ReferenceKind {
    "auto" => Auto,
    "exact" => Exact,
    "spectral" => Spectral,
    "characteristics" => Characteristics,
    "gaussian" => Gaussian,
    "none" => None,
});

/// Precision tier (see the crate's documentation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    Auto,
    F32,
    /// Jacobian in f32, residuals and solution in f64 or double-float.
    Mixed,
    F64,
}

choices!(Precision { "auto" => Auto, "f32" => F32, "mixed" => Mixed, "f64" => F64 });
