//! From the crate `web` to a folder that any web server can serve.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::toolchain::{TARGET, Toolchain};
use super::{npm, threads};
use crate::cache;
use crate::steps::{Outcome, run};

/// The site, from the project's root.
pub const SITE: &str = "web/dist";

/// The files of the page that are not built, in `web/page`.
const PAGE: [&str; 4] = ["index.html", "page.js", "worker.js", "pool.js"];

/// Places in those files for what only the build knows.
const VERSION: &str = "%VERSION%";
const SIZE: &str = "%SIZE%";
/// 0 where that module was not built.
const THREADED_SIZE: &str = "%THREADED_SIZE%";

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

/// What was built.
#[derive(Clone, Debug)]
pub struct Site {
    pub folder: PathBuf,
    /// Why the solver has one thread in it, if it has no more.
    pub single_threaded: Option<String>,
}

/// The two modules that one crate becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Module {
    /// The page, and a solver on one thread.
    Page,
    /// A solver with a pool of threads ([`threads`](super::threads)).
    Threaded,
}

impl Module {
    /// Of the JavaScript around it, without its ending.
    fn name(self) -> &'static str {
        match self {
            Self::Page => "sketchpde",
            Self::Threaded => "sketchpde_threads",
        }
    }

    fn file(self, site: &Path) -> PathBuf {
        site.join(format!("{}_bg.wasm", self.name()))
    }

    /// Folders of their own, so that no build drives the other's out.
    fn target_folder(self, cache: &Path) -> PathBuf {
        cache.join(match self {
            Self::Page => "web-target",
            Self::Threaded => "web-target-threads",
        })
    }

    fn compiler_flags(self) -> String {
        match self {
            Self::Page => "-Ctarget-feature=+simd128".to_owned(),
            Self::Threaded => threads::compiler_flags(),
        }
    }
}

/// Builds the site: both modules, or the page's alone where the other's compiler cannot be had.
///
/// # Errors
/// When a step fails or a module is too large; the message names the step.
pub fn build(options: Options) -> Result<Site, String> {
    let cache = cache::folder()?;
    // Clones share the target folders, and the module in one is that of the last one to build.
    let lock = File::create(cache.join("lock")).and_then(|file| file.lock().map(|()| file));
    let lock = lock.map_err(|e| format!("{}: {e}", cache.display()))?;
    let folder = PathBuf::from(SITE);
    let _ = std::fs::remove_dir_all(&folder);
    create(&folder)?;
    bind(&compile(Module::Page, &Toolchain::find(&cache)?, &cache)?, Module::Page, &folder)?;
    let single_threaded = match Toolchain::find_with_source(&cache) {
        Ok(toolchain) => {
            let module = compile(Module::Threaded, &toolchain, &cache)?;
            bind(&module, Module::Threaded, &folder)?;
            None
        }
        Err(why) => {
            println!("The solver has one thread in this page: {why}");
            Some(why)
        }
    };
    drop(lock);
    for module in [Module::Page, Module::Threaded].map(|module| module.file(&folder)) {
        if options.optimise && module.is_file() {
            optimise(&module, &cache)?;
        }
    }
    fill_page(&folder)?;
    Ok(Site { folder, single_threaded })
}

/// Compiles the crate and gives its module. The target folder is one for all clones: nearly all of
/// a build is dependencies.
fn compile(module: Module, toolchain: &Toolchain, cache: &Path) -> Result<PathBuf, String> {
    let target = module.target_folder(cache);
    let mut cargo = toolchain.cargo_build(module == Module::Threaded);
    cargo
        .args(["--locked", "--profile", "web", "--package", "sketchpde-web"])
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", module.compiler_flags());
    if module == Module::Threaded {
        cargo.arg("--no-default-features");
    }
    done(&mut cargo)?;
    Ok(target.join(TARGET).join("web/sketchpde_web.wasm"))
}

/// Writes the JavaScript around a module.
fn bind(compiled: &Path, module: Module, site: &Path) -> Result<(), String> {
    let mut bindgen = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    bindgen
        .args(["run", "--quiet", "--locked", "--release", "--package", "sketchpde-bindgen", "--"])
        .args([compiled, site])
        .arg(module.name());
    done(&mut bindgen)
}

fn optimise(module: &Path, cache: &Path) -> Result<(), String> {
    let folder = npm::install(cache, "binaryen", "132.0.0")?;
    let program = folder.join("binaryen/bin/wasm-opt");
    let mut node = npm::node()?;
    done(node.arg(program).arg("-O2").args(FEATURES).arg(module).arg("-o").arg(module))
}

/// Copies the page's own files, with the version that makes a browser fetch what has changed and
/// the sizes that its progress bar counts to, and weighs the modules.
fn fill_page(site: &Path) -> Result<(), String> {
    let page = weighed(&Module::Page.file(site))?;
    let threaded = Module::Threaded.file(site);
    let threaded = if threaded.is_file() { weighed(&threaded)? } else { Vec::new() };
    let mut texts = Vec::new();
    for name in PAGE {
        let source = Path::new("web/page").join(name);
        let text =
            std::fs::read_to_string(&source).map_err(|e| format!("{}: {e}", source.display()))?;
        texts.push(text);
    }
    let mut parts = vec![page.as_slice(), threaded.as_slice()];
    parts.extend(texts.iter().map(|text| text.as_bytes()));
    let version = version(&parts);
    for (name, text) in PAGE.iter().zip(texts) {
        let text = text
            .replace(VERSION, &version)
            .replace(THREADED_SIZE, &threaded.len().to_string())
            .replace(SIZE, &page.len().to_string());
        let target = site.join(name);
        std::fs::write(&target, text).map_err(|e| format!("{}: {e}", target.display()))?;
    }
    Ok(())
}

/// Follows from everything that the site is made of.
fn version(contents: &[&[u8]]) -> String {
    let mut hasher = DefaultHasher::new();
    contents.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The module's bytes; says how large it is, as it is and as servers send it.
fn weighed(module: &Path) -> Result<Vec<u8>, String> {
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
    Ok(contents)
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
        assert_eq!(version(&[b"module", b""]), version(&[b"module", b""]));
        assert_ne!(version(&[b"module", b""]), version(&[b"modulf", b""]));
        assert_ne!(version(&[b"module", b""]), version(&[b"module", b"other"]));
    }
}
