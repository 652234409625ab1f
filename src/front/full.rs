//! What a call comes to with `HAKMEM_HARDENED=1`: blocks go out of the thread's stock, and into its quarantine, as long as there is room for
//! that, and nobody else is asked: no lock is taken, and no gate passed. Another heap's go on from there into the batch that is open for it.

use crate::base::addr::Addr;
use crate::base::fresh::Fresh;
use crate::class::{BIN_STRIDE, CLASSES, ClassId};
use crate::guard;
use crate::hardened::full;
use crate::heap::{self, OwnHeap};
use crate::profile;
use crate::record;

/// A block of the thread's stock, if nothing else is to be done, nor said, of it. `word` is the thread's, here and below.
#[inline(always)]
pub(super) fn hit(word: *mut u8, size: usize) -> Option<Fresh> {
    let class = full::small_class(size)?;
    if record::may_be_on() || profile::is_on() || guard::is_on() {
        return None;
    }
    let (block, zero) = full::try_alloc(own(word), class, size)?;
    Some(Fresh::new(block, zero))
}

/// The same for `alloc_zeroed`, in a frame that does not lie below the deepest path that there is.
#[inline(never)]
pub(super) fn zeroed(word: *mut u8, size: usize) -> Option<Fresh> {
    hit(word, size)
}

/// Whether the block went into the thread's quarantine, nothing else to be done; `false`: it is as it was. `shown`: as `super::free` says it.
#[inline(always)]
pub(super) fn keep(word: *mut u8, shown: usize, at: Addr, said: Option<usize>) -> bool {
    let heap = own(word);
    let offset = shown ^ word.addr() ^ heap.addr().0;
    if record::may_be_on() {
        return false;
    }
    if offset < CLASSES * BIN_STRIDE {
        return full::try_free(heap, ClassId::from_index(offset / BIN_STRIDE), at, true, said);
    }
    // Another heap's, as the batch says that is open for it.
    heap::room_remote(heap.addr().as_ptr(), offset)
        .is_some_and(|room| full::try_free(heap, room.class, at, false, said))
}

#[inline(always)]
fn own(word: *mut u8) -> OwnHeap {
    // SAFETY: the calling thread's word, and it is full.
    unsafe { heap::of_full(word) }
}
