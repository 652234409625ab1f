//! What there is in an arena.

use super::handle::{Arena, NAME, at, named_by};
use super::list;
use crate::base::addr::Addr;
use crate::front::{self, Kind};
use crate::heap::{self, OwnHeap};
use crate::large;

/// An arena's figures.
pub(crate) struct Figures {
    pub(crate) live_bytes: u64,
    pub(crate) live_blocks: u64,
    /// Address space of spans and large blocks.
    pub(crate) held_bytes: u64,
    /// 0: none.
    pub(crate) limit: u64,
    pub(crate) resets: u64,
    pub(crate) refused: u64,
    pub(crate) name: [u8; NAME],
}

/// The handle of the arena that the block at `block` belongs to; null: of none. Any thread.
pub(crate) fn of(block: *mut u8) -> *mut u8 {
    let at = Addr::of(block);
    let owner = match Kind::at(at) {
        Kind::Large | Kind::Fenced => large::holder(at).map_or(Addr::NULL, |held| held.owner()),
        Kind::Hardened(span) | Kind::Usual(span) => span.heap().apart_owner(),
        Kind::NotOurs | Kind::Guarded | Kind::Reserve(_) => Addr::NULL,
    };
    named_by(owner).map_or(core::ptr::null_mut(), Arena::word)
}

/// Its figures, right to a block or two while it is used. Any thread.
///
/// # Safety
/// `word` is an arena's, which is not destroyed meanwhile.
pub(crate) unsafe fn figures(word: *mut u8) -> Option<Figures> {
    let arena = at(word);
    front::look(|| arena.figures())
}

/// The figures of the arena with this number, from the newest on; `None`: there are no more, or a fork lasts too long. Any thread.
pub(crate) fn nth(number: usize) -> Option<Figures> {
    front::look(|| list::nth(number, Arena::figures)).flatten()
}

impl Arena {
    fn figures(&self) -> Figures {
        let (blocks, bytes) = self.large.figures();
        let mut held = self.heap.held();
        heap::each_seat(self.heap, |seat| held.add(seat.held()));
        Figures {
            live_bytes: held.live_bytes + bytes,
            live_blocks: held.live_blocks + blocks,
            held_bytes: held.held_bytes + bytes,
            limit: match self.allowance.limit() {
                usize::MAX => 0,
                limit => limit as u64,
            },
            resets: self.resets.get(),
            refused: self.refused.get(),
            name: self.options.name,
        }
    }
}

/// Calls `look` with the address and usable bytes of each block of an arena that is in use, until it says something but 0, and says that; `None`:
/// there is no memory for the list of them. `look` may free the block that it is told of.
///
/// # Safety
/// As for `super::reset`.
pub(crate) unsafe fn walk(word: *mut u8, mut look: impl FnMut(Addr, usize) -> i32) -> Option<i32> {
    let arena = at(word);
    let mut at = Some(arena.heap);
    while let Some(heap) = at {
        // SAFETY: the calling thread has the arena to itself (caller).
        let said = walk_heap(unsafe { OwnHeap::of(heap) }, &mut look)?;
        if said != 0 {
            return Some(said);
        }
        at = heap::next_seat(heap);
    }
    Some(arena.large.each(look))
}

fn walk_heap(heap: OwnHeap, look: &mut impl FnMut(Addr, usize) -> i32) -> Option<i32> {
    let mut bases = front::look(|| heap.bases()).flatten()?;
    let mut index = 0;
    while let Some(base) = bases.get(index) {
        index += 1;
        let Some(live) = front::look(|| heap.live(base, &mut bases))? else { continue };
        let mut next = 0;
        while let Some(block) = live.block(bases.bits(), &mut next) {
            let said = look(block, front::usable_size(block.as_ptr()).unwrap_or(0));
            if said != 0 {
                return Some(said);
            }
        }
    }
    Some(0)
}
