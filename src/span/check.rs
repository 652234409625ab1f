//! Feature `paranoid`: the walkers over a heap's spans. All of it under the heap's lock.

use core::ptr::NonNull;

use super::super::dirty::Dirty;
use super::super::head::SpanHead;
use super::super::record::{CHAINS, List, Span};
use super::{Spans, list_for};
use crate::base::addr::{Addr, GRANULE};
use crate::class::ClassId;
use crate::os::{self, require};
use crate::page_map::{self, Tag};
use crate::superslab;

/// More spans than a class can have: a chain this long is a ring.
const MANY: u32 = 1 << 26;

impl Spans {
    /// L1, L2, and S1 to S5 of every span of `class`. Adds what they hold to `sum`.
    pub(crate) fn check(&self, owner: Addr, class: ClassId, sum: &mut Dirty) {
        let (mut count, mut free, mut empty) = (0, 0, 0);
        for index in 0..CHAINS {
            let mut prev: Option<NonNull<Span>> = None;
            let mut at = self.chains.get(index).copied().flatten();
            while let Some(mut span) = at {
                let here = Addr::of(span.as_ptr());
                // SAFETY: records are never unmapped, and the heap's lock is held: nobody else has a reference to it.
                let record = unsafe { span.as_mut() };
                require(record.list as usize == index && record.prev == prev, "L1: a chain's links and list", here);
                record.check(owner, class, sum.region.is_some());
                free += record.free as u64;
                count += 1;
                require(count < MANY, "L1: a chain is a ring", here);
                empty += (record.list == List::Empty) as u32;
                if sum.region.is_none() {
                    sum.bytes += record.freed as usize * record.block_size as usize;
                    sum.free += record.free as usize * record.block_size as usize;
                    sum.gone += record.purged.count() * os::page_size();
                }
                (prev, at) = (at, record.next);
            }
        }
        require((count, free) == (self.spans, self.free), "L2: counts of spans and free blocks", owner);
        require(empty == self.empty, "L2: the count of empty spans", owner);
    }
}

impl Span {
    fn check(&mut self, owner: Addr, class: ClassId, is_given: bool) {
        let here = self.record();
        require(self.owner() == owner && self.class == class, "H3: a span's owner and class", here);
        let tag = Tag::of_span(owner, class.index());
        require(is_given || superslab::is_active(&self.slab), "S1: the slab is ACTIVE", here);
        for granule in 0..class.slots() as usize {
            let at = self.base().offset(granule * GRANULE);
            require(page_map::tag(at) == tag && page_map::record(at) == here, "S1: the page map's entries", at);
            let (offset, size) = (granule * GRANULE, class.block_size());
            let starts = offset.next_multiple_of(size) < offset + GRANULE;
            require(!starts || page_map::agrees(at.granule(), tag), "S1: the hot table's entries", at);
        }
        let (capacity, hint, size) = (self.capacity, self.hint, self.block_size as usize);
        require(capacity == class.blocks_per_span() && size == class.block_size(), "S1: the span's geometry", here);
        let words = self.bitmap().0;
        let set: u32 = words.iter().map(|word| word.count_ones()).sum();
        let beyond = words.last().map_or(0, |word| if capacity % 64 == 0 { 0 } else { word >> (capacity % 64) });
        let below_hint = words.iter().take(hint as usize).any(|&word| word != 0);
        require(set == self.free && beyond == 0, "S2: free is the number of set bits", here);
        require(!below_hint, "S4: no set bit below the hint", here);
        require(self.freed <= self.free, "S2: freed since the last sweep, and free", here);
        // A refill that leaves blocks lets the span stand where it stood, so only the way up is exact.
        let promote_at = if self.list.is_gone() { self.free + 1 } else { list_for(self.free, capacity).1 };
        let full = (self.free == 0) == (self.list == List::Full);
        require(full && self.promote_at >= promote_at, "S3: the list follows from free", here);
        self.check_purged(os::page_size());
    }

    /// S5. A block that begins in a page before it may be in use and reach into it: whole blocks count.
    fn check_purged(&mut self, page: usize) {
        let mut left = self.purged.0;
        while left != 0 {
            let index = left.trailing_zeros() as usize;
            left &= left - 1;
            let from = self.index_at(index * page);
            let to = self.index_at(index * page + page - 1).min(self.capacity - 1);
            let free = from < self.capacity && self.bitmap().are_set(from, to);
            require(free, "S5: purged pages hold free blocks only", self.base().offset(index * page));
        }
    }
}

/// H1, H2: marks `block`, which a cache of `owner` holds, as free for the moment, or takes that back. Two marks of one
/// block do not go together: it was cached twice.
pub(crate) fn mark(owner: Addr, class: ClassId, block: Addr, free: bool) {
    let tag = Tag::of_span(owner, class.index());
    let Some(head) = SpanHead::of(page_map::record(block)) else {
        return require(false, "H2: a cached block of no span", block);
    };
    require(page_map::tag(block) == tag && head.owner() == owner, "H2: a cached block of another heap or class", block);
    require(super::super::starts_block(block), "H2: a cached pointer into a block", block);
    let index = head.index_at(block.since(head.base()));
    // SAFETY: a live span of the owner's, whose lock is held.
    let record = unsafe { head.locked().as_mut() };
    if free {
        require(record.bitmap().set(index), "H1: a cached block is free in its span, or cached twice", block);
    } else if let Some(word) = record.bitmap().0.get_mut((index / 64) as usize) {
        *word &= !(1 << (index % 64));
    }
}
