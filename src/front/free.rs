//! free. HOT.
//!
//! ```text
//! free ─ the block's tag is the TLS word's, but for a bin's offset: the bin pushes: HIT
//! └ slow_free::free
//!   ├ hardened, light: checked::free_quick ─ the block is looked at, and the heap's own bin pushes
//!   │                   another heap's, for which a batch is open: likewise
//!   ├ hardened in full: full::keep ─ the block is looked at, and the thread's quarantine takes it
//!   ├ another heap's, for which a batch is open: heap::add_remote
//!   └ free_any
//!     ├ counted: it is recorded, and the heap's own bin pushes
//!     ├ of a shared arena: the thread's seat pushes
//!     ├ not in the hot table: the bin pushes by the page map's tag
//!     ├ hardened, light: checked::free ─ what has more to be done, or said
//!     ├ large: warm::free ─ it waits at the thread's seat
//!     ├ another heap's: heap::add_remote_slow ─ the batch that is open for it may wait with more bytes
//!     └ free_missed
//!       ├ the baseline's: baseline::keep ─ FastCache, TLS SLL
//!       ├ the reserve's: reserve::free
//!       ├ closed by a fork: notes::free ─ later
//!       └ sink::take ─ its `Kind`
//!         ├ NotOurs: die │ Large: large::free │ Fenced: hardened::fenced::free │ Guarded: guard::free
//!         ├ Hardened: no bytes: its span │ light: looked at, then as below │ full: hardened::full::free ─ the quarantine
//!         └ to_owner ─ a sample, an arena's: its span
//!           └ to_thread
//!             ├ own: to_own ─ heap.push_slow ─ the magazine grows, or the older half of it goes to spans
//!             │      └ the baseline: baseline::free ─ FastCache, TLS SLL, spans
//!             ├ another heap's: heap.free_remote ─ a batch ─ its owner's inbox
//!             └ a thread without a heap: free_direct ─ its span, by the owner's lock
//! ```

use super::slow_free;
use crate::base::addr::Addr;
use crate::class::{BIN_STRIDE, CLASSES};
use crate::heap::{self, Pushed};
use crate::os::tls;
use crate::page_map;

/// Gives a block back. Null is nothing; what is no block ends the process. Keeps errno. Any thread.
///
/// Hit: 20 instructions, the double-free compare included; null: 6. Counted through `free` by scripts/count_hot_path.sh.
#[inline(always)]
pub(crate) fn free(block: *mut u8) {
    free_or(block, slow_free::free);
}

/// `free` as a part of another call, by which it is recorded.
#[inline(always)]
pub(super) fn free_part(block: *mut u8) {
    free_or(block, |block, _, _| slow_free::free_part(block));
}

/// `free` by a program that says the block's size, which strict modes check.
#[inline(always)]
pub(crate) fn free_sized(block: *mut u8, size: usize) {
    free_or(block, |block, word, offset| slow_free::free_sized(block, size, word, offset));
}

/// `free_sized` of a block whose size may have been rounded up to a multiple of `align`, a power of two.
#[inline(always)]
pub(crate) fn free_rounded(block: *mut u8, size: usize, align: usize) {
    free_or(block, |block, _, _| slow_free::free_rounded(block, size, align));
}

/// `slow` is told the TLS word and what the hot table says, too.
#[inline(always)]
fn free_or(block: *mut u8, slow: impl Fn(*mut u8, *mut u8, usize)) {
    let at = Addr::of(block);
    let granule = at.granule();
    // The shift has set the flag: null is told apart for one instruction.
    if granule == 0 {
        if !block.is_null() {
            slow(block, tls::get(), usize::MAX);
        }
        return;
    }
    let word = tls::get();
    // Below the bins' length exactly when the granule is this thread's heap's: then it is the offset of the class's bin.
    let offset = page_map::bin_of(granule, word.addr());
    if offset < CLASSES * BIN_STRIDE {
        // SAFETY: a tag of this heap holds a class premultiplied by BIN_STRIDE.
        if let Pushed::Kept = unsafe { heap::bin_at(word, offset) }.push(at) {
            return;
        }
    }
    slow(block, word, offset);
}
