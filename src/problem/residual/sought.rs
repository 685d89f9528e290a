//! Constants to be found: parameters of a problem that are trained beside its network.

use super::{Condition, ResidualBlock, ResidualProblem};
use crate::Parameter;
use crate::expression::{Expression, Function, Place};

impl Parameter {
    /// The constant as a function of the number z that is trained in its place, zero at the start:
    ///
    /// ```text
    /// value + s z,   s = |value|, or 1 where that is zero,         without a range;
    /// m + h sin(z + asin((value - m) / h))                         in a range m - h .. m + h.
    /// ```
    ///
    /// The sine keeps to the range without ends at which a search would stay (James, Roos, "Minuit", Comput.
    /// Phys. Commun. 10, 1975).
    #[must_use]
    pub fn trained(&self, z: Expression) -> Expression {
        let number = Expression::Constant;
        match self.range {
            None => number(self.value) + number(self.scale()) * z,
            Some([lower, upper]) => {
                let (middle, half) = (0.5 * (lower + upper), 0.5 * (upper - lower));
                let start = ((self.value - middle) / half).asin();
                number(middle) + number(half) * (number(start) + z).call(Function::Sin)
            }
        }
    }

    /// A size of it.
    #[must_use]
    pub fn scale(&self) -> f64 {
        match self.range {
            Some([lower, upper]) => 0.5 * (upper - lower),
            None if self.value == 0.0 => 1.0,
            None => self.value.abs(),
        }
    }
}

impl ResidualProblem {
    /// Numbers of the parameters that are to be found.
    pub fn sought(&self) -> impl Iterator<Item = usize> {
        let all = self.parameters.iter().enumerate();
        all.filter(|(_, parameter)| parameter.find).map(|(k, _)| k)
    }

    /// Whether there are data with noise: constants are to be found from them, or the file says how large it is.
    #[must_use]
    pub fn is_noisy(&self) -> bool {
        let noisy = |block: &ResidualBlock| {
            matches!(block.condition, Condition::Observed { noise: Some(_), .. })
        };
        self.sought().next().is_some() || self.blocks.iter().any(noisy)
    }

    /// An expression without parameters: their values are in it, and in place of the i-th that is to be
    /// found what it is of the trained number ([`Parameter::trained`]), which stands as an unknown behind
    /// the others.
    #[must_use]
    pub fn fixed(&self, expression: &Expression) -> Expression {
        let mut next = self.unknowns.len();
        let each = self.parameters.iter().map(|parameter| {
            if !parameter.find {
                return Expression::Constant(parameter.value);
            }
            next += 1;
            parameter.trained(Expression::unknown(next - 1))
        });
        expression.substitute_parameter_formulas(&each.collect::<Vec<_>>())
    }

    /// Values of all parameters where those to be found have these trained numbers.
    ///
    /// # Panics
    /// When there is not a number for each.
    #[must_use]
    pub fn values_at(&self, trained: &[f64]) -> Vec<f64> {
        assert_eq!(trained.len(), self.sought().count(), "a number for each constant to be found");
        let mut trained = trained.iter();
        let value = |parameter: &Parameter| match parameter.find.then(|| trained.next()).flatten() {
            None => parameter.value,
            Some(z) => {
                let place = Place { coordinates: &[], time: 0.0, parameters: &[] };
                parameter.trained(Expression::Constant(*z)).evaluate(place, &|_| f64::NAN)
            }
        };
        self.parameters.iter().map(value).collect()
    }

    /// Whether it names a constant that is to be found.
    #[must_use]
    pub fn is_sought_in(&self, expression: &Expression) -> bool {
        self.sought().any(|k| expression.names(k))
    }
}
