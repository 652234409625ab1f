//! HAKMEM: a malloc for Linux/glibc. Preload it, link it, or name it as Rust's global allocator:
//!
//! ```
//! #[global_allocator]
//! static GLOBAL: hakmem::HakMem = hakmem::HakMem;
//! ```
//!
//! Strict layers, lowest first: a module names only those above it in this list (scripts/check_layers.sh).
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::disallowed_types,
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "tests may allocate and panic"
    )
)]
#![cfg_attr(
    any(test, not(feature = "override")),
    allow(dead_code, unused_imports, reason = "what only the exported functions use")
)]

mod base;
mod os;

mod class;
mod stats;

mod canary;
mod config;
mod meta;
mod page_map;

mod learn;
mod trace;

mod superslab;

mod span;

mod heap;

mod baseline;
mod guard;
mod hardened;
mod large;
mod pool_tls;
mod tiny_heap;

mod front;

mod report;

mod abi;

pub use abi::HakMem;
