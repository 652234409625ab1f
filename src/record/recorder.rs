//! `Recorder`: where a thread writes. One in each heap, its thread's alone, and one for all threads that have no heap (any more).

use core::cell::Cell;
use core::sync::atomic::AtomicBool;

use super::chunk;
use super::event::{self, Event, LONGEST};
use super::pen::Pen;
use crate::base::addr::Addr;

/// All zero is one that has not begun.
///
/// # Invariants
/// - W1: where `chunk` is not null a chunk of the file is mapped there, which nobody else writes to, by the process of `session`.
/// - W2: from `chunk + CHUNK - left` on the chunk is empty; `left` is 0 where it is not to be written to without more ado.
pub(crate) struct Recorder {
    /// Set while its thread writes: a signal's handler that interrupts it there goes by the shared one.
    pub(super) busy: AtomicBool,
    /// The session of which the chunk is; 0: none.
    pub(super) session: Cell<u32>,
    pub(super) left: Cell<u32>,
    /// The thread's number; 0: none yet.
    pub(super) thread: Cell<u32>,
    pub(super) chunk: Cell<Addr>,
    /// Where the next event goes.
    pub(super) at: Cell<Addr>,
    /// What the next event counts from.
    pub(super) ticks: Cell<u64>,
    pub(super) last: Cell<usize>,
}

/// What an event may take, and one more in front of it that says whose it is; and what a pen may touch behind them.
pub(super) const ROOM: usize = 2 * LONGEST + Pen::BEHIND;

impl Recorder {
    pub(super) fn note_used(&self) {
        // SAFETY: W1.
        unsafe { chunk::note_used(self.chunk.get(), self.at.get().since(self.chunk.get())) };
    }

    /// There is room.
    #[inline(always)]
    pub(super) fn write(&self, ticks: u64, event: Event) {
        let at = self.at.get();
        // Of two processors' counters one may be some ticks behind; and a chunk begins after what its first event tells of.
        let delta = ticks.saturating_sub(self.ticks.get());
        // SAFETY: W2, and there is room for the longest event (caller).
        let mut pen = unsafe { Pen::new(at.offset(1)) };
        let (op, last) = event::write(event, delta, self.last.get(), &mut pen);
        let len = 1 + pen.written();
        // SAFETY: W1, W2.
        unsafe { chunk::finish(at, op) };
        self.at.set(at.offset(len));
        self.left.set(self.left.get().wrapping_sub(len as u32));
        self.ticks.set(self.ticks.get().wrapping_add(delta));
        self.last.set(last);
    }
}
