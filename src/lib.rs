//! HAKMEM: a malloc for 64-bit Linux with glibc, here as Rust's global allocator.
//!
//! ```
//! #[global_allocator]
//! static GLOBAL: hakmem::HakMem = hakmem::HakMem;
//!
//! let threads: Vec<_> = (0..4).map(|n| std::thread::spawn(move || vec![n; 1000])).collect();
//! let sum: usize = threads.into_iter().flat_map(|thread| thread.join().unwrap()).sum();
//! assert_eq!(sum, 6000);
//! ```
//!
//! # Features
//!
//! - `override`, the default: the program also defines `malloc`, `free` and their family, and C++'s `operator new` and
//!   `delete`, so that C libraries in it are served as well. A choice for the program at the top, not for a library.
//! - Without it (`default-features = false`) no symbol is exported: Rust's allocations come from here, C's from the system.
//!   The options, statistics at exit and reports of bad frees are the same.
//! - `allocator-api2`: [`HakMem`], `&`[`Arena`] and `&`[`SharedArena`] are allocators for the containers of the crate of that name, and of hashbrown and others that take
//!   its trait. `nightly`: the standard's trait instead, on a nightly compiler; with both it is the same one.
//! - `paranoid`: walks whole boxes after slow paths and aborts at the first broken invariant. For tests.
//!
//! # Asking it
//!
//! The environment is read at start: `HAKMEM_STATS=1` prints statistics at exit, `HAKMEM_HELP=1` the table of options.
//! `options!` sets them in the program itself. With `override` the functions of `hakmem.h` are there:
//!
//! ```
//! # #[cfg(feature = "override")] {
//! # use hakmem as _;
//! use std::ffi::{CStr, c_char};
//!
//! unsafe extern "C" {
//!     safe fn hak_version() -> *const c_char;
//! }
//! // SAFETY: a constant string.
//! let version = unsafe { CStr::from_ptr(hak_version()) };
//! assert!(version.to_str().unwrap().starts_with("hakmem "));
//! # }
//! ```
//!
//! # The source
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
#![cfg_attr(feature = "nightly", feature(allocator_api))]
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
mod pressure;

mod learn;
mod trace;

mod profile;
mod record;

mod region;
mod reserve;
mod superslab;

mod span;

mod heap;

mod baseline;
mod guard;
mod large;
mod pool_tls;
mod tiny_heap;

mod hardened;

mod reclaim;

mod front;

mod arena;

mod report;

mod abi;

pub use abi::{Arena, ArenaOptions, ArenaStats, HakMem, SharedArena};

/// Settings of the program's own: the options of docs/OPTIONS.md without their prefix, parted by commas, or by `;` if there is one.
/// Once in a program, at the level of items. The environment overrides them; what can't be read is named on stderr at start, and left out.
///
/// ```standalone_crate
/// #[global_allocator]
/// static GLOBAL: hakmem::HakMem = hakmem::HakMem;
///
/// hakmem::options!("decay_ms=100,thp=never");
/// # #[cfg(feature = "override")]
/// # unsafe extern "C" {
/// #     fn hak_option_get(name: *const std::ffi::c_char, value: *mut std::ffi::c_char, size: usize) -> std::ffi::c_int;
/// # }
/// # fn main() {
/// #     #[cfg(feature = "override")]
/// #     {
/// #         let mut value = [0u8; 8];
/// #         // SAFETY: a string, and room of the size named.
/// #         unsafe { hak_option_get(c"HAKMEM_THP".as_ptr(), value.as_mut_ptr().cast(), value.len()) };
/// #         assert!(value.starts_with(b"never\0"));
/// #     }
/// # }
/// ```
#[macro_export]
macro_rules! options {
    ($options:literal) => {
        const _: () = {
            const TEXT: &str = ::core::concat!($options, "\0");
            #[used]
            #[unsafe(no_mangle)]
            #[allow(non_upper_case_globals)]
            static hak_options: &[u8; TEXT.len()] = match TEXT.as_bytes().first_chunk() {
                Some(text) => text,
                None => ::core::unreachable!(),
            };
        };
    };
}
