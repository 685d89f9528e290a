//! The kernels of the GPU in WGSL, as text by the names of their files.

#![forbid(unsafe_code)]
#![no_std]

macro_rules! shaders {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!($name))),*]
    };
}

/// Every file of this folder. Lines `//!include NAME` stand for others of them, and for texts that
/// are generated for a problem.
pub const FILES: [(&str, &str); 27] = shaders![
    "operator/adjoint.wgsl",
    "operator/coefficients.wgsl",
    "operator/columns.wgsl",
    "operator/entry.wgsl",
    "operator/layer.wgsl",
    "operator/multiply.wgsl",
    "operator/multiply_transposed.wgsl",
    "operator/network.wgsl",
    "operator/output.wgsl",
    "operator/product.wgsl",
    "operator/series/rational.wgsl",
    "operator/series/sin.wgsl",
    "operator/series/swish.wgsl",
    "operator/series/tanh.wgsl",
    "operator/sketch.wgsl",
    "operator/turn.wgsl",
    "peak/arithmetic.wgsl",
    "peak/copy.wgsl",
    "scalar/double.wgsl",
    "scalar/double_float.wgsl",
    "scalar/elementary.wgsl",
    "scalar/single.wgsl",
    "self_test.wgsl",
    "shared/double_float.wgsl",
    "shared/elementary.wgsl",
    "shared/request.wgsl",
    "shared/shape.wgsl",
];

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
        files(root, root, &mut found);
        found.retain(|name| name.ends_with(".wgsl"));
        let listed: BTreeSet<String> =
            super::FILES.iter().map(|(name, _)| (*name).into()).collect();
        assert_eq!(found, listed);
    }
}
