//! Files that a problem names, in its own folder.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::problem::tabulated::MAX_BYTES;

/// How files are read that the problem file `problem` names: paths are those from its folder. No
/// more is read than a problem takes, and what is there beyond is told by whoever reads it.
pub fn beside(problem: &Path) -> impl Fn(&str) -> Result<Vec<u8>, String> + use<> {
    let folder = problem.parent().unwrap_or(Path::new("")).to_owned();
    move |name| {
        let read = || {
            let mut bytes = Vec::new();
            File::open(folder.join(name))?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|error: std::io::Error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Scratch;

    #[test]
    fn files_are_those_beside_the_problem() {
        let scratch = Scratch::new("beside");
        let problem = scratch.path("problem.toml");
        std::fs::write(scratch.path("k.csv"), "x,k\n0,1\n").expect("writes");
        let read = beside(&problem);
        assert_eq!(read("k.csv").expect("a file"), b"x,k\n0,1\n");
        assert!(read("none.csv").expect_err("no file").contains("No such file"));
    }
}
