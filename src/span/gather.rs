//! `Gather`: free pages of many spans on their way back to the kernel, by one call where it has one.
//!
//! Each call interrupts every processor that runs a thread of the process: 64 single pages one by one cost 731 us and half of another
//! thread's speed meanwhile, by one call 46 us (Linux 6.18). There is one for the process: who finds it taken leaves his pages for another time.

use super::head::SpanHead;
use crate::base::addr::Addr;
use crate::base::aside::Aside;
use crate::canary;
use crate::config;
use crate::os::lock::{Mutex, MutexGuard};
use crate::os::{self, Defect, Misuse, RANGES, Range};
use crate::page_map;

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
        let gone = os::purge_all(ranges, self.together);
        let went = |(index, range): (usize, &Range)| if gone >> index & 1 == 1 { range.len } else { 0 };
        let given = ranges.iter().enumerate().map(went).sum();
        all.refused = !gone & u64::MAX.checked_shr(64 - all.len as u32).unwrap_or(0);
        given
    }

    /// Of free pages of a hardened heap, what somebody wrote there after his free of a block: nobody would find it out once they went.
    #[inline]
    pub(crate) fn written(&self) -> Option<Misuse> {
        if config::get::hardened() == config::hardened::OFF { None } else { self.look_over() }
    }

    #[cold]
    #[inline(never)] // for the stack
    fn look_over(&self) -> Option<Misuse> {
        self.all.ranges.iter().take(self.all.len).find_map(|range| {
            let head = SpanHead::of(page_map::record(range.at)).filter(|head| !head.plain)?;
            // SAFETY: mapped, and nobody is handed out a block in them meanwhile: see `Gather`.
            let at = unsafe { canary::written(range.at, range.len) }?;
            Some(Misuse { what: Defect::PURGE_STALE, at: head.start_of(at) })
        })
    }

    /// A range that did not go, each once.
    pub(super) fn next_refused(&mut self) -> Option<Range> {
        let index = self.all.refused.trailing_zeros() as usize;
        self.all.refused &= self.all.refused.wrapping_sub(1);
        self.all.ranges.get(..self.all.len)?.get(index).copied()
    }
}
