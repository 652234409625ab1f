//! The whole process on HAKMEM, C libraries linked in or loaded later included: feature `override`, which is the default.
//!
//!     cargo run --release --example whole_process

use std::ffi::{CStr, c_char, c_void};

#[global_allocator]
static GLOBAL: hakmem::HakMem = hakmem::HakMem;

unsafe extern "C" {
    fn hak_version() -> *const c_char;
    fn strdup(text: *const c_char) -> *mut c_char;
    fn malloc_usable_size(block: *mut c_void) -> usize;
    fn free(block: *mut c_void);
}

fn main() {
    // SAFETY: a constant string.
    let version = unsafe { CStr::from_ptr(hak_version()) };
    println!("served by {}", version.to_string_lossy());

    // SAFETY: libc allocates the copy by the process's malloc; it is ours to free.
    unsafe {
        let copy = strdup(c"what libc allocates is HAKMEM's as well".as_ptr());
        println!("libc's strdup of 40 bytes got a block of {}", malloc_usable_size(copy.cast()));
        free(copy.cast());
    }
}
