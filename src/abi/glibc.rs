//! What glibc adds: old forms of alignment, inspection and tuning.

use core::ffi::{c_int, c_void};

use crate::base::addr::GRANULE;
use crate::front;
use crate::os::page_size;
use crate::reclaim;
use crate::report::{self, Totals};
use crate::superslab::SUPERSLAB;

/// An alignment that is no power of two is rounded up, as glibc does.
///
/// # Safety
/// None needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memalign(align: usize, size: usize) -> *mut c_void {
    aligned(align, size)
}

#[inline(always)]
pub(super) fn aligned(align: usize, size: usize) -> *mut c_void {
    match align.checked_next_power_of_two() {
        Some(align) => front::alloc_aligned(size, align).cast(),
        None => {
            errno::set_errno(errno::Errno(libc::EINVAL));
            core::ptr::null_mut()
        }
    }
}

/// # Safety
/// None needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn valloc(size: usize) -> *mut c_void {
    front::alloc_aligned(size, page_size()).cast()
}

/// # Safety
/// None needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvalloc(size: usize) -> *mut c_void {
    whole_pages(size)
}

#[inline(always)]
pub(super) fn whole_pages(size: usize) -> *mut c_void {
    match crate::base::bits::round_up(size.max(1), page_size()) {
        Some(pages) => front::alloc_aligned(pages, page_size()).cast(),
        None => front::out_of_memory().cast(),
    }
}

/// # Safety
/// As `free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cfree(block: *mut c_void) {
    front::free(block.cast());
}

/// Bytes the block can hold: stable for its life and writable. 0 for null and for what is no block.
///
/// 0 of what is no block; hardened, that ends the process.
///
/// # Safety
/// None needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_usable_size(block: *mut c_void) -> usize {
    front::usable_size_or_0(block.cast())
}

/// Gives back all idle memory; `pad` has no meaning here. 1 when some went back, else 0.
///
/// # Safety
/// None needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_trim(_pad: usize) -> c_int {
    (front::trim() > 0) as c_int
}

/// glibc's parameters, of malloc.h.
mod parameter {
    use core::ffi::c_int;

    pub(super) const TRIM_THRESHOLD: c_int = -1;
    pub(super) const TOP_PAD: c_int = -2;
    pub(super) const MMAP_THRESHOLD: c_int = -3;
    pub(super) const MMAP_MAX: c_int = -4;
    pub(super) const CHECK_ACTION: c_int = -5;
    pub(super) const PERTURB: c_int = -6;
}

/// 1 where what glibc's manual says of the parameter is so from now on, or was all along; else 0, and nothing has changed. docs/USING.md has the
/// table. Programs that must not wait for the kernel ask for M_TRIM_THRESHOLD = -1 and M_MMAP_MAX = 0, and many end if they are told 0.
///
/// # Safety
/// None needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mallopt(param: c_int, value: c_int) -> c_int {
    let holds = match param {
        parameter::TRIM_THRESHOLD => {
            // glibc takes it for a size: what is negative is never reached.
            reclaim::keep(u32::try_from(value).map_or(i64::MAX, |bytes| bytes.max(1).into()));
            true
        }
        // So much is asked of the kernel at a time anyway.
        parameter::TOP_PAD => usize::try_from(value).is_ok_and(|bytes| bytes <= SUPERSLAB),
        // From a slot on no block shares a page with another, and each can go back alone: what a mapping of its own is wanted for.
        parameter::MMAP_THRESHOLD => usize::try_from(value).is_ok_and(|bytes| bytes >= GRANULE),
        // Freed large blocks are kept as others are, and unmapped no sooner.
        parameter::MMAP_MAX | parameter::PERTURB => value == 0,
        // Without a meaning in glibc too, since 2.26: misuse is reported and ends the process.
        parameter::CHECK_ACTION => true,
        _ => false,
    };
    holds as c_int
}

/// # Safety
/// None needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mallinfo2() -> libc::mallinfo2 {
    let totals = Totals::take();
    libc::mallinfo2 {
        arena: totals.pool.mapped_bytes as usize,
        ordblks: totals.classes.iter().map(|class| class.free + class.cached).sum::<u64>() as usize,
        smblks: 0,
        hblks: totals.large.live_blocks as usize,
        hblkhd: totals.large.mapped_bytes.saturating_sub(totals.large.cached_bytes) as usize,
        usmblks: 0,
        fsmblks: 0,
        uordblks: totals.live_bytes() as usize,
        fordblks: totals.free_bytes() as usize,
        keepcost: (totals.pool.empty + totals.pool.cached_dirty) as usize * crate::base::addr::GRANULE,
    }
}

/// `mallinfo2` in ints, which stop at INT_MAX rather than wrap.
///
/// # Safety
/// None needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mallinfo() -> libc::mallinfo {
    // SAFETY: none needed.
    let wide = unsafe { mallinfo2() };
    let int = |n: usize| n.min(c_int::MAX as usize) as c_int;
    libc::mallinfo {
        arena: int(wide.arena),
        ordblks: int(wide.ordblks),
        smblks: 0,
        hblks: int(wide.hblks),
        hblkhd: int(wide.hblkhd),
        usmblks: 0,
        fsmblks: 0,
        uordblks: int(wide.uordblks),
        fordblks: int(wide.fordblks),
        keepcost: int(wide.keepcost),
    }
}

/// Writes XML as glibc's. `options` must be 0. 0, or an error number.
///
/// # Safety
/// `stream` is open for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_info(options: c_int, stream: *mut libc::FILE) -> c_int {
    if options != 0 {
        return libc::EINVAL;
    }
    report::write_xml(&mut |piece| {
        // SAFETY: the caller's stream.
        unsafe { libc::fwrite(piece.as_ptr().cast(), 1, piece.len(), stream) };
    });
    0
}

/// Prints statistics to stderr.
///
/// # Safety
/// None needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_stats() {
    report::print();
}
