//! Which blocks of a span are in use, for who walks a heap's blocks: a copy, so that no lock is held meanwhile.

use super::bitmap;
use super::head::SpanHead;
use super::lists::Spans;
use crate::base::addr::Addr;
use crate::page_map;

/// Words of the longest bitmap.
pub(crate) const WORDS: usize = bitmap::words(4096);

/// A span as it was, but for what `bits` says of its blocks.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    base: Addr,
    size: usize,
    blocks: u32,
}

impl Spans {
    /// Calls `note` with the base of each span.
    pub(crate) fn each_base(&mut self, mut note: impl FnMut(Addr)) {
        self.each(|span| note(span.base()));
    }
}

impl Live {
    /// The span at `base`, if that is still the heap's at `owner`; `bits` are set for its blocks that are free. Under its lock.
    pub(crate) fn of(base: Addr, owner: Addr, bits: &mut [u64]) -> Option<Live> {
        let head = SpanHead::of(page_map::record(base)).filter(|head| head.owner() == owner)?;
        // SAFETY: a live span of the heap whose lock the caller holds.
        let span = unsafe { head.locked().as_mut() };
        for (copy, word) in bits.iter_mut().zip(span.bitmap().0.iter()) {
            *copy = *word;
        }
        Some(Live { base, size: span.block_size as usize, blocks: span.capacity })
    }

    /// The address of the block with the lowest number from `next` on that is not free, as `bits` say; `next` is moved behind it.
    pub(crate) fn block(&self, bits: &[u64], next: &mut u32) -> Option<Addr> {
        let is_free = |index: &u32| bits.get(*index as usize / 64).is_some_and(|word| word >> (index % 64) & 1 == 1);
        let index = (*next..self.blocks).find(|index| !is_free(index))?;
        *next = index + 1;
        Some(self.base.offset(index as usize * self.size))
    }
}
