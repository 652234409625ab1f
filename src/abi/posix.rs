//! POSIX's and the BSDs' allocation functions.

use core::ffi::{c_int, c_void};

use crate::front;

/// Returns 0, EINVAL or ENOMEM; on an error `*out` stays as it was. Out of memory errno is ENOMEM besides, as glibc has it.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, align: usize, size: usize) -> c_int {
    // SAFETY: the caller's.
    unsafe { aligned_into(out, align, size) }
}

/// # Safety
/// `out` is writable.
#[inline(always)]
pub(super) unsafe fn aligned_into(out: *mut *mut c_void, align: usize, size: usize) -> c_int {
    if !align.is_power_of_two() || align < size_of::<*mut c_void>() {
        return libc::EINVAL;
    }
    let block = front::alloc_aligned(size, align);
    if block.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: the caller's.
    unsafe { *out = block.cast() };
    0
}

/// # Safety
/// As `realloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reallocarray(block: *mut c_void, count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: the caller's.
        Some(bytes) => unsafe { super::c::realloc(block, bytes) },
        None => front::out_of_memory().cast(),
    }
}
