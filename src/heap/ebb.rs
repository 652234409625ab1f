//! Ebb: a heap whose thread has freed nearly all that it had lets go of what it keeps for the next time, before the thread falls asleep.
//! Nobody else can empty a magazine, and a block in one holds its span: without it, a pool of 200 threads that serves 8 MiB a request keeps
//! 700 MiB of addresses warm, of which most has to be purged, and each thread that wakes up faults its own in again.
//!
//! Only while memory is crowded and others are at work: what few threads keep is cheaper kept. Others that took half of what it did meanwhile
//! are enough: whose requests are of one size by chance takes a slab less than the one before. Tried: that a heap lets 2, 6, … 62 ebbs pass
//! where others took little of what it gave. Threads that had once kept their own kept it then (bench_c/bench_thread_pool 16 1000 1024: 41 MiB
//! and 11,200 faults, 23 and 6,000 without, and a tenth faster).
#![forbid(unsafe_code)]

use super::behind::dirty_bytes;
use super::state::{Core, OwnHeap};
use super::tide::Tide;
use crate::class::ClassId;
use crate::learn;
use crate::span::Spans;

/// It ebbs when so small a part of the most that was in use is left, and no more than `FEW`: those are freed without a magazine.
const PART: usize = 8;
const FEW: usize = 512 << 10;
/// A heap that never had more keeps it.
const LEAST: usize = 256 << 10;
/// Bytes free and resident in the spans of all heaps from which on it is crowded: an eighth of what the contract always allows.
const CROWD: u64 = 4 << 20;

impl OwnHeap {
    /// Called when the thread's blocks went back to spans: says that it ebbs, for `ebb` to do when this free is over.
    #[inline]
    pub(super) fn look_for_ebb(self, tide: Tide) {
        let few = FEW.min(tide.peak / PART);
        // What has room in magazines bounds what lies in them.
        if tide.used <= few + self.capacities().room() && tide.peak >= LEAST && tide.acquired > 0 {
            self.measure(tide, few);
        }
    }

    #[cold]
    fn measure(self, tide: Tide, few: usize) {
        let is_crowded = dirty_bytes() > CROWD || learn::is_tight();
        if !is_crowded || tide.others() + tide.before < tide.acquired as u64 / 2 {
            return;
        }
        let kept: usize = ClassId::all().map(|class| self.cached(class) * class.block_size()).sum();
        if tide.used.saturating_sub(kept) <= few {
            self.ebbs().set(true);
        }
    }

    /// Lets go if it ebbs. Called when a block was taken back, with nothing more of that on the stack: it flushes each magazine.
    #[inline(always)]
    pub(crate) fn ebb(self) {
        if self.ebbs().get() {
            self.let_go();
        }
    }

    #[cold]
    #[inline(never)]
    fn let_go(self) {
        self.ebbs().set(false);
        for class in ClassId::all() {
            self.close(class);
        }
        let mut core = self.look();
        core.spans.iter_mut().for_each(Spans::be_lean);
        core.release_empty(usize::MAX);
        core.tide.turn();
        drop(core);
        self.is_low().set(true);
    }
}

/// Moves what a span that changed heaps has in use.
pub(super) fn moved(from: &mut Core, to: &mut Core, bytes: usize) {
    from.tide.give(bytes);
    to.tide.take(bytes);
}
