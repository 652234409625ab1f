//! realloc.

use super::source::{self, Mode, out_of_memory};
use super::{ask, free, malloc, recorded, slow};
use crate::base::addr::Addr;
use crate::base::fresh::Fresh;
use crate::class::{BIN_STRIDE, CLASSES, ClassId, MID_MAX};
use crate::hardened;
use crate::os::tls;
use crate::page_map;
use crate::span;

/// Makes `block` (not null) hold `size` bytes (not 0), in place where that wastes less than half (`stays`).
/// Null with ENOMEM leaves it as it was; what is no block ends the process. Any thread.
///
/// A block of the thread's own that stays: 61 instructions, counted through `realloc` by scripts/count_hot_path.sh, half
/// of them to see that it starts a block.
#[inline(always)]
pub(crate) fn realloc(block: *mut u8, size: usize) -> *mut u8 {
    let at = Addr::of(block);
    let offset = page_map::bin_of(at.granule(), tls::get().addr());
    if offset < CLASSES * BIN_STRIDE
        && ask::stays(ClassId::from_index(offset / BIN_STRIDE).block_size(), size)
        && !hardened::is_on()
        && span::surely_starts_block(at)
    {
        return block;
    }
    realloc_slow(block, size)
}

#[cold]
#[inline(never)]
fn realloc_slow(block: *mut u8, size: usize) -> *mut u8 {
    let fresh = resized(block, size);
    // Where it has moved that is recorded already.
    if fresh == block || fresh.is_null() {
        recorded::resized(block, size, fresh);
    }
    fresh
}

#[inline(always)]
fn resized(block: *mut u8, size: usize) -> *mut u8 {
    let old = match ask::resize(block, size) {
        Ok(resized) => return resized,
        Err(old) => old,
    };
    let fresh = if size > old { alloc_grown(size) } else { malloc::alloc_part(size) };
    if fresh.is_null() {
        let at = Addr::of(block);
        // Out of memory is no reason to refuse a smaller block its place; and now that all idle memory is given back,
        // a larger one may find room where it stands.
        if size > old {
            return ask::resize_again(at, size).unwrap_or_else(out_of_memory);
        }
        ask::cut(at, size);
        return block;
    }
    // SAFETY: both blocks are the caller's and hold at least this many bytes; a fresh block overlaps none in use.
    unsafe { fresh.copy_from_nonoverlapping(block, old.min(size)) };
    // Before it is given up: another thread may have it next.
    recorded::resized(block, size, fresh);
    free::free_part(block);
    fresh
}

/// A block for one that grew: above a granule one whose end can move, for what grew once grows again.
fn alloc_grown(size: usize) -> *mut u8 {
    if size <= MID_MAX || Mode::is_strict() {
        return malloc::alloc_part(size);
    }
    slow::behind_gate(size, 1, || source::growing(size)).map_or_else(out_of_memory, Fresh::into_raw)
}
