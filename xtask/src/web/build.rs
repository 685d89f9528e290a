//! From the crate `web` to a folder that any web server can serve.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::npm;
use super::toolchain::{TARGET, Toolchain};
use crate::cache;
use crate::steps::{Outcome, run};

/// The site, from the project's root.
pub const SITE: &str = "web/dist";

/// The files of the page that are not built, in `web/page`.
const PAGE: [&str; 3] = ["index.html", "page.js", "worker.js"];

/// Places in those files for what only the build knows.
const VERSION: &str = "%VERSION%";
const SIZE: &str = "%SIZE%";

/// The module may not be larger than this, compressed: people wait for it.
const MOST_MEGABYTES: f64 = 4.0;

/// The features of WebAssembly that the compiler emits, for wasm-opt: with more of them switched on
/// it makes modules that browsers reject.
const FEATURES: [&str; 8] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-reference-types",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-multivalue",
    "--enable-simd",
];

#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Run wasm-opt, which takes minutes: for a site that is published.
    pub optimise: bool,
}

/// Builds the site and gives its folder.
///
/// # Errors
/// When a step fails or the module is too large; the message names the step.
pub fn build(options: Options) -> Result<PathBuf, String> {
    let cache = cache::folder()?;
    // Clones share the target folder, and the module in it is that of the last one to build.
    let lock = File::create(cache.join("lock")).and_then(|file| file.lock().map(|()| file));
    let lock = lock.map_err(|e| format!("{}: {e}", cache.display()))?;
    let module = compile(&cache)?;
    let site = PathBuf::from(SITE);
    let _ = std::fs::remove_dir_all(&site);
    create(&site)?;
    let mut bindgen = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    bindgen
        .args(["run", "--quiet", "--locked", "--release", "--package", "sketchpde-bindgen", "--"])
        .args([module.as_path(), site.as_path()])
        .arg("sketchpde");
    done(&mut bindgen)?;
    drop(lock);
    let module = site.join("sketchpde_bg.wasm");
    if options.optimise {
        let folder = npm::install(&cache, "binaryen", "132.0.0")?;
        let program = folder.join("binaryen/bin/wasm-opt");
        done(
            npm::node()?.arg(program).arg("-O2").args(FEATURES).arg(&module).arg("-o").arg(&module),
        )?;
    }
    fill_page(&site, &module)?;
    weigh(&module)?;
    Ok(site)
}

/// Compiles the crate and gives its module. The target folder is one for all clones: nearly all of
/// a build is dependencies.
fn compile(cache: &Path) -> Result<PathBuf, String> {
    let toolchain = Toolchain::find(cache)?;
    let target = cache.join("web-target");
    let mut cargo = toolchain.cargo_build();
    cargo
        .args(["--locked", "--profile", "web", "--package", "sketchpde-web"])
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "-Ctarget-feature=+simd128");
    done(&mut cargo)?;
    Ok(target.join(TARGET).join("web/sketchpde_web.wasm"))
}

/// Copies the page's own files, with the version that makes a browser fetch what has changed and
/// the size that its progress bar counts to.
fn fill_page(site: &Path, module: &Path) -> Result<(), String> {
    let contents = std::fs::read(module).map_err(|e| format!("{}: {e}", module.display()))?;
    let version = version(&contents);
    let size = contents.len().to_string();
    for name in PAGE {
        let source = Path::new("web/page").join(name);
        let text =
            std::fs::read_to_string(&source).map_err(|e| format!("{}: {e}", source.display()))?;
        let text = text.replace(VERSION, &version).replace(SIZE, &size);
        let target = site.join(name);
        std::fs::write(&target, text).map_err(|e| format!("{}: {e}", target.display()))?;
    }
    Ok(())
}

fn version(contents: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    contents.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Says how large the module is, as it is and as servers send it.
fn weigh(module: &Path) -> Result<(), String> {
    let contents = std::fs::read(module).map_err(|e| format!("{}: {e}", module.display()))?;
    let compressed = miniz_oxide::deflate::compress_to_vec(&contents, 9).len();
    let megabytes = |bytes: usize| bytes as f64 / 1e6;
    println!(
        "{}: {:.2} MB, {:.2} MB compressed",
        module.display(),
        megabytes(contents.len()),
        megabytes(compressed)
    );
    if megabytes(compressed) > MOST_MEGABYTES {
        return Err(format!("the compressed module is larger than {MOST_MEGABYTES} MB"));
    }
    Ok(())
}

fn create(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))
}

pub fn done(command: &mut Command) -> Result<(), String> {
    match run(command) {
        Outcome::Failed(why) => Err(why),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_follows_the_contents() {
        assert_eq!(version(b"module"), version(b"module"));
        assert_ne!(version(b"module"), version(b"modulf"));
    }
}
