//! HAKMEM's own C functions: this file is what `include/hakmem.h` is made from.

use core::ffi::c_char;

/// The allocator's name and version, "hakmem X.Y.Z": a constant string. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hak_version() -> *const c_char {
    concat!("hakmem ", env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Prints statistics to stderr: bytes live, free and mapped, slots by state, counters by class. Any thread.
/// Figures of other threads' magazines are right to a block or two each.
#[unsafe(no_mangle)]
pub extern "C" fn hak_stats_print() {
    crate::report::print();
}
