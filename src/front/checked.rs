//! What a call comes to with `HAKMEM_HARDENED=light`: the thread's magazine serves it as ever, and each block is looked at on its way.

use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::base::fresh::Fresh;
use crate::class::{self, BIN_STRIDE, CLASSES, ClassId};
use crate::hardened::checked;
use crate::heap::{self, Bin, OwnHeap, Popped, Pushed};
use crate::os::tls;
use crate::page_map;
use crate::profile;
use crate::record;

/// A block of the thread's magazine, if it has one and that is not to be sampled.
#[inline(always)]
pub(super) fn hit(heap: OwnHeap, size: usize) -> Option<Block> {
    let (block, bytes) = pop(heap, size)?;
    checked::hand_out(block.addr(), bytes, size);
    Some(block)
}

/// The same where nothing else is to be done, by a thread whose word this is: no call in it, and so no frame.
#[inline(always)]
pub(super) fn quick(word: *mut u8, size: usize) -> Option<Block> {
    let offset = checked::small_bin_offset(size)?;
    if record::may_be_on() || profile::is_on() {
        return None;
    }
    // SAFETY: a heap, and the offset of a class's bin.
    let bin = unsafe { heap::bin_at(heap::of_checked(word), offset) };
    let Popped::Block(block) = bin.pop() else { return None };
    if checked::try_hand_out(block.addr(), class::block_size_at(offset), size) {
        return Some(block);
    }
    // SAFETY: it came out of there.
    unsafe { bin.keep(block) };
    None
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

/// Whether the block went into the thread's magazine, nothing else to be done; `false`: all is as before. `shown`: as `super::free` says it.
#[inline(always)]
pub(super) fn free_quick(word: *mut u8, shown: usize, at: Addr, said: Option<usize>) -> bool {
    let own = heap::of_checked(word);
    let offset = shown ^ word.addr() ^ own.addr();
    if offset >= CLASSES * BIN_STRIDE || record::is_on() {
        return false;
    }
    // SAFETY: as in `super::free`: a tag of this heap holds a class premultiplied by BIN_STRIDE.
    let bin = unsafe { heap::bin_at(own, offset) };
    let bytes = class::block_size_at(offset);
    if !bin.has_room() {
        return false;
    }
    let Some(size) = checked::look(at, bytes, said) else { return false };
    if bytes > checked::SHORT {
        keep_long(bin, at, bytes, size);
        return true;
    }
    checked::retire_short(at, bytes);
    // SAFETY: it has room, and a block that was the program's is in none.
    unsafe { bin.keep(Block::at(at)) };
    true
}

/// The same of another heap's block, into a batch that is open for it. The thread is checked.
#[inline(always)]
pub(super) fn free_remote(at: Addr, said: Option<usize>) -> bool {
    let own = heap::of_checked(tls::get());
    if record::is_on() {
        return false;
    }
    let Some(room) = heap::room_remote(own, page_map::bin_of(at.granule(), own.addr())) else { return false };
    let Some(size) = checked::look(at, room.bytes, said) else { return false };
    if room.bytes > checked::SHORT {
        checked::retire_long(at, room.bytes, size);
    } else {
        checked::retire_short(at, room.bytes);
    }
    room.put(at);
    true
}

/// Apart, for the call in it.
#[inline(never)]
fn keep_long(bin: &Bin, at: Addr, bytes: usize, size: usize) {
    checked::retire_long(at, bytes, size);
    // SAFETY: as in `free_quick`.
    unsafe { bin.keep(Block::at(at)) };
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
