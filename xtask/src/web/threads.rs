//! A module for several threads: one memory, which the page makes and all of them share.

/// The most memory that it can grow to, in bytes. Browsers set this much address space aside at
/// the beginning, and telephones refuse to for 4 GiB.
const MOST_MEMORY: u64 = 2 << 30;

/// Features of WebAssembly that the whole module, its standard library included, is compiled with.
const FEATURES: &str = "+simd128,+atomics,+bulk-memory,+mutable-globals";

/// What each thread's stack and copy of its own variables are made from, for wasm-bindgen to find.
const EXPORTS: [&str; 5] =
    ["__wasm_init_tls", "__tls_size", "__tls_align", "__tls_base", "__heap_base"];

/// For the compiler and its linker.
pub fn compiler_flags() -> String {
    let mut flags = vec![format!("-Ctarget-feature={FEATURES}")];
    let mut link = |argument: String| flags.push(format!("-Clink-arg=--{argument}"));
    // Older compilers do this by themselves, newer ones leave it to whoever links.
    link("shared-memory".into());
    link("import-memory".into());
    link(format!("max-memory={MOST_MEMORY}"));
    EXPORTS.iter().for_each(|name| link(format!("export={name}")));
    flags.join(" ")
}
