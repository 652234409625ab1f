//! `Gather`: free pages of many spans on their way back to the kernel, by one call where it has one.
//!
//! Each call interrupts every processor that runs a thread of the process: 64 single pages one by one cost 731 us and half of another
//! thread's speed meanwhile, by one call 46 us (Linux 6.18). There is one for the process: who finds it taken leaves his pages for another time.

use crate::base::addr::Addr;
use crate::base::aside::Aside;
use crate::canary;
use crate::config;
use crate::os::lock::{Mutex, MutexGuard};
use crate::os::{self, RANGES, Range};

struct Ranges {
    ranges: [Range; RANGES],
    len: usize,
    /// Of the ranges, those that the last `give` did not give, a bit each.
    refused: u64,
}

static RANGES_GATHERED: Aside<Mutex<Ranges>> =
    Aside(Mutex::new(Ranges { ranges: [Range { at: Addr::NULL, len: 0 }; RANGES], len: 0, refused: 0 }));

/// From when they are pushed until they are settled the pages of its ranges are free, and nobody hands them out: their spans are `Going`.
///
/// Whoever has it may take a heap's lock; who holds one does not wait for it.
pub(crate) struct Gather {
    all: MutexGuard<'static, Ranges>,
    together: bool,
    bytes: usize,
}

impl Gather {
    /// An empty one. `None`: another thread has it, and `wait` is false.
    pub(crate) fn begin(wait: bool) -> Option<Gather> {
        let all = if wait { RANGES_GATHERED.lock() } else { RANGES_GATHERED.try_lock()? };
        let mut gather = Gather { all, together: config::get::purge_batch() == 1, bytes: 0 };
        gather.empty();
        Some(gather)
    }

    /// Forgets its ranges.
    pub(super) fn empty(&mut self) {
        (self.all.len, self.all.refused, self.bytes) = (0, 0, 0);
    }

    /// How many ranges more it takes.
    pub(super) fn room(&self) -> usize {
        RANGES - self.all.len
    }

    /// Whether a range more is no call more.
    pub(super) fn is_cheap(&self) -> bool {
        self.together
    }

    /// Bytes gathered.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes a range in, if there is room.
    pub(super) fn push(&mut self, at: Addr, len: usize) {
        let next = self.all.len;
        let Some(place) = self.all.ranges.get_mut(next) else { return };
        *place = Range { at, len };
        self.all.len += 1;
        self.bytes += len;
    }

    /// Gives all of it to the kernel. Returns the bytes that went; the rest is to be had from `next_refused`. The caller holds no lock.
    #[inline(never)] // for the stack, see `reclaim/decay.rs`
    pub(crate) fn give(&mut self) -> usize {
        let all = &mut *self.all;
        let ranges = all.ranges.get(..all.len).unwrap_or_default();
        let gone = match written(ranges) {
            0 => os::purge_all(ranges, self.together),
            // Who is handed out what lies there is to find it.
            some => purge_but(some, ranges),
        };
        let went = |(index, range): (usize, &Range)| if gone >> index & 1 == 1 { range.len } else { 0 };
        let given = ranges.iter().enumerate().map(went).sum();
        all.refused = !gone & u64::MAX.checked_shr(64 - all.len as u32).unwrap_or(0);
        given
    }

    /// A range that did not go, each once.
    pub(super) fn next_refused(&mut self) -> Option<Range> {
        let index = self.all.refused.trailing_zeros() as usize;
        self.all.refused &= self.all.refused.wrapping_sub(1);
        self.all.ranges.get(..self.all.len)?.get(index).copied()
    }
}

/// Of free pages of a hardened heap, in its full form, those that are not zero: they were written to after a free. A bit for each range.
fn written(ranges: &[Range]) -> u64 {
    if config::get::hardened() != config::hardened::FULL {
        return 0;
    }
    ranges.iter().enumerate().fold(0, |bits, (index, range)| {
        // SAFETY: mapped, and nobody is handed out a block in them meanwhile: see `Gather`.
        let is_clear = unsafe { canary::is_zero(range.at, range.len) };
        bits | (!is_clear as u64) << index
    })
}

#[cold]
fn purge_but(some: u64, ranges: &[Range]) -> u64 {
    let purge =
        |(index, range): (usize, &Range)| ((some >> index & 1 == 0 && os::purge(range.at, range.len)) as u64) << index;
    ranges.iter().enumerate().map(purge).fold(0, |bits, bit| bits | bit)
}
