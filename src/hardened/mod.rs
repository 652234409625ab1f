//! Box `hardened` (L6): every block with `HAKMEM_HARDENED=1`, `full`, or `=light`, `checked`; large ones in either form, `fenced`.
//! Owns: `State`, one for each heap, a record of meta: stocks to choose from, the quarantine, the random stream; what claims say; closed
//! addresses that held large blocks, and pages that wait for one.
//! Calls: base, os, stats, class, config, canary, meta, page_map, trace, region, superslab, span, heap, large.   Called by: reclaim, front, report, abi.
//! Locks: `RETIRED` → `LAND` or `FIELDS` → the region's, meta's; `WAITING`, a leaf; else through heap.   Threads: a state is its heap's thread's; `release`, large blocks and the checks serve any.

pub(crate) mod checked;
mod claim;
mod commons;
mod cuts;
pub(crate) mod fenced;
pub(crate) mod full;
mod parked;
mod quarantine;
mod random;
mod site;
mod state;
mod stock;

use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::class::ClassId;
use crate::config;
use crate::config::hardened::{FULL, LIGHT, OFF};
use crate::heap::{self, Heap};
use crate::os::{Defect, die_sized};
use crate::page_map;
use crate::span;
use crate::trace;

pub(crate) use full::{at_exit, at_fork_child, cached, close, flush_all};

/// Whether this mode is on, in its full form; not before the options are read.
#[inline(always)]
pub(crate) fn is_full() -> bool {
    config::get::hardened() == FULL
}

/// Whether it is on in its light form.
#[inline(always)]
pub(crate) fn is_light() -> bool {
    config::get::hardened() == LIGHT
}

/// Whether it is on in either.
#[inline(always)]
pub(crate) fn is_on() -> bool {
    config::get::hardened() != OFF
}

/// The class of a block for `size` bytes at a multiple of `align`, what is watched behind it included; `None`: it is a large block.
pub(crate) fn class_for(size: usize, align: usize) -> Option<ClassId> {
    if is_light() { checked::class_for(size, align) } else { full::class_for(size, align) }
}

/// A block of no bytes, in closed pages. `None`: out of memory.
#[cold]
pub(crate) fn alloc_empty() -> Option<Block> {
    let block = heap::alloc_empty()?;
    trace::on_alloc(block.addr());
    Some(block)
}

/// Whether the block at `at` is one of those.
fn is_empty(at: Addr) -> bool {
    heap::holds_empty(page_map::tag(at).owner())
}

/// Frees a block of no bytes, of the heap `owner`. `said`: the size that the program gave.
#[cold]
pub(crate) fn free_empty(owner: &Heap, at: Addr, said: Option<usize>) {
    if said.is_some_and(|said| said != 0) {
        die_sized(Defect::FREE_SIZE, 0, at);
    }
    trace::on_free(at);
    owner.free_direct(at);
}

/// `full::alloc_shared` in either form.
pub(crate) fn alloc_shared(heap: &Heap, class: ClassId, size: usize) -> Option<(Block, bool)> {
    if !is_light() {
        return full::alloc_shared(heap, class, size);
    }
    let block = heap.alloc_direct(class)?;
    checked::hand_out_any(block.addr(), size);
    // `calloc` looks at it all.
    Some((block, false))
}

/// Bytes that the program may use of the block at `at`, whose granule is tagged with `class`: those it asked for. `None`: no block of its
/// starts there.
pub(crate) fn usable(at: Addr, class: ClassId) -> Option<usize> {
    if is_empty(at) {
        return span::starts_block(at).then_some(0);
    }
    if is_light() { checked::usable(at, class) } else { full::usable(at) }
}

/// Makes the block at `at`, whose granule is tagged with `class`, hold `size` bytes where it is. Otherwise says how many it holds.
pub(crate) fn resize(at: Addr, class: ClassId, size: usize) -> Result<(), usize> {
    if is_empty(at) {
        // Whether it is one at all its free will find.
        return Err(0);
    }
    if is_light() { checked::resize(at, class, size) } else { full::resize(at, size) }
}

/// Makes the block at `at`, which the program holds, end after `most` bytes, or as many as there are of it, `least` at least. Says how many;
/// `None`: it has no more to give, and is as before.
pub(crate) fn expand(at: Addr, class: ClassId, least: usize, most: usize) -> Option<usize> {
    if is_empty(at) {
        return None;
    }
    if is_light() { checked::expand(at, class, least, most) } else { full::expand(at, least, most) }
}

/// Makes the block at `at`, which `resize` looked at, end after `size` bytes, no more than it has.
pub(crate) fn cut(at: Addr, class: ClassId, size: usize) {
    if is_light() { checked::cut(at, class, size) } else { full::cut(at, size) }
}

/// Gives the pages that wait for a large block back to the kernel, those that waited longest first, until `want` bytes went. Returns bytes. Any thread.
///
/// What freed ones are held back by is addresses, not memory: only whoever wants all (`usize::MAX`) gets those.
pub(crate) fn purge(want: usize) -> usize {
    let given = parked::purge(want);
    if want == usize::MAX {
        site::purge();
    }
    given
}

/// Gives the closed addresses that held large blocks back to the kernel, for it has no others. Any thread.
pub(crate) fn unmap_closed() {
    site::purge_land();
}

/// Feature `paranoid`: the bytes of what waits. Any thread.
#[cfg(feature = "paranoid")]
pub(crate) fn waiting_bytes() -> usize {
    parked::check()
}
