//! What the hot paths leave to be decided: who is calling, in which mode, and whose block it is.

use errno::{Errno, errno, set_errno};

use super::idle;
use super::purge;
use super::requests;
use super::thread::{self, Caller};
use crate::base::addr::Addr;
use crate::baseline;
use crate::class::ClassId;
use crate::heap::{self, Pushed, ThreadHeap};
use crate::large;
use crate::os::die;
use crate::page_map::{self, Tag};

const FOREIGN: &str = "free: not a block of this allocator, or free already";
const TWICE: &str = "free: block is already free (double free)";

/// Null, with ENOMEM.
#[cold]
pub(crate) fn out_of_memory() -> *mut u8 {
    set_errno(Errno(libc::ENOMEM));
    core::ptr::null_mut()
}

/// `alloc` when the magazine has none.
#[cold]
#[inline(never)]
pub(crate) fn alloc_slow(size: usize) -> *mut u8 {
    requests::answer();
    let block = match ClassId::of(size) {
        Some(class) => alloc_class(class),
        None => try_large(size, 1).map(|fresh| fresh.at),
    };
    block.map_or_else(out_of_memory, Addr::as_ptr)
}

/// `alloc_zeroed` when the magazine has none.
#[cold]
#[inline(never)]
pub(super) fn alloc_zeroed_slow(size: usize) -> *mut u8 {
    requests::answer();
    let fresh = match ClassId::of(size) {
        // Blocks of a class were somebody else's before, and to know which were not costs more than it saves: the page
        // is about to be touched anyway.
        Some(class) => alloc_class(class).map(|at| large::Fresh { at, zero: false }),
        None => try_large(size, 1),
    };
    let Some(fresh) = fresh else { return out_of_memory() };
    let block: *mut u8 = fresh.at.as_ptr();
    if !fresh.zero {
        // SAFETY: a block of at least `size` bytes, ours alone.
        unsafe { block.write_bytes(0, size) };
    }
    block
}

fn alloc_class(class: ClassId) -> Option<Addr> {
    let block = try_class(class).or_else(|| {
        purge::reclaim();
        try_class(class)
    });
    idle::after_class();
    block
}

fn try_class(class: ClassId) -> Option<Addr> {
    let caller = thread::enter()?;
    if let Caller::Own(heap) = caller
        && heap.tick()
    {
        purge::decay();
    }
    match caller {
        Caller::Own(heap) if is_baseline(heap, class) => baseline::alloc(heap, class),
        Caller::Own(heap) => heap.pop_slow(class),
        Caller::Shared(heap) => heap.alloc_direct(class),
    }
}

/// The gate of a tiny class that T-HEAP does not serve stays shut.
fn is_baseline(heap: &ThreadHeap, class: ClassId) -> bool {
    class.is_tiny() && heap.bin(class).max() == 0
}

/// A large block, after giving everything idle back if that is what it takes.
pub(super) fn try_large(size: usize, align: usize) -> Option<large::Fresh> {
    if size > isize::MAX as usize {
        return None;
    }
    large::alloc(size, align).or_else(|| {
        purge::reclaim();
        large::alloc(size, align)
    })
}

/// Everything about a free that is not a push onto an own magazine with room.
#[cold]
#[inline(never)]
pub(super) fn free(block: *mut u8) {
    if block.is_null() {
        return;
    }
    // POSIX 2024: free keeps errno, and what lies below may call the kernel.
    let saved = errno();
    let at = Addr::of(block);
    match page_map::tag(at) {
        Tag::NONE => die(FOREIGN, at),
        Tag::LARGE => large::free(at),
        tag => free_block(at, tag),
    }
    idle::after_free();
    purge::after_free();
    requests::answer();
    set_errno(saved);
}

fn free_block(at: Addr, tag: Tag) {
    let class = ClassId::from_index(tag.class_index());
    match thread::enter() {
        Some(Caller::Own(heap)) if heap.addr() == tag.owner() => free_own(heap, class, at),
        Some(Caller::Own(heap)) => heap.free_remote(tag.owner(), class, at),
        // SAFETY: the tag is neither NONE nor LARGE: its owner is a heap.
        Some(Caller::Shared(_)) | None => unsafe { heap::at(tag.owner()) }.free_direct(at),
    }
}

fn free_own(heap: &ThreadHeap, class: ClassId, at: Addr) {
    if is_baseline(heap, class) {
        return baseline::free(heap, class, at);
    }
    let pushed = match heap.bin(class).push(at) {
        Pushed::Full => heap.push_slow(class, at),
        pushed => pushed,
    };
    match pushed {
        Pushed::Kept => {}
        Pushed::Twice => die(TWICE, at),
        // A magazine that could be neither grown nor flushed does not exist: `push_slow` made room.
        Pushed::Full => heap.free_direct(at),
    }
}
