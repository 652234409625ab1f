//! Ebb: a heap whose thread has freed nearly all that it had lets go of what it keeps for the next time, before the thread falls asleep.
//! Nobody else can empty a magazine, and a block in one holds its span: without it, a pool of 200 threads that serves 8 MiB a request keeps
//! 700 MiB of addresses warm, of which most has to be purged, and each thread that wakes up faults its own in again.
//!
//! Only while memory is crowded and others are at work: what few threads keep is cheaper kept. Whether it was of use shows when the heap
//! takes memory again: if others have taken little meanwhile, it would better have kept what it had, and lets some ebbs pass.
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
/// Ebbs in a row without use that count: after n, 2^n - 2 pass. The first is forgiven: a thread of a pool may be the next again.
const USELESS: u32 = 6;

impl OwnHeap {
    /// Called when the thread's blocks went back to spans.
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
        if !is_crowded || tide.others() + tide.before < tide.acquired as u64 {
            return;
        }
        let kept: usize = ClassId::all().map(|class| self.cached(class) * class.block_size()).sum();
        if tide.used.saturating_sub(kept) > few {
            return;
        }
        match self.ebb().pass.get() {
            0 => self.let_go(tide),
            pass => {
                self.ebb().pass.set(pass - 1);
                self.look().tide.turn();
            }
        }
    }

    fn let_go(self, tide: Tide) {
        for class in ClassId::all() {
            self.close(class);
        }
        let mut core = self.look();
        core.spans.iter_mut().for_each(Spans::be_lean);
        core.release_empty(usize::MAX);
        core.tide.turn();
        drop(core);
        self.ebb().is_low.set(true);
        self.ebb().judged_by.set(tide.acquired);
    }

    /// Called when a magazine was empty: judges the last ebb.
    #[inline]
    pub(super) fn look_for_flood(self) {
        let mine = self.ebb().judged_by.get();
        if mine > 0 {
            self.ebb().judged_by.set(0);
            self.judge(mine);
        }
    }

    #[cold]
    fn judge(self, mine: u32) {
        let was_useful = self.look().tide.others() > mine as u64;
        let useless = if was_useful { 0 } else { (self.ebb().useless.get() + 1).min(USELESS) };
        self.ebb().useless.set(useless);
        self.ebb().pass.set((1_u32 << useless).saturating_sub(2));
    }
}

/// Moves what a span that changed heaps has in use.
pub(super) fn moved(from: &mut Core, to: &mut Core, bytes: usize) {
    from.tide.give(bytes);
    to.tide.take(bytes);
}
