//! A network in words: what goes into the head of a file of parameters, so that other programs can
//! build the same network without this one.
//!
//! | key | value |
//! | --- | --- |
//! | `format` | `sketchpde parameters 1` |
//! | `network` | JSON: `inputs` (per coordinate `name`, `kind` and `period`, or `lower` and `upper`, or of a coordinate at whose ends fluxes are given `features`, two formulas), `width`, `hidden_layers`, `activation`, `frequencies` of random Fourier features (a row each), `encoders` (whether two gate the layers) |
//! | `order` | JSON: names of the tensors in the order of a vector of all parameters |
//! | `unknown` | its name; of several JSON: their names, in the order of the network's outputs |
//! | `lift`, `distance` | formulas in the coordinates, t and the named parameters: u = lift + distance * network; of several unknowns JSON: a formula for each |
//! | `constants` | JSON: the named parameters and their values; of those to be found, as they were found |
//! | `problem` | the problem file |
//! | `seed`, `version` | of the run and of the program |

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::network::{Input, Network, flat};
use crate::problem::expression::{Expression, Names};
use crate::problem::{Choice, Parameter, Problem, ResidualProblem};

/// Of files whose network can be built from their heads.
pub const FORMAT: &str = "sketchpde parameters 1";

/// The head of an evolution's parameters.
#[must_use]
pub fn of_evolution(problem: &Problem) -> BTreeMap<String, String> {
    let names = problem.names();
    let text = |e: Option<&Expression>, neutral: &str| {
        e.map_or_else(|| neutral.to_owned(), |e| e.to_text(&names))
    };
    let of_each = |list: Option<&Vec<Expression>>, neutral: &str| {
        let of = |k: usize| text(list.map(|list| &list[k]), neutral);
        one_or_list((0..problem.unknowns.len()).map(of).collect())
    };
    let lift = of_each(problem.lift.as_ref(), "0");
    let distance = of_each(problem.distance.as_ref(), "1");
    let mut head = common(&Network::of(problem), &names, &problem.parameters);
    head.insert("lift".into(), lift);
    head.insert("distance".into(), distance);
    head.insert("problem".into(), problem.source.clone());
    head.insert("seed".into(), problem.seed.to_string());
    head
}

/// The head of a training's parameters, `theta`.
///
/// # Panics
/// As [`Network::split`].
#[must_use]
pub fn of_training(problem: &ResidualProblem, theta: &[f64]) -> BTreeMap<String, String> {
    let network = Network::of_residual(problem);
    let mut head = common(&network, &problem.names(), &problem.parameters);
    let found = problem.values_at(&network.constants(theta));
    head.insert("constants".into(), constants(&problem.parameters, &found));
    let each = |text: &str| one_or_list(vec![text.into(); problem.unknowns.len()]);
    head.insert("lift".into(), each("0"));
    head.insert("distance".into(), each("1"));
    head.insert("problem".into(), problem.source.clone());
    head.insert("seed".into(), problem.seed.to_string());
    head
}

fn common(network: &Network, names: &Names, parameters: &[Parameter]) -> BTreeMap<String, String> {
    let values: Vec<f64> = parameters.iter().map(|p| p.value).collect();
    [
        ("format", FORMAT.to_owned()),
        ("network", shape(network, names).to_string()),
        ("order", order(network)),
        ("unknown", one_or_list(names.unknowns.clone())),
        ("constants", constants(parameters, &values)),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

fn constants(parameters: &[Parameter], values: &[f64]) -> String {
    let each = parameters.iter().zip(values).map(|(p, value)| (p.name.clone(), (*value).into()));
    Value::Object(each.collect::<Map<String, Value>>()).to_string()
}

/// One text as it is, several as JSON.
fn one_or_list(mut texts: Vec<String>) -> String {
    match texts.len() {
        1 => texts.remove(0),
        _ => Value::from(texts).to_string(),
    }
}

/// The tensors in the order in which a vector of all parameters holds them, as JSON.
fn order(network: &Network) -> String {
    let segments = network.layout().segments().iter();
    Value::from(segments.map(|segment| segment.name.clone()).collect::<Vec<_>>()).to_string()
}

fn shape(network: &Network, names: &Names) -> Value {
    let input = |(k, (input, name)): (usize, (&Input, &String))| match *input {
        Input::Periodic { period } => json!({"name": name, "kind": "periodic", "period": period}),
        Input::Linear { lower, upper } => {
            json!({"name": name, "kind": "linear", "lower": lower, "upper": upper})
        }
        Input::Flat { lower, upper, ends } => {
            let features = flat::features(k, [lower, upper], ends).map(|f| f.to_text(names));
            json!({"name": name, "kind": "flat", "features": features})
        }
    };
    json!({
        "inputs": network.inputs().iter().zip(&names.coordinates).enumerate().map(input).collect::<Vec<_>>(),
        "width": network.width(),
        "hidden_layers": network.hidden_layers(),
        "activation": network.activation().word(),
        "frequencies": network.frequencies(),
        "encoders": network.encoders().count() > 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_says_how_the_network_is_built() {
        let problem = Problem::preset("heat-dirichlet").expect("built in");
        let head = of_evolution(&problem);
        let shape: Value = serde_json::from_str(&head["network"]).expect("JSON");
        assert_eq!(shape["inputs"][0]["kind"], "linear");
        assert_eq!(shape["width"], problem.network.width);
        assert!(head["distance"].contains('x'), "{}", head["distance"]);
        // The formula reads back as what the solver uses.
        let back = crate::problem::equation::parse_expression(
            &head["distance"],
            &problem.names(),
            crate::problem::equation::Role::Exact,
        );
        let (back, own) =
            (back.expect("a formula"), problem.distance.as_ref().expect("one")[0].clone());
        for x in [0.1, 0.35, 0.8] {
            let at = |e: &Expression| e.evaluate_at(&[x], 0.0, &problem.parameter_values());
            assert!((at(&back) - at(&own)).abs() < 1e-15);
        }

        let fourier = "format = 1\n[domain]\nt = { range = [0, 1] }\nx = { range = [-1, 3] }\n\
                       [residual.interior]\nequation = \"u_t = u_xx\"\n\
                       [network]\narchitecture = \"modified-mlp\"\nfourier = { count = 4, scale = 3 }\n";
        let problem = ResidualProblem::from_toml(fourier, &Vec::new()).expect("a problem");
        let theta = vec![0.0; Network::of_residual(&problem).parameters()];
        let shape: Value =
            serde_json::from_str(&of_training(&problem, &theta)["network"]).expect("JSON");
        assert_eq!(shape["encoders"], true);
        assert_eq!(shape["frequencies"].as_array().map(Vec::len), Some(4));
    }
}
