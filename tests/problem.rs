//! Problem files, from text to a checked problem.

use sketchpde::problem::{Overrides, Problem, ProblemErrors, presets};

fn loaded(result: Result<Problem, ProblemErrors>) -> Problem {
    result.unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn every_preset_and_every_variant_loads_and_reads_back() {
    for preset in presets() {
        let problem = loaded(Problem::preset(preset.name));
        assert_eq!(problem.name, preset.name);
        assert_eq!(problem.title, preset.title);
        assert_eq!(problem.source, preset.text);
        for name in Problem::variants(preset.text).unwrap_or_default().keys() {
            let varied = loaded(Problem::from_toml_variant(preset.text, name, &Overrides::new()));
            assert_ne!(varied.method, problem.method, "{name} changes nothing");
            assert_eq!(loaded(Problem::from_toml(&varied.source, &Overrides::new())), varied);
        }
    }
}
