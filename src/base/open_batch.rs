//! `OpenBatch`: a list that one thread fills and then closes, and that any other may take from at any time, so that what waits in it does
//! not wait for a thread that sleeps. Filling costs no atomic operation but plain stores.
//!
//! A taker copies first and claims then: it reads the word, the entries behind those taken already, and moves the word to say that they
//! are taken too. If the batch was closed meanwhile, or closed and opened again for something else, the word is another and the copy is
//! thrown away. Whoever closes learns how many were taken; the rest is his.
#![forbid(unsafe_code)]

use core::mem::offset_of;

use super::addr::Addr;
use super::sync::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// `turn << 32 | CLOSED? | taken`: how often it was opened, whether it is closed, how many entries others took.
type Word = u64;
const CLOSED: Word = 1 << 31;
const TAKEN: Word = CLOSED - 1;

/// # Invariants
/// - O1: while it is open, entries `taken .. len` are nobody's but the batch's, and are of `to`; only its filler writes `to`, `len` and entries.
/// - O2: closed, entries `taken .. len` are the closer's.
#[repr(C)]
pub(crate) struct OpenBatch<const N: usize> {
    word: AtomicU64,
    to: AtomicUsize,
    len: AtomicU32,
    entries: [AtomicUsize; N],
}

impl<const N: usize> OpenBatch<N> {
    pub(crate) const WORD: usize = offset_of!(Self, word);
    pub(crate) const LEN: usize = offset_of!(Self, len);
    pub(crate) const ENTRIES: usize = offset_of!(Self, entries);

    /// Begins anew, for `to`. Its owner, while it is closed.
    pub(crate) fn open(&self, to: Addr) {
        // Relaxed: only its owner moves a closed one's word.
        let turn = self.word.load(Ordering::Relaxed) >> 32;
        // Release, all: a taker that reads a value of this turn finds the word no longer that of the turn before; and who sees the
        // new word sees these.
        self.to.store(to.0, Ordering::Release);
        self.len.store(0, Ordering::Release);
        self.word.store((turn + 1) << 32, Ordering::Release);
    }

    /// How many entries were added. The filler.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        // Relaxed: nobody else writes it.
        self.len.load(Ordering::Relaxed) as usize
    }

    /// Adds an entry and says how many there are; with N there is no room for more. The filler.
    #[inline]
    pub(crate) fn push(&self, entry: Addr) -> usize {
        let len = self.len();
        self.put(len, entry);
        len + 1
    }

    /// Adds an entry if there is room for another one after it. The filler.
    #[inline(always)]
    pub(crate) fn push_but_last(&self, entry: Addr) -> bool {
        let len = self.len();
        if len + 1 >= N {
            return false;
        }
        self.put(len, entry);
        true
    }

    /// Whether that would.
    #[inline(always)]
    pub(crate) fn has_room_but_last(&self) -> bool {
        self.len() + 1 < N
    }

    #[inline(always)]
    fn put(&self, len: usize, entry: Addr) {
        if let Some(slot) = self.entries.get(len) {
            // Release, both: as in `open`; and who sees the length sees the entry.
            slot.store(entry.0, Ordering::Release);
            self.len.store(len as u32 + 1, Ordering::Release);
        }
    }

    /// Ends the filling. Says whether anything is left that was not taken. The filler.
    pub(crate) fn close(&self) -> bool {
        // AcqRel: the Release pairs with the Acquire in `take`: what this thread does with it from now on comes after. The claim of a taker
        // needs no Acquire: it wrote nothing.
        let taken = self.word.fetch_or(CLOSED, Ordering::AcqRel) & TAKEN;
        // Relaxed: our own.
        taken < self.len.load(Ordering::Relaxed) as Word
    }

    /// What was not taken. Its owner, once it is closed; takers that come late only read.
    pub(crate) fn rest(&self) -> &[AtomicUsize] {
        // Relaxed, both: whoever closed it handed it over.
        let taken = (self.word.load(Ordering::Relaxed) & TAKEN) as usize;
        self.entries.get(taken..self.len.load(Ordering::Relaxed) as usize).unwrap_or_default()
    }

    /// Counts so many more as taken. Its owner, once it is closed; no more than there are.
    pub(crate) fn skip(&self, count: usize) {
        // Relaxed: our own, and handed over by what follows.
        self.word.store(self.word.load(Ordering::Relaxed) + count as Word, Ordering::Relaxed);
    }

    /// For whom it was opened. The filler.
    pub(crate) fn to(&self) -> Addr {
        // Relaxed: nobody else writes it.
        Addr(self.to.load(Ordering::Relaxed))
    }

    /// Whether there is something for `to` in it: a hint. Any thread, whatever the owner does meanwhile.
    pub(crate) fn is_for(&self, to: Addr) -> bool {
        // Relaxed, all: `take` looks again.
        let (word, len) = (self.word.load(Ordering::Relaxed), self.len.load(Ordering::Relaxed) as Word);
        self.to.load(Ordering::Relaxed) == to.0 && word & CLOSED == 0 && word & TAKEN < len
    }

    /// Moves the oldest entries into `out`, as many as it holds, and says for whom they are and how many. Any thread, whatever the
    /// owner does meanwhile; `None` when there is nothing, or the owner came first.
    pub(crate) fn take(&self, out: &mut [Addr]) -> Option<(Addr, usize)> {
        // Acquire, here and below: pairs with the Release of `open` and `push`. What is read below is of this turn, or the claim fails.
        let word = self.word.load(Ordering::Acquire);
        let (taken, len) = ((word & TAKEN) as usize, self.len.load(Ordering::Acquire) as usize);
        if word & CLOSED != 0 || taken >= len {
            return None;
        }
        let to = Addr(self.to.load(Ordering::Acquire));
        let entries = self.entries.get(taken..len).unwrap_or_default();
        let count = entries.len().min(out.len());
        for (slot, entry) in out.iter_mut().zip(entries) {
            *slot = Addr(entry.load(Ordering::Acquire));
        }
        // The loads above stay above: each is an Acquire.
        // AcqRel: pairs with the one in `close`, whichever comes first. Relaxed on failure: the copy is thrown away.
        let done = self.word.compare_exchange(word, word + count as Word, Ordering::AcqRel, Ordering::Relaxed);
        done.is_ok().then_some((to, count))
    }
}
