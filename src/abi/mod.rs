//! Box `abi` (L9): what programs call, in C, C++ and Rust. Translates arguments and errors; decides nothing.
//! Owns: nothing.   Calls: all below.   Locks: none.
//! Threads: any.   Never: panics, unwinds from Rust.

#![allow(unreachable_pub, non_snake_case, reason = "exported by the names C and C++ give them")]

mod rust;
#[cfg(any(feature = "allocator-api2", feature = "nightly"))]
mod rust_allocator;
mod rust_arena;

#[cfg(all(feature = "override", not(test)))]
mod c;
#[cfg(all(feature = "override", not(test)))]
mod cxx;
#[cfg(all(feature = "override", not(test)))]
mod cxx_static;
#[cfg(all(feature = "override", not(test), optimised))]
mod dl;
#[cfg(all(feature = "override", not(test)))]
mod glibc;
#[cfg(any(feature = "override", hakmem_races))]
mod hak;
#[cfg(any(feature = "override", hakmem_races))]
mod hak_arena;
#[cfg(any(feature = "override", hakmem_races))]
mod hak_types;
mod layout;
#[cfg(all(feature = "override", not(test)))]
mod libc_names;
#[cfg(all(feature = "override", not(test)))]
mod namespaces;
#[cfg(all(feature = "override", not(test)))]
mod posix;

mod start;

pub use rust::HakMem;
pub use rust_arena::{Arena, ArenaOptions, ArenaStats, SharedArena};
