//! C23's allocation functions.

use core::ffi::c_void;

use crate::front;

/// # Safety
/// As C's `malloc`: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    front::alloc(size).cast()
}

/// # Safety
/// `block` is null or a live block of this allocator.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(block: *mut c_void) {
    front::free(block.cast());
}

/// # Safety
/// As C's `calloc`: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    zeroed(count, size)
}

#[inline(always)]
pub(super) fn zeroed(count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        Some(bytes) => front::alloc_zeroed(bytes).cast(),
        None => front::out_of_memory().cast(),
    }
}

/// As glibc: `realloc(block, 0)` frees and returns null.
///
/// # Safety
/// `block` is null or a live block of this allocator.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    resized(block, size)
}

#[inline(always)]
pub(super) fn resized(block: *mut c_void, size: usize) -> *mut c_void {
    if block.is_null() {
        return front::alloc(size).cast();
    }
    if size == 0 {
        front::free(block.cast());
        return core::ptr::null_mut();
    }
    front::realloc(block.cast(), size).cast()
}

/// The size is the program's claim. The block's own is known: only strict modes compare them.
///
/// # Safety
/// As `free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_sized(block: *mut c_void, size: usize) {
    front::free_sized(block.cast(), size);
}

/// # Safety
/// As `free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_aligned_sized(block: *mut c_void, _align: usize, size: usize) {
    front::free_sized(block.cast(), size);
}

/// EINVAL for what is no power of two; any size is served.
///
/// # Safety
/// As C's `aligned_alloc`: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    if !align.is_power_of_two() {
        errno::set_errno(errno::Errno(libc::EINVAL));
        return core::ptr::null_mut();
    }
    front::alloc_aligned(size, align).cast()
}
