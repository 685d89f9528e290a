//! The words of the command.

use std::path::PathBuf;

pub struct Arguments {
    pub quick: bool,
    /// Whether dispatches are waited for, whatever clock the adapter has.
    pub wait: bool,
    pub adapter: Option<String>,
    pub minutes: f64,
    pub out: PathBuf,
}

impl Arguments {
    pub fn read(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let out = PathBuf::from("target/gpu-report.md");
        let mut found = Self { quick: false, wait: false, adapter: None, minutes: 8.0, out };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--quick" => found.quick = true,
                "--wait" => found.wait = true,
                "--adapter" => found.adapter = Some(value()?),
                "--out" => found.out = value()?.into(),
                "--minutes" => {
                    let text = value()?;
                    let minutes = text.parse().ok().filter(|&minutes: &f64| minutes > 0.0);
                    found.minutes = minutes.ok_or(format!("{text} is no number of minutes"))?;
                }
                // What cargo tells every benchmark.
                "--bench" => {}
                _ => {
                    return Err(format!(
                        "{word}: only --quick, --wait, --adapter, --minutes and --out are known"
                    ));
                }
            }
        }
        Ok(found)
    }
}
