//! `Spans`: one class's spans in one heap, sorted by how full they are, so that refill empties none that flush would
//! empty of itself.

#[cfg(feature = "paranoid")]
#[path = "check.rs"]
mod check;

use core::ptr::NonNull;

use super::dirty::{Dirty, Hand};
use super::record::{CHAINS, List, Span};
use crate::base::addr::Addr;
use crate::class::ClassId;
use crate::os;
use crate::superslab;
#[cfg(feature = "paranoid")]
pub(crate) use check::mark;

/// Empty spans kept for a class at most; at least one of a tiny or mid class, which absorbs the swing around a span's border. A class that
/// acquires again what it has just released keeps one more each time, until it ages.
const KEEP_MAX: u32 = 8;

/// Bytes of them that a refill of a big class keeps of what others sent back while it looks: what a magazine of such a class would hold. One span at least.
const AWAITED_BYTES: usize = 1 << 20;

/// Spans of a class from which on the pages of one more are made at once: what of them is not used after all is an eighth of the class at most.
const MANY: u32 = 8;
/// Pages below which a call for them takes longer than their faults would.
const SOME: usize = 16;

/// Valid as zeroes: there are none.
///
/// # Invariants
/// - L1: each chain is doubly linked, and every span on it has that `list`.
/// - L2: `spans` counts all chains; `free` sums their spans' `free`.
pub(crate) struct Spans {
    chains: [Option<NonNull<Span>>; CHAINS],
    empty: u32,
    /// Empty spans kept beyond the one.
    keep: u32,
    /// Whether one was released since the last one was acquired.
    released: bool,
    /// Whether not even one is kept, until one is acquired again.
    is_lean: bool,
    /// Whether a block of a big class is being looked for: one that gets empty meanwhile stays for it.
    is_awaited: bool,
    pub(crate) spans: u32,
    pub(crate) free: u64,
}

// SAFETY: all that a heap's lists lead to is under its lock, as they are, and goes with that from thread to thread.
unsafe impl Send for Spans {}
// SAFETY: as above.
unsafe impl Send for Hand {}

impl Spans {
    /// The fullest span with a free block that is resident, as far as is known; else one whose free blocks are not.
    pub(super) fn first(&self) -> Option<NonNull<Span>> {
        self.chains.iter().take(List::Full as usize).find_map(|chain| *chain)
    }

    /// Takes in a new span.
    pub(crate) fn add(&mut self, span: NonNull<Span>) {
        // SAFETY: `span` is a live record of this heap, under its lock; so throughout this file.
        self.free += unsafe { span.as_ref() }.free as u64;
        self.spans += 1;
        if self.released && self.keep + 1 < KEEP_MAX {
            self.keep += 1;
        }
        self.released = false;
        self.is_lean = false;
        self.link(span);
    }

    /// Where the only span lies that has free blocks, if its pages are to be made at once: none of them was ever used, and all soon are, since the class fills
    /// many others. Not of blocks longer than a page, of which each is used by itself.
    pub(crate) fn to_populate(&self) -> Option<Addr> {
        // SAFETY: see `add`.
        let span = unsafe { self.first().filter(|_| self.spans > MANY)?.as_ref() };
        let is_fresh = !span.slab.dirty && span.free == span.capacity && span.claims.is_null();
        let is_much = span.block_size as usize <= os::page_size() && span.class.span_bytes() >= SOME * os::page_size();
        (is_fresh && is_much && !superslab::is_huge(&span.slab)).then(|| span.base())
    }

    /// Puts `span` where its `free` says. Returns it instead, on no list, when it is one empty span too many.
    pub(super) fn place(&mut self, span: NonNull<Span>, dirty: &mut Dirty) -> Option<NonNull<Span>> {
        self.unlink(span, dirty);
        // SAFETY: see `add`.
        let record = unsafe { span.as_ref() };
        let spare = if record.class.is_big() {
            // None is kept: it is a slab that others can use whole, and a magazine stands before it. But of those that
            // others send back while one is looked for (unless hardened: then the next one is to lie anywhere).
            let is_enough = self.empty > 0 && (self.empty as usize + 1) * record.class.span_bytes() > AWAITED_BYTES;
            !self.is_awaited || is_enough || !record.claims.is_null()
        } else {
            self.is_lean || self.empty > self.keep
        };
        if record.free == record.capacity && spare {
            self.released = true;
            self.spans -= 1;
            self.free -= record.free as u64;
            return Some(span);
        }
        self.link(span);
        None
    }

    /// Puts a span behind all others: what it has free is not resident. Its next flush moves it back.
    pub(super) fn pass_over(&mut self, span: NonNull<Span>, dirty: &mut Dirty) {
        self.unlink(span, dirty);
        // SAFETY: see `add`.
        let (free, capacity) = unsafe { (span.as_ref().free, span.as_ref().capacity) };
        let list = if free <= capacity / 2 { List::GoneFuller } else { List::GoneEmptier };
        self.link_to(span, list, free + 1);
    }

    /// Sets a span apart while pages of it go.
    pub(super) fn set_going(&mut self, span: NonNull<Span>, dirty: &mut Dirty) {
        self.unlink(span, dirty);
        // However much is freed into it meanwhile, no flush moves it.
        self.link_to(span, List::Going, u32::MAX);
    }

    /// Puts all that were set apart where their `free` says. None is released, whatever was freed into it meanwhile: it is on no path where
    /// there is room for that.
    pub(super) fn end_going(&mut self, dirty: &mut Dirty) {
        while let Some(span) = self.going() {
            self.unlink(span, dirty);
            self.link(span);
        }
    }

    /// How many lie empty.
    pub(crate) fn empty(&self) -> u32 {
        self.empty
    }

    /// The first on a list.
    pub(super) fn first_on(&self, list: List) -> Option<NonNull<Span>> {
        self.chains.get(list as usize).copied().flatten()
    }

    /// Puts a span on the list that its `free` says, also an empty one.
    pub(super) fn replace(&mut self, span: NonNull<Span>, dirty: &mut Dirty) {
        self.unlink(span, dirty);
        self.link(span);
    }

    /// One of those set apart, and by its `next` the others.
    pub(super) fn going(&self) -> Option<NonNull<Span>> {
        self.first_on(List::Going)
    }

    /// Forgets, a step at a time, that released spans were wanted back.
    pub(crate) fn age(&mut self) {
        self.keep /= 2;
    }

    /// Keeps none that gets empty, until one is acquired again.
    pub(crate) fn be_lean(&mut self) {
        self.is_lean = true;
    }

    /// Says whether a block is being looked for.
    pub(crate) fn set_awaited(&mut self, is_awaited: bool) {
        self.is_awaited = is_awaited;
    }

    /// Takes an empty span off, if one is kept.
    pub(crate) fn take_empty(&mut self, dirty: &mut Dirty) -> Option<NonNull<Span>> {
        let span = self.first_on(List::Empty)?;
        self.unlink(span, dirty);
        self.spans -= 1;
        // SAFETY: see `add`.
        self.free -= unsafe { span.as_ref() }.free as u64;
        Some(span)
    }

    /// Bytes of the blocks that are not free.
    pub(crate) fn used(&self, class: ClassId) -> usize {
        (self.spans as usize * class.blocks_per_span() as usize - self.free as usize) * class.block_size()
    }

    /// Whether a span has free blocks that are resident, and others.
    pub(crate) fn has_partly_free(&self) -> bool {
        self.chains.iter().take(List::Empty as usize).any(Option::is_some)
    }

    /// Takes such a span off, the emptiest there is.
    pub(super) fn take_partly_free(&mut self, dirty: &mut Dirty) -> Option<NonNull<Span>> {
        let span = self.chains.iter().take(List::Empty as usize).rev().find_map(|chain| *chain)?;
        self.unlink(span, dirty);
        self.spans -= 1;
        // SAFETY: see `add`.
        self.free -= unsafe { span.as_ref() }.free as u64;
        Some(span)
    }

    /// Every span of the class, once. `look` must leave alone what decides a span's list.
    pub(super) fn each(&mut self, mut look: impl FnMut(&mut Span)) {
        for chain in self.chains {
            let mut at = chain;
            while let Some(mut span) = at {
                // SAFETY: L1; no other reference to the record lives here.
                let record = unsafe { span.as_mut() };
                look(record);
                at = record.next;
            }
        }
    }

    /// Bytes of the class's spans that are resident: a system call a span.
    pub(crate) fn resident_bytes(&mut self) -> u64 {
        let mut sum = 0;
        self.each(|span| sum += os::resident(span.base(), span.class.span_bytes()) as u64);
        sum
    }

    fn link(&mut self, span: NonNull<Span>) {
        // SAFETY: see `add`.
        let record = unsafe { span.as_ref() };
        let (list, promote_at) = list_for(record.free, record.capacity);
        self.link_to(span, list, promote_at);
    }

    fn link_to(&mut self, mut span: NonNull<Span>, list: List, promote_at: u32) {
        // SAFETY: see `add`; no other reference to the record lives here.
        let record = unsafe { span.as_mut() };
        record.list = list;
        record.promote_at = promote_at;
        record.prev = None;
        let Some(head) = self.chains.get_mut(list as usize) else { return };
        record.next = *head;
        if let Some(mut next) = *head {
            // SAFETY: L1: a live record, not `span`, which was on no chain.
            unsafe { next.as_mut() }.prev = Some(span);
        }
        *head = Some(span);
        self.empty += (list == List::Empty) as u32;
    }

    fn unlink(&mut self, mut span: NonNull<Span>, dirty: &mut Dirty) {
        // SAFETY: see `add`.
        let record = unsafe { span.as_mut() };
        for hand in &mut dirty.hands {
            if { hand.at } == Some(span) {
                hand.at = record.next;
            }
        }
        let (list, next, prev) = (record.list, record.next.take(), record.prev.take());
        record.list = List::None;
        let Some(head) = self.chains.get_mut(list as usize) else { return };
        match prev {
            // SAFETY: L1: neighbours are live records other than `span`.
            Some(mut prev) => unsafe { prev.as_mut() }.next = next,
            None => *head = next,
        }
        if let Some(mut next) = next {
            // SAFETY: as above.
            unsafe { next.as_mut() }.prev = prev;
        }
        self.empty -= (list == List::Empty) as u32;
    }
}

impl Hand {
    /// The span that it points to.
    pub(super) fn next(&mut self, lists: &[Spans]) -> Option<NonNull<Span>> {
        while { self.at }.is_none() {
            let spans = lists.get(self.class as usize)?;
            if self.chain == List::Going as u16 || spans.spans == 0 {
                (self.class, self.chain) = (self.class + 1, 0);
                continue;
            }
            self.at = spans.chains.get(self.chain as usize).copied().flatten();
            self.chain += 1;
        }
        self.at
    }

    /// Leaves `span`, to which it points.
    pub(super) fn pass(&mut self, span: &Span) {
        self.at = span.next;
    }
}

/// The list for a span with `free` of `capacity` blocks free, and the `free` at which a flush must move it on.
fn list_for(free: u32, capacity: u32) -> (List, u32) {
    let quarter = capacity.div_ceil(4);
    if free == 0 {
        (List::Full, 1)
    } else if free == capacity {
        (List::Empty, capacity)
    } else if free < quarter {
        (List::Fullest, quarter)
    } else if free < 2 * quarter {
        (List::Fuller, (2 * quarter).min(capacity))
    } else if free < 3 * quarter {
        (List::Emptier, (3 * quarter).min(capacity))
    } else {
        (List::Emptiest, capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_covers_each_fill_and_the_border_moves_it() {
        for capacity in [8, 9, 10, 64, 102, 4096] {
            for free in 0..=capacity {
                let (list, promote_at) = list_for(free, capacity);
                assert_eq!(list == List::Full, free == 0);
                assert_eq!(list == List::Empty, free == capacity);
                assert!(promote_at > free || free == capacity);
                if free < capacity {
                    assert!(list_for(promote_at, capacity).0 != list);
                    assert!((free..promote_at).all(|free| list_for(free, capacity).0 == list));
                }
            }
        }
    }
}
