//! realloc and malloc_usable_size.

use errno::{errno, set_errno};

use super::{malloc, profiled, recorded, slow};
use crate::base::addr::{Addr, GRANULE};
use crate::class::{BIN_STRIDE, CLASSES, ClassId, MID_MAX};
use crate::guard;
use crate::hardened;
use crate::large;
use crate::os::{die, gate, tls};
use crate::page_map::{self, Tag};
use crate::reclaim;
use crate::reserve;
use crate::span;

const FOREIGN: &str = "realloc: not a block of this allocator, or free already";
const UNMEASURED: &str = "malloc_usable_size: not a block of this allocator, or free already";
/// Bytes of the smallest block: never too large for what is left in it.
const SMALLEST: usize = 16;
const INTERIOR: &str = "realloc: pointer into a block, not to its start";

/// Usable bytes of the block that starts at `block`; `None` when none does. Any thread, for which the block stays meanwhile.
pub(crate) fn usable_size(block: *mut u8) -> Option<usize> {
    let at = Addr::of(block);
    match page_map::tag(at) {
        Tag::NONE | Tag::WAITS => None,
        Tag::LARGE => large::usable(at),
        Tag::GUARD => guard::usable(at),
        tag if tag.is_reserve() => reserve::usable(at, tag),
        tag if hardened::is_on() => hardened::usable(at, ClassId::from_index(tag.class_index())),
        tag => span::starts_block(at).then(|| ClassId::from_index(tag.class_index()).block_size()),
    }
}

/// Whether a block starts at `block`, which may be any address. Any thread.
pub(crate) fn is_ours(block: *mut u8) -> bool {
    let at = Addr::of(block);
    match page_map::tag(at) {
        // It starts the one granule that has its tag. Its record is its holder's.
        Tag::LARGE => at.is_aligned(GRANULE),
        _ => usable_size(block).is_some(),
    }
}

/// `usable_size` for who may have named anything; hardened, what is no block, or free, ends the process.
pub(crate) fn usable_size_or_0(block: *mut u8) -> usize {
    match usable_size(block) {
        Some(size) => size,
        None if hardened::is_on() && !block.is_null() => die(UNMEASURED, Addr::of(block)),
        None => 0,
    }
}

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
        && stays(ClassId::from_index(offset / BIN_STRIDE).block_size(), size)
        && !hardened::is_on()
        && span::surely_starts_block(at)
    {
        return block;
    }
    realloc_slow(block, size)
}

/// Whether a block of `old` bytes is to hold `size` of them where it is: above half of it, from 1 KiB on above 5/8. A smaller one
/// would be of the next class in half of the cases, and the copy not worth it.
#[inline(always)]
fn stays(old: usize, size: usize) -> bool {
    // An eighth in multiples of 128 bytes: nothing, below 1 KiB.
    let eighth = (old / 8) & !127;
    size <= old && (size > old / 2 + eighth || old == SMALLEST)
}

/// Makes `block` (not null) hold `size` bytes (not 0) without a copy, where it is or by moving its pages; else says how many it holds, and it is
/// as before. What is no block ends the process. Any thread.
#[inline(always)]
pub(crate) fn resize(block: *mut u8, size: usize) -> Result<*mut u8, usize> {
    let at = Addr::of(block);
    match page_map::tag(at) {
        Tag::NONE | Tag::WAITS => die(FOREIGN, at),
        Tag::LARGE => resize_large(at, size),
        Tag::GUARD => Err(guard::usable(at).unwrap_or_else(|| die(FOREIGN, at))),
        // Always moved: what comes from the reserve is to go back to it soon.
        tag if tag.is_reserve() => Err(reserve::usable(at, tag).unwrap_or_else(|| die(FOREIGN, at))),
        tag if hardened::is_on() => hardened::resize(at, ClassId::from_index(tag.class_index()), size).map(|()| block),
        _ if !span::starts_block(at) => die(INTERIOR, at),
        tag => {
            let old = ClassId::from_index(tag.class_index()).block_size();
            if stays(old, size) { Ok(block) } else { Err(old) }
        }
    }
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
    let old = match resize(block, size) {
        Ok(resized) => return resized,
        Err(old) => old,
    };
    let fresh = if size > old { alloc_grown(size) } else { malloc::alloc_part(size) };
    if fresh.is_null() {
        let at = Addr::of(block);
        let tag = page_map::tag(at);
        // Out of memory is no reason to refuse a smaller block its place; and now that all idle memory is given back,
        // a larger one may find room where it stands.
        if size > old {
            return again(at, tag, size).unwrap_or_else(super::out_of_memory);
        }
        cut(at, tag, size);
        return block;
    }
    // SAFETY: both blocks are the caller's and hold at least this many bytes; a fresh block overlaps none in use.
    unsafe { fresh.copy_from_nonoverlapping(block, old.min(size)) };
    // Before it is given up: another thread may have it next.
    recorded::resized(block, size, fresh);
    super::free::free_part(block);
    fresh
}

/// A block for one that grew: above a granule one whose end can move, for what grew once grows again.
fn alloc_grown(size: usize) -> *mut u8 {
    if size <= MID_MAX || slow::strict().is_some() {
        return malloc::alloc_part(size);
    }
    slow::behind_gate(size, 1, || slow::try_growing(size)).map_or_else(slow::out_of_memory, |fresh| fresh.at.as_ptr())
}

/// A block that is to hold fewer bytes where it stands: strict modes watch its new end, and compare the new size.
#[cold]
fn cut(at: Addr, tag: Tag, size: usize) {
    match tag {
        Tag::LARGE => large::cut(at, size),
        Tag::GUARD => guard::cut(at, size),
        tag if tag.is_reserve() => {}
        tag if hardened::is_on() => hardened::cut(at, ClassId::from_index(tag.class_index()), size),
        _ => {}
    }
}

#[cold]
fn again(at: Addr, tag: Tag, size: usize) -> Option<*mut u8> {
    if tag == Tag::LARGE { resize_large(at, size).ok() } else { None }
}

/// A large block in place or with its pages moved; its usable bytes when it has to be copied.
fn resize_large(at: Addr, size: usize) -> Result<*mut u8, usize> {
    let Some(old) = large::usable(at) else { die(INTERIOR, at) };
    if size > isize::MAX as usize {
        return Ok(super::out_of_memory());
    }
    let before = recorded::now();
    let resized = resize_inside(at, old, size)?;
    profiled::resized(at, resized, size);
    if resized != at {
        recorded::moved(before, at, size, resized);
    }
    Ok(resized.as_ptr())
}

fn resize_inside(at: Addr, old: usize, size: usize) -> Result<Addr, usize> {
    let Some(_inside) = gate::enter() else { return Err(old) };
    reclaim::apply_limits();
    let resized = large::resize(at, size).ok_or(old);
    if resized.is_ok() && size < old {
        // A run's end is idle now.
        let saved = errno();
        reclaim::after_free();
        set_errno(saved);
    }
    super::paranoid::after_slow_path();
    resized
}
