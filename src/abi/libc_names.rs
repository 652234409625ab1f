//! glibc's second names for malloc's family. A program or tool that puts a malloc of its own around libc's calls these for the
//! blocks, and `free` by its only name: both must be one allocator's.
//!
//! None calls the first name: where the program wraps that, it is the program's.

use core::ffi::{c_int, c_void};

use super::{c, glibc, posix};
use crate::front;
use crate::os::page_size;

macro_rules! names {
    ($($name:ident($($param:ident: $type:ty),*) -> $result:ty = $body:expr;)*) => {$(
        /// # Safety
        /// As the function without `__libc_`.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($param: $type),*) -> $result {
            $body
        }
    )*};
}

names! {
    __libc_malloc(size: usize) -> *mut c_void = front::alloc(size).cast();
    __libc_calloc(count: usize, size: usize) -> *mut c_void = c::zeroed(count, size);
    __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void = c::resized(block, size);
    __libc_free(block: *mut c_void) -> () = front::free(block.cast());
    __libc_cfree(block: *mut c_void) -> () = front::free(block.cast());
    __libc_memalign(align: usize, size: usize) -> *mut c_void = glibc::aligned(align, size);
    __libc_valloc(size: usize) -> *mut c_void = front::alloc_aligned(size, page_size()).cast();
    __libc_pvalloc(size: usize) -> *mut c_void = glibc::whole_pages(size);
    // SAFETY: the caller's.
    __posix_memalign(out: *mut *mut c_void, align: usize, size: usize) -> c_int = unsafe { posix::aligned_into(out, align, size) };
}
