//! What several commands ask for alike.

use std::path::PathBuf;

use clap::ValueHint;

/// Where the library is.
#[derive(clap::Args)]
pub(crate) struct LibraryArgs {
    /// The libhakmem.so to use [default: $HAKMEM_LIB, then beside this program, ../lib, the build tree, the loader's paths]
    #[arg(long = "lib", value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) path: Option<PathBuf>,
}

/// The library's options that are asked for most.
#[derive(clap::Args, Clone)]
pub(crate) struct KnobArgs {
    /// Set any option of the library, with or without HAKMEM_ in front (`hakmem options` lists them)
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(crate) set: Vec<(String, String)>,
    /// How long free memory is kept: 0 gives it back at once, -1 never
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    pub(crate) decay_ms: Option<i64>,
    /// Write the statistics at exit: 1 to stderr, or json:PATH, text:PATH, prom:PATH
    #[arg(long, value_name = "WHERE")]
    pub(crate) stats: Option<String>,
    /// Find more misuse, at the cost of time and memory: HAKMEM_HARDENED=1
    #[arg(long)]
    pub(crate) hardened: bool,
    /// Serve blocks up to 1 KiB in another, slower way: HAKMEM_TINY_HEAP_V2=0
    #[arg(long)]
    pub(crate) no_tiny_heap: bool,
}

fn name_and_value(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is not NAME=VALUE".to_owned()),
    }
}
