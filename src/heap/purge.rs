//! What a heap's spans hold free goes back: kept empty spans to the pool, free pages inside the others to the kernel.
//!
//! In steps of one call to the kernel, or of a few where each range of pages is a call (`span/gather.rs`), and of some hundred spans looked
//! at. While the kernel works the heap's lock is free: its thread never waits for a call. Nor does it sleep for what is done under the lock: that is
//! let go every few spans.
#![forbid(unsafe_code)]

use super::behind::{Locked, PURGED};
use super::inherit;
use super::state::{Core, Heap};
use crate::class::ClassId;
use crate::span::{self, Gather, Pause, Spans, Sweep};
use crate::stats::event::Event;

/// Steps of a purge under the bound: some thousand spans.
const STEPS: usize = 16;
/// How often a step takes the lock, while it has nothing for the kernel.
const HOLDS: usize = 16;
/// Kept empty spans that go to the pool before the lock is let go.
const RELEASED: usize = 4;
/// How long it is let go for, in turns of a spinning thread: long enough for one that spins to find it free.
const PAUSES: usize = 4;

impl Heap {
    /// Takes in what others freed, gives kept empty spans back, and purges what it can inside the others.
    /// Any thread; `wait`: even if the heap is busy. Returns the bytes purged.
    pub(crate) fn trim(&self, wait: bool) -> usize {
        let Some(mut core) = self.enter_if(wait) else { return 0 };
        // As many as there are now: its thread goes on.
        let mut left = core.empty_spans();
        while core.release_empty(RELEASED) && left > RELEASED {
            left -= RELEASED;
            core = self.after_others(core);
        }
        span::begin(&mut core.dirty, Sweep::Whole);
        drop(core);
        self.sweep(Sweep::Whole, usize::MAX, wait, usize::MAX).0
    }

    /// Purges inside spans until `want` bytes went back, spans from which nothing was taken of late first; goes on where the last call ended, and
    /// not further than `STEPS` a call. Any thread; a heap that is busy is passed over. Returns the bytes.
    ///
    /// Once all older ones were seen they are not looked for again in this generation.
    pub(crate) fn purge(&self, want: usize) -> usize {
        let looked = self.try_look().is_some_and(|core| core.dirty.is_older_swept());
        let older = if looked { 0 } else { self.sweep(Sweep::Older, want, false, STEPS).0 };
        if older >= want {
            return older;
        }
        let (any, _) = self.sweep(Sweep::Any, want - older, false, STEPS);
        older + any
    }

    /// Keeps fewer empty spans. Any thread; a busy heap is passed over.
    pub(crate) fn be_leaner(&self) {
        if let Some(mut core) = self.enter_if(false) {
            core.spans.iter_mut().for_each(Spans::age);
        }
    }

    /// Purges the spans from which nothing was taken for some rounds of this: `begin` begins a round, and then a few calls go on with it. Any
    /// thread; a busy heap is passed over. `want`: bytes that are enough for a call. Returns the bytes, and whether there may be more in this round.
    pub(crate) fn age(&self, begin: bool, want: usize) -> (usize, bool) {
        if begin {
            let Some(mut core) = self.enter_if(false) else { return (0, false) };
            core.dirty.generation = core.dirty.generation.wrapping_add(1);
            if self.is_orphan() {
                // What others have freed since.
                inherit::offer(&core);
            }
            span::begin(&mut core.dirty, Sweep::Older);
        }
        self.sweep(Sweep::Older, want, false, 1)
    }

    fn enter_if(&self, wait: bool) -> Option<Locked<'_>> {
        if wait { Some(self.enter()) } else { self.try_enter() }
    }

    /// Purges inside spans, from where the last sweep ended, until `want` bytes went back, all spans were seen, or `steps` were made. Returns the
    /// bytes, and whether there are spans left to see. The caller holds no heap's lock.
    fn sweep(&self, which: Sweep, want: usize, wait: bool, steps: usize) -> (usize, bool) {
        let Some(mut gather) = Gather::begin(wait) else { return passed_over() };
        let Some(mut core) = self.enter_if(wait) else { return passed_over() };
        let (mut given, mut more) = (0, true);
        for _ in 0..steps {
            for hold in 0..HOLDS {
                if hold > 0 {
                    core = self.after_others(core);
                }
                let Core { spans, dirty, .. } = &mut *core;
                let pause = span::step(spans, dirty, which, &mut gather, want - given);
                more = pause != Pause::Seen;
                if pause != Pause::Looked {
                    break;
                }
            }
            drop(core);
            if let Some(misuse) = gather.written() {
                drop(gather);
                misuse.die();
            }
            let (gathered, went) = (gather.bytes(), gather.give());
            // Not only tried: what is on its way must come back on its list.
            core = self.look();
            let Core { spans, dirty, .. } = &mut *core;
            span::settle(spans, dirty, &mut gather);
            // To the byte: what is left over here would look like something to purge, for ever.
            core.publish_all();
            given += went;
            // All refused: so will be the rest.
            if !more || given >= want || gathered > 0 && went == 0 {
                break;
            }
        }
        drop(core);
        PURGED.add(given as u64);
        (given, more)
    }

    /// The lock once more, after who spins for it.
    fn after_others<'a>(&'a self, core: Locked<'a>) -> Locked<'a> {
        drop(core);
        for _ in 0..PAUSES {
            core::hint::spin_loop();
        }
        self.look()
    }
}

/// What a sweep returns that could not be: what it would have seen may be there.
fn passed_over() -> (usize, bool) {
    span::note_holes();
    (0, false)
}

impl Locked<'_> {
    /// How many spans lie empty.
    #[inline(never)] // for the stack
    fn empty_spans(&self) -> usize {
        self.core.spans.iter().map(|spans| spans.empty() as usize).sum()
    }

    /// Gives kept empty spans back to the pool, `most` of them. Says whether there may be more.
    pub(super) fn release_empty(&mut self, most: usize) -> bool {
        let Core { spans, dirty, .. } = &mut *self.core;
        let mut left = most;
        for (class, spans) in ClassId::all().zip(spans.iter_mut()) {
            while left > 0 {
                let Some(span) = spans.take_empty(dirty) else { break };
                span::tiny_backend_release_span(span, dirty);
                self.heap.events.count(class.index(), Event::SpanRelease, 1);
                left -= 1;
            }
        }
        self.core.publish_all();
        left == 0
    }
}
