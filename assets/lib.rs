//! Files that the program brings along: built-in problems, studies of papers, the letters of plots
//! and the page that shows a result.

#![forbid(unsafe_code)]
#![no_std]

/// The font of plots: Ubuntu Light with every letter and without its hints, which plots do not use
/// and which are three quarters of what would have to be downloaded with a page. Its licence is
/// `fonts/UFL.txt`.
pub const LETTERS: &[u8] = include_bytes!("fonts/letters.ttf");

macro_rules! texts {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!($name))),*]
    };
}

/// Every text of this folder, by its path.
pub const TEXTS: &[(&str, &str)] = texts![
    "problems/advection-diffusion-2d.toml",
    "problems/allen-cahn-pinn.toml",
    "problems/allen-cahn-space-time.toml",
    "problems/allen-cahn.toml",
    "problems/brusselator.toml",
    "problems/burgers-pinn.toml",
    "problems/burgers-space-time.toml",
    "problems/burgers.toml",
    "problems/fokker-planck-5d.toml",
    "problems/fokker-planck-8d.toml",
    "problems/heat-dirichlet.toml",
    "problems/heat.toml",
    "problems/helmholtz-2d.toml",
    "problems/kdv.toml",
    "problems/kovasznay.toml",
    "problems/kuramoto-sivashinsky.toml",
    "problems/laplace-5d.toml",
    "problems/nonlinear-bvp-energy.toml",
    "problems/nonlinear-bvp.toml",
    "problems/pinnacle/burgers1d.toml",
    "problems/pinnacle/burgers2d.toml",
    "problems/pinnacle/grayscott.toml",
    "problems/pinnacle/heat-5d.toml",
    "problems/pinnacle/heat2d-cg.toml",
    "problems/pinnacle/heat2d-ms.toml",
    "problems/pinnacle/heat2d-vc.toml",
    "problems/pinnacle/ks.toml",
    "problems/pinnacle/ns2d-c.toml",
    "problems/pinnacle/ns2d-cg.toml",
    "problems/pinnacle/pb2d-cg.toml",
    "problems/pinnacle/pinv.toml",
    "problems/pinnacle/poisson-5d.toml",
    "problems/pinnacle/poisson2d-c.toml",
    "problems/pinnacle/poisson2d-ms.toml",
    "problems/pinnacle/poisson3d-cg.toml",
    "problems/pinnacle/wave1d.toml",
    "problems/pinnacle/wave2d.toml",
    "problems/poisson-2d.toml",
    "problems/transport.toml",
    "problems/vlasov.toml",
    "problems/wave.toml",
    "report/solution.html",
    "studies/anagram.toml",
    "studies/beyond.toml",
    "studies/pinnacle.toml",
    "studies/rsng.toml",
    "studies/sngd.toml",
];

/// The text of that path. Asked for in a constant, a path that is none is an error of the compiler,
/// and no other text gets into the program.
///
/// # Panics
/// Where there is no such text.
#[must_use]
pub const fn text(path: &str) -> &'static str {
    let mut index = 0;
    while index < TEXTS.len() {
        if same(TEXTS[index].0.as_bytes(), path.as_bytes()) {
            return TEXTS[index].1;
        }
        index += 1;
    }
    panic!("no text of this path is brought along")
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut equal = a.len() == b.len();
    let mut index = 0;
    while equal && index < a.len() {
        equal = a[index] == b[index];
        index += 1;
    }
    equal
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::BTreeSet;
    use std::path::Path;
    use std::string::String;

    fn files(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap();
                found.insert(name.to_string_lossy().replace('\\', "/"));
            }
        }
    }

    /// A file that is missing from the list would only be noticed by whoever asks for it.
    #[test]
    fn the_list_holds_every_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = BTreeSet::new();
        for folder in ["problems", "report", "studies"] {
            files(root, &root.join(folder), &mut found);
        }
        let listed: BTreeSet<String> =
            super::TEXTS.iter().map(|(name, _)| (*name).into()).collect();
        assert_eq!(found, listed);
    }
}
