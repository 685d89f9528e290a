//! A problem put together in Rust, with the checks and the messages of a file.

use std::fmt::Display;

use super::{Overrides, Problem, ProblemErrors, ProblemFile, ResidualProblem};

/// Settings of a problem, one after the other; [`ProblemBuilder::evolution`] and
/// [`ProblemBuilder::residual`] make the problem of them, through the checks of problem files.
///
/// ```
/// use sketchpde_problem::ProblemBuilder;
///
/// let problem = ProblemBuilder::new()
///     .equation("u_t = nu*u_xx - u*u_x")
///     .periodic("x", 0.0, 1.0)
///     .parameter("nu", 0.01)
///     .initial("sin(2*pi*x)")
///     .until(0.5)
///     .set("method.tolerance", 1e-6)
///     .evolution()?;
/// assert_eq!(problem.dimensions(), 1);
///
/// let mistake = ProblemBuilder::new().equation("u_t = u_yy").periodic("x", 0.0, 1.0).evolution();
/// assert!(mistake.expect_err("no such coordinate").to_string().contains("u_yy"));
/// # Ok::<(), sketchpde_problem::ProblemErrors>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ProblemBuilder {
    settings: Overrides,
}

/// As a TOML string.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

/// What every problem file begins with.
const FORMAT: &str = "format = 1\n";

impl ProblemBuilder {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A setting by its dotted key, as `--set` takes it: `set("method.columns", 200)`,
    /// `set("points.layout", "sobol")`. Any key of a problem file.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Display) -> Self {
        self.settings.push((key.to_owned(), value.to_string()));
        self
    }

    /// A setting that is text, whatever it looks like.
    fn text(self, key: &str, text: &str) -> Self {
        self.set(key, quoted(text))
    }

    /// A short name, of folders and files.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.text("name", name)
    }

    /// The equation of an evolution, `u_t = ..`.
    #[must_use]
    pub fn equation(self, text: &str) -> Self {
        self.text("equation.text", text)
    }

    /// The equations of an evolution of several unknowns, `u_t = ..` and `v_t = ..`.
    #[must_use]
    pub fn equations(self, texts: &[&str]) -> Self {
        self.list("equation.text", texts)
    }

    /// The unknowns of a whole-domain problem, where they are others than `u` alone.
    #[must_use]
    pub fn unknowns(self, names: &[&str]) -> Self {
        self.list("unknown", names)
    }

    fn list(self, key: &str, texts: &[&str]) -> Self {
        let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        self.set(key, format!("[{}]", quoted.join(", ")))
    }

    /// A coordinate along which everything is periodic.
    #[must_use]
    pub fn periodic(self, name: &str, lower: f64, upper: f64) -> Self {
        self.range(name, lower, upper).text(&format!("domain.{name}.boundary"), "periodic")
    }

    /// A coordinate at whose ends the unknown of an evolution has these values: formulas.
    #[must_use]
    pub fn dirichlet(self, name: &str, [lower, upper]: [f64; 2], values: [&str; 2]) -> Self {
        self.range(name, lower, upper)
            .text(&format!("domain.{name}.boundary"), "dirichlet")
            .text(&format!("domain.{name}.lower"), values[0])
            .text(&format!("domain.{name}.upper"), values[1])
    }

    /// A coordinate at whose ends these conditions hold in an evolution: values, or equations such as
    /// `u_n = 0` and `u_n + k*u = g`, u_n the slope along the outward normal.
    #[must_use]
    pub fn sides(self, name: &str, [lower, upper]: [f64; 2], conditions: [&str; 2]) -> Self {
        self.range(name, lower, upper)
            .text(&format!("domain.{name}.lower"), conditions[0])
            .text(&format!("domain.{name}.upper"), conditions[1])
    }

    /// A coordinate of a whole-domain problem, the time among them.
    #[must_use]
    pub fn range(self, name: &str, lower: f64, upper: f64) -> Self {
        self.set(&format!("domain.{name}.range"), format!("[{lower:?}, {upper:?}]"))
    }

    /// A named number of the formulas.
    #[must_use]
    pub fn parameter(self, name: &str, value: f64) -> Self {
        self.set(&format!("parameters.{name}"), format!("{value:?}"))
    }

    /// The state of an evolution at its start.
    #[must_use]
    pub fn initial(self, formula: &str) -> Self {
        self.initial_of("u", formula)
    }

    /// The same of one of several unknowns.
    #[must_use]
    pub fn initial_of(self, unknown: &str, formula: &str) -> Self {
        self.text(&format!("initial.{unknown}"), formula)
    }

    /// The exact solution, to measure errors with.
    #[must_use]
    pub fn exact(self, formula: &str) -> Self {
        self.exact_of("u", formula)
    }

    /// The same of one of several unknowns.
    #[must_use]
    pub fn exact_of(self, unknown: &str, formula: &str) -> Self {
        self.text(&format!("exact.{unknown}"), formula)
    }

    /// The time at which an evolution ends; it starts at 0.
    #[must_use]
    pub fn until(self, end: f64) -> Self {
        self.set("time.end", format!("{end:?}"))
    }

    /// A residual of a whole-domain problem: an equation on `interior`, `boundary` or a plane such
    /// as `t = 0`.
    #[must_use]
    pub fn condition(self, name: &str, on: &str, equation: &str) -> Self {
        self.text(&format!("residual.{name}.on"), on)
            .text(&format!("residual.{name}.equation"), equation)
    }

    /// Several equations that hold together on one part of the domain.
    #[must_use]
    pub fn conditions(self, name: &str, on: &str, equations: &[&str]) -> Self {
        self.text(&format!("residual.{name}.on"), on)
            .list(&format!("residual.{name}.equation"), equations)
    }

    /// The seed of every random draw.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        self.set("run.seed", seed)
    }

    /// The problem, of whichever family its settings state.
    ///
    /// # Errors
    /// Every mistake in the settings, each with its key and its remedy.
    pub fn build(self) -> Result<ProblemFile, ProblemErrors> {
        ProblemFile::from_bytes(FORMAT.as_bytes(), None, &self.settings)
    }

    /// An evolution problem.
    ///
    /// # Errors
    /// As [`ProblemBuilder::build`]; also where the settings state a whole-domain problem.
    pub fn evolution(self) -> Result<Problem, ProblemErrors> {
        Problem::from_toml(FORMAT, &self.settings)
    }

    /// A whole-domain problem.
    ///
    /// # Errors
    /// As [`ProblemBuilder::build`]; also where the settings state an evolution.
    pub fn residual(self) -> Result<ResidualProblem, ProblemErrors> {
        ResidualProblem::from_toml(FORMAT, &self.settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file that one would have written says the same.
    #[test]
    fn a_built_problem_is_that_of_its_file() {
        let text = "format = 1\n[domain]\nt = { range = [0, 1] }\nx = { range = [0, 2] }\n\
                    [residual.interior]\nequation = \"u_t = k*u_xx\"\n\
                    [residual.start]\non = \"t = 0\"\nequation = \"u = sin(pi*x)\"\n\
                    [parameters]\nk = 0.25\n[exact]\nu = \"exp(-k*pi^2*t)*sin(pi*x)\"\n[run]\nseed = 3\n";
        let written = ResidualProblem::from_toml(text, &Overrides::new()).expect("a problem");
        let built = ProblemBuilder::new()
            .range("t", 0.0, 1.0)
            .range("x", 0.0, 2.0)
            .condition("interior", "interior", "u_t = k*u_xx")
            .condition("start", "t = 0", "u = sin(pi*x)")
            .parameter("k", 0.25)
            .exact("exp(-k*pi^2*t)*sin(pi*x)")
            .seed(3)
            .residual()
            .expect("a problem");
        let bare = |problem: ResidualProblem| ResidualProblem { source: String::new(), ..problem };
        assert_eq!(bare(built.clone()), bare(written));
        // And its own text reads back to it.
        let again = ResidualProblem::from_toml(&built.source, &Overrides::new()).expect("reads");
        assert_eq!(bare(again), bare(built));
    }

    #[test]
    fn systems_are_built_as_they_are_written() {
        let flow = ProblemBuilder::new()
            .unknowns(&["u", "v"])
            .range("x", 0.0, 1.0)
            .range("y", 0.0, 1.0)
            .conditions("interior", "interior", &["u_x = v_y", "u_y = -v_x"])
            .condition("wall", "x = 0", "v = 0")
            .residual()
            .expect("a problem");
        assert_eq!(flow.unknowns, ["u", "v"]);
        let reaction = ProblemBuilder::new()
            .equations(&["u_t = u_xx - u*v", "v_t = u*v"])
            .periodic("x", 0.0, 1.0)
            .initial_of("u", "1")
            .initial_of("v", "sin(2*pi*x)")
            .until(1.0)
            .evolution()
            .expect("a problem");
        assert_eq!(reaction.unknowns, ["u", "v"]);
    }

    #[test]
    fn mistakes_name_the_setting() {
        let built = ProblemBuilder::new()
            .equation("u_t = u_xx")
            .dirichlet("x", [0.0, 1.0], ["0", "sin(q)"])
            .initial("0")
            .until(1.0)
            .set("method.colums", 3);
        let said = built.evolution().expect_err("two mistakes").to_string();
        for part in ["domain.x.upper", "unknown symbol q", "method.colums", "columns"] {
            assert!(said.contains(part), "no {part} in:\n{said}");
        }
    }
}
