//! What goes back to the kernel from inside a span: runs of whole pages whose blocks are all free.
//!
//! `Dirty` counts bytes freed since a span was last swept. A sweep gathers the free pages it finds and forgets the count,
//! also where no page was wholly free: what can't go back is not looked at again before more is freed there. What was not worth a call is
//! once more when nobody has used the span for a while.
#![forbid(unsafe_code)]

use super::dirty::Dirty;
use super::gather::Gather;
use super::record::{Pages, Span};
use crate::base::addr::{Addr, GRANULE};
use crate::class::ClassId;
use crate::os;
use crate::superslab;

/// Bits of `Pages`.
const MAX_PAGES: usize = 128;
/// Slots of a span whose pages have a bit each, for the smallest page size; in a longer one two pages share it.
const MAX_SLOTS: u32 = (MAX_PAGES * 4096 / GRANULE) as u32;

impl Span {
    /// Notes that `taken` blocks left: those freed last may be among them, and pages they lie in are resident again.
    pub(super) fn note_taken(&mut self, taken: u32, dirty: &mut Dirty) {
        if dirty.region.is_some() {
            return;
        }
        let reused = taken.min(self.freed);
        self.freed -= reused;
        dirty.bytes -= reused as usize * self.block_size as usize;
        dirty.free -= taken as usize * self.block_size as usize;
        self.taken_in = dirty.generation;
    }

    /// Notes that `blocks` came back; what that is in bytes `Dirty::note_freed` is told apart.
    #[inline(always)]
    pub(super) fn note_freed(&mut self, blocks: u32, dirty: &Dirty) {
        if dirty.region.is_none() {
            self.freed += blocks;
            self.freed_in = dirty.generation;
        }
    }

    /// Counts a new span in: all of it is free, none of it used before by this heap.
    pub(super) fn note_coming(&self, dirty: &mut Dirty) {
        if dirty.region.is_some() {
            return;
        }
        dirty.free += self.free as usize * self.block_size as usize;
        dirty.gone += self.purged.count() * page_of(self.class);
    }

    /// Takes the span's share out of the count: its slab goes back to the pool, which counts it from then on.
    pub(super) fn note_leaving(&mut self, dirty: &mut Dirty) {
        if dirty.region.is_some() {
            return;
        }
        dirty.bytes -= self.freed as usize * self.block_size as usize;
        dirty.free -= self.free as usize * self.block_size as usize;
        dirty.gone -= self.purged.count() * page_of(self.class);
        self.freed = 0;
    }

    /// Notes that the blocks `first .. first + len` are handed out: their pages are about to be touched.
    pub(super) fn unpurge(&mut self, first: u32, len: u32, dirty: &mut Dirty) {
        let page = page_of(self.class);
        let start = (first as usize * self.block_size as usize) >> page.trailing_zeros();
        let end = ((first + len) as usize * self.block_size as usize + page - 1) >> page.trailing_zeros();
        let back = self.purged.0 & mask(start, end);
        self.purged.0 &= !back;
        dirty.gone -= back.count_ones() as usize * page;
    }

    /// Marks the blocks that touch purged pages as free, or as not to be had now. They are all free: a page is purged only
    /// when all that touch it are, and no longer counts as purged when one is handed out (S5).
    pub(super) fn show_purged(&mut self, free: bool) {
        let (page, last, mut left) = (page_of(self.class), self.capacity - 1, self.purged.0);
        while left != 0 {
            let start = left.trailing_zeros() as usize;
            let len = (left >> start).trailing_ones() as usize;
            left &= !mask(start, start + len);
            let (from, to) = (self.index_at(start * page), self.index_at((start + len) * page - 1).min(last));
            self.bitmap().fill(from, to, free);
        }
    }

    /// How many ranges `gather` may find at most.
    pub(super) fn most_runs(&self) -> usize {
        self.pages().div_ceil(2)
    }

    fn pages(&self) -> usize {
        (self.capacity as usize * self.block_size as usize) >> page_of(self.class).trailing_zeros()
    }

    /// Gathers what is wholly free and not purged yet, in runs of `least` bytes; it counts as purged from now on. Says whether there was any.
    #[inline(never)] // for the stack, see `reclaim/decay.rs`
    pub(super) fn gather(&mut self, gather: &mut Gather, least: usize, dirty: &mut Dirty) -> bool {
        // Of closed ones nothing is resident.
        let (page, pages) = (page_of(self.class), if self.closed { 0 } else { self.pages() });
        let (mut start, mut any) = (0, false);
        self.holes = false;
        while start < pages {
            let end = self.free_run(start, pages, page);
            let bytes = (end - start) * page;
            if bytes > 0 && bytes >= least {
                gather.push(self.base().offset(start * page), bytes);
                superslab::split_around(&self.slab);
                self.purged.0 |= mask(start, end);
                dirty.gone += bytes;
                any = true;
            } else {
                self.holes |= bytes > 0;
            }
            start = end.max(start + 1);
        }
        dirty.bytes -= self.freed as usize * self.block_size as usize;
        self.freed = 0;
        any
    }

    /// Takes back that `len` bytes of pages from `at` on went.
    pub(super) fn keep(&mut self, at: Addr, len: usize, dirty: &mut Dirty) {
        let page = page_of(self.class);
        let start = at.since(self.base()) / page;
        self.purged.0 &= !mask(start, start + len / page);
        dirty.gone -= len;
    }

    /// The end of the run of pages from `start` that are wholly free and not purged.
    #[inline(never)] // for the stack, see `reclaim/decay.rs`
    fn free_run(&mut self, start: usize, pages: usize, page: usize) -> usize {
        let mut end = start;
        while end < pages && self.purged.0 & mask(end, end + 1) == 0 && self.is_page_free(end, page) {
            end += 1;
        }
        end
    }

    /// Whether all of the page's blocks are free.
    fn is_page_free(&mut self, index: usize, page: usize) -> bool {
        let last = self.capacity - 1;
        let from = self.index_at(index * page);
        let to = self.index_at(index * page + page - 1);
        from <= last && self.bitmap().are_set(from, to.min(last))
    }
}

/// Bytes that a bit of `Span::purged` stands for.
fn page_of(class: ClassId) -> usize {
    let least = if class.slots() > MAX_SLOTS { 2 * 4096 } else { 4096 };
    os::page_size().max(least)
}

/// `Span::purged` of a span none of whose pages was ever used.
pub(super) fn all_pages(class: ClassId) -> Pages {
    Pages(mask(0, class.blocks_per_span() as usize * class.block_size() / page_of(class)))
}

fn mask(start: usize, end: usize) -> u128 {
    if end <= start || start >= MAX_PAGES {
        return 0;
    }
    u128::MAX >> (MAX_PAGES - (end - start).min(MAX_PAGES)) << start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_covers_its_pages_and_no_more() {
        for (start, end) in [(0, 1), (0, 128), (127, 128), (5, 9), (3, 3), (60, 70)] {
            for page in 0..MAX_PAGES {
                assert_eq!(mask(start, end) >> page & 1 == 1, (start..end).contains(&page), "{start} {end} {page}");
            }
        }
    }
}
