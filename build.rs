//! Names the shared library's ABI and, with feature `header`, writes the C header from `src/abi/hak.rs`, `hak_arena.rs` and `hak_types.rs`.
#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a build script may stop the build"
)]

fn main() {
    println!("cargo::rerun-if-changed=src/abi/hak.rs");
    println!("cargo::rerun-if-changed=src/abi/hak_arena.rs");
    println!("cargo::rerun-if-changed=src/abi/hak_types.rs");
    println!("cargo::rerun-if-changed=cbindgen.toml");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libhakmem.so.0");
    // Fork handlers and thread-exit destructors point into the library: it must never be unloaded.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // Every symbol is resolved at load: the first call of a lazily bound one would enter the loader from within malloc.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,now");
    if matches!(std::env::var("CARGO_CFG_TARGET_ARCH").as_deref(), Ok("x86_64" | "aarch64")) {
        // See src/os/die.rs. Without it the runtime's panic machinery stays in the library.
        println!("cargo::rustc-cdylib-link-arg=-Wl,--defsym=rust_eh_personality=hakmem_no_personality");
    }
    // See src/abi/dl.rs.
    println!("cargo::rustc-check-cfg=cfg(optimised)");
    // tests/races.rs: the functions of hakmem.h beside another malloc.
    println!("cargo::rustc-check-cfg=cfg(hakmem_races)");
    if std::env::var("OPT_LEVEL").is_ok_and(|level| level != "0") {
        println!("cargo::rustc-cfg=optimised");
    }
    #[cfg(feature = "header")]
    header();
}

#[cfg(feature = "header")]
fn header() {
    let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let config = cbindgen::Config::from_file("cbindgen.toml").expect("cbindgen.toml is readable");
    cbindgen::Builder::new()
        .with_config(config)
        .with_src("src/abi/hak_types.rs")
        .with_src("src/abi/hak.rs")
        .with_src("src/abi/hak_arena.rs")
        .generate()
        .expect("these files are plain enough for cbindgen")
        .write_to_file(std::path::Path::new(&out).join("hakmem.h"));
}
