//! One WGSL text per kernel: its file under `shaders/`, with `//!include` lines replaced by shared
//! files or by text that was generated for the problem.

use std::collections::BTreeSet;

/// A shader cannot be put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ComposeError {
    #[error("shader `{includer}` includes `{name}`, which neither exists nor was generated")]
    Unknown { name: String, includer: String },
    #[error("shader `{name}` includes itself, by way of `{includer}`")]
    Cycle { name: String, includer: String },
}

/// Text generated for one problem, by the name under which shaders include it.
pub type Generated = [(&'static str, String)];

const INCLUDE: &str = "//!include ";

/// The text of the shader `root` with every include resolved, each file at most once.
///
/// # Errors
/// When an include names nothing, or a file includes itself.
pub fn compose(root: &str, generated: &Generated) -> Result<String, ComposeError> {
    let mut composition =
        Composition { generated, done: BTreeSet::new(), open: Vec::new(), text: String::new() };
    composition.append(root, "the program")?;
    Ok(composition.text)
}

struct Composition<'a> {
    generated: &'a Generated,
    done: BTreeSet<String>,
    open: Vec<String>,
    text: String,
}

impl Composition<'_> {
    fn append(&mut self, name: &str, includer: &str) -> Result<(), ComposeError> {
        let place = |name: &str| (name.to_owned(), includer.to_owned());
        if self.open.iter().any(|open| open == name) {
            let (name, includer) = place(name);
            return Err(ComposeError::Cycle { name, includer });
        }
        if !self.done.insert(name.to_owned()) {
            return Ok(());
        }
        let source = self.source(name).ok_or_else(|| {
            let (name, includer) = place(name);
            ComposeError::Unknown { name, includer }
        })?;
        self.open.push(name.to_owned());
        for line in source.lines() {
            match line.strip_prefix(INCLUDE) {
                Some(included) => self.append(included.trim(), name)?,
                None => {
                    self.text.push_str(line);
                    self.text.push('\n');
                }
            }
        }
        self.open.pop();
        Ok(())
    }

    fn source(&self, name: &str) -> Option<String> {
        let file =
            sketchpde_shaders::FILES.iter().find(|(file, _)| *file == name).map(|(_, text)| *text);
        let generated = || self.generated.iter().find(|(file, _)| *file == name);
        file.map(str::to_owned).or_else(|| generated().map(|(_, text)| text.clone()))
    }
}

/// How a shader uses a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Uniform,
    Read,
    ReadWrite,
}

/// One buffer that a shader declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub name: String,
    pub number: u32,
    pub access: Access,
}

/// The buffers that a composed text declares, so that the host binds them by name and no list of
/// numbers is kept twice. Reads the one form that the files under `shaders/` use; a test compares
/// it with what naga finds.
#[must_use]
pub fn bindings(text: &str) -> Vec<Binding> {
    text.lines().filter_map(binding).collect()
}

fn binding(line: &str) -> Option<Binding> {
    let rest = line.strip_prefix("@group(0) @binding(")?;
    let (number, rest) = rest.split_once(") var<")?;
    let (access, rest) = rest.split_once("> ")?;
    let access = match access {
        "uniform" => Access::Uniform,
        "storage, read" => Access::Read,
        _ => Access::ReadWrite,
    };
    let (name, _) = rest.split_once(':')?;
    Some(Binding { name: name.to_owned(), number: number.parse().ok()?, access })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_include_names_the_includer() {
        let generated = [("generated/a", "//!include generated/b".to_owned())];
        assert_eq!(
            compose("generated/a", &generated),
            Err(ComposeError::Unknown {
                name: "generated/b".into(),
                includer: "generated/a".into()
            })
        );
    }

    #[test]
    fn a_cycle_is_an_error_and_a_diamond_is_not() {
        let generated = [
            ("generated/a", "//!include generated/b\n//!include generated/c\na".to_owned()),
            ("generated/b", "//!include generated/d\nb".to_owned()),
            ("generated/c", "//!include generated/d\nc".to_owned()),
            ("generated/d", "d".to_owned()),
        ];
        assert_eq!(compose("generated/a", &generated).unwrap(), "d\nb\nc\na\n");
        let cycle = [("generated/a", "//!include generated/a".to_owned())];
        assert!(matches!(compose("generated/a", &cycle), Err(ComposeError::Cycle { .. })));
    }

    #[test]
    fn bindings_are_read_off_the_declarations() {
        let found = bindings("@group(0) @binding(3) var<storage, read_write> jets: array<f32>;");
        let expected = Binding { name: "jets".into(), number: 3, access: Access::ReadWrite };
        assert_eq!(found, [expected]);
    }
}
