//! What a call comes to with `HAKMEM_HARDENED=light`: the thread's magazine serves it as ever, and each block is looked at on its way.

use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::base::fresh::Fresh;
use crate::class::{self, BIN_STRIDE, CLASSES, ClassId};
use crate::hardened::checked;
use crate::heap::{self, OwnHeap, Popped, Pushed};
use crate::profile;

/// A block of the thread's magazine, if it has one and that is not to be sampled.
#[inline(always)]
pub(super) fn hit(heap: OwnHeap, size: usize) -> Option<Block> {
    let (block, bytes) = pop(heap, size)?;
    checked::hand_out(block.addr(), bytes, size);
    Some(block)
}

/// The same, all zero.
#[inline]
pub(super) fn zeroed(heap: OwnHeap, size: usize) -> Option<Fresh> {
    let (block, bytes) = pop(heap, size)?;
    checked::hand_out_zero(block.addr(), bytes, size);
    Some(Fresh::new(block, true))
}

/// The block and its bytes. Big ones are for the slow path.
#[inline(always)]
fn pop(heap: OwnHeap, size: usize) -> Option<(Block, usize)> {
    let offset = checked::small_bin_offset(size)?;
    let counted = profile::is_on().then(|| profile::bytes(size));
    if counted.is_some_and(|bytes| !heap.meter().has(bytes)) {
        return None;
    }
    // SAFETY: a heap, and the offset of a class's bin.
    match unsafe { heap::bin_at(heap.addr().as_ptr(), offset) }.pop() {
        Popped::Block(block) => {
            if let Some(bytes) = counted {
                heap.meter().count(bytes);
            }
            Some((block, class::block_size_at(offset)))
        }
        Popped::Empty => None,
    }
}

/// Whether the block went into the magazine at `offset` of the heap that `word`, `plain`, names. `false`: nothing was done.
#[inline(always)]
pub(super) fn free(word: *mut u8, offset: usize, at: Addr, said: Option<usize>) -> bool {
    if offset >= CLASSES * BIN_STRIDE {
        return false;
    }
    // SAFETY: as in `super::free`: a tag of this heap holds a class premultiplied by BIN_STRIDE.
    let bin = unsafe { heap::bin_at(word, offset) };
    if !bin.has_room() {
        return false;
    }
    checked::retire(at, ClassId::from_index(offset / BIN_STRIDE), said);
    // Twice only a block from before the options were read, which is retired as often as one likes.
    matches!(bin.push(at), Pushed::Kept)
}
