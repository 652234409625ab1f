//! Two tables without a lock: stacks by their hash, each kept once, and blocks by their address.
//! A block that falls on another's place takes it: then the other's stacks are not known any more.

use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use super::frames::DEPTH;
use crate::base::addr::Addr;
use crate::base::layout::{self, At};
use crate::os;
use crate::os::names::{self, Name};

const STACKS: usize = 1 << 16;
const BLOCKS: usize = 1 << 20;
/// Places that are tried for a stack.
const TRIES: usize = 16;

/// `hash` is 0 until somebody claims the place; a reader may see a stack half written: only a report would.
struct Stack {
    hash: AtomicU64,
    frames: [AtomicUsize; DEPTH],
}

struct Block {
    at: AtomicUsize,
    alloc: AtomicU32,
    free: AtomicU32,
}

struct Tables {
    blocks: [Block; BLOCKS],
    /// Number 0 is no stack.
    stacks: [Stack; STACKS],
}

/// Whether stacks can be taken and kept.
pub(super) static READY: AtomicBool = AtomicBool::new(false);
static TABLES: AtomicPtr<Tables> = AtomicPtr::new(core::ptr::null_mut());

pub(super) const LAYOUT: layout::Trace =
    layout::Trace { tables_at: At((&raw const TABLES).cast()), tables_bytes: size_of::<Tables>() };

#[derive(Clone, Copy)]
pub(super) enum Moment {
    Alloc,
    Free,
}

/// Maps the tables, 25 MiB of which only what is used is touched. `false`: refused.
pub(super) fn map() -> bool {
    let page = os::page_size();
    let Some(bytes) = crate::base::bits::round_up(size_of::<Tables>(), page) else { return false };
    let Some(outer) = os::map(bytes + 2 * page) else { return false };
    names::give(outer, bytes + 2 * page, Name::Profile);
    os::guard(outer, page);
    os::guard(outer.offset(page + bytes), page);
    // Release pairs with the Acquire in `tables`; zeroes are valid.
    TABLES.store(outer.offset(page).as_ptr(), Ordering::Release);
    true
}

fn tables() -> Option<&'static Tables> {
    // SAFETY: null or mapped for ever.
    unsafe { TABLES.load(Ordering::Acquire).as_ref() }
}

/// Keeps a stack, and says its number; 0 when there is no room.
pub(super) fn keep(stack: &[Addr; DEPTH]) -> u32 {
    let Some(tables) = tables() else { return 0 };
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for frame in stack {
        hash = (hash ^ frame.0 as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        hash ^= hash >> 29;
    }
    let hash = hash | 1;
    for step in 0..TRIES {
        let number = ((hash >> 20) as usize + step) % STACKS;
        let Some(place) = tables.stacks.get(number).filter(|_| number > 0) else { continue };
        // Relaxed, throughout: what a report shows; nothing hangs on it.
        match place.hash.compare_exchange(0, hash, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => {
                for (slot, frame) in place.frames.iter().zip(stack) {
                    slot.store(frame.0, Ordering::Relaxed);
                }
                return number as u32;
            }
            Err(held) if held == hash => return number as u32,
            Err(_) => {}
        }
    }
    0
}

fn place_of(at: Addr) -> Option<&'static Block> {
    let hash = (at.0 as u64 >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    tables()?.blocks.get((hash >> 32) as usize % BLOCKS)
}

/// Notes that the block at `at` was allocated or freed with this stack.
pub(super) fn note(at: Addr, moment: Moment, stack: u32) {
    let Some(place) = place_of(at) else { return };
    match moment {
        Moment::Alloc => {
            place.at.store(at.0, Ordering::Relaxed);
            place.alloc.store(stack, Ordering::Relaxed);
            place.free.store(0, Ordering::Relaxed);
        }
        Moment::Free if place.at.load(Ordering::Relaxed) == at.0 => place.free.store(stack, Ordering::Relaxed),
        Moment::Free => {}
    }
}

/// The stack of the last allocation or free of the block at `at`, if it is still known.
pub(super) fn stack_of(at: Addr, moment: Moment) -> Option<[Addr; DEPTH]> {
    let place = place_of(at).filter(|place| place.at.load(Ordering::Relaxed) == at.0)?;
    let number = match moment {
        Moment::Alloc => place.alloc.load(Ordering::Relaxed),
        Moment::Free => place.free.load(Ordering::Relaxed),
    };
    let stack = tables()?.stacks.get(number as usize).filter(|_| number > 0)?;
    let mut frames = [Addr::NULL; DEPTH];
    for (frame, slot) in frames.iter_mut().zip(&stack.frames) {
        *frame = Addr(slot.load(Ordering::Relaxed));
    }
    Some(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_kept_once_and_found_by_its_block() {
        assert!(map());
        let mut stacks = [[Addr::NULL; DEPTH]; 3];
        for (n, stack) in stacks.iter_mut().enumerate() {
            stack[0] = Addr(1000 + n);
        }
        let numbers = stacks.map(|stack| keep(&stack));
        assert!(numbers[0] != numbers[1] && numbers[1] != numbers[2] && !numbers.contains(&0));
        assert_eq!(numbers, stacks.map(|stack| keep(&stack)));
        let at = Addr(0x1230);
        note(at, Moment::Alloc, numbers[1]);
        assert!(stack_of(at, Moment::Alloc) == Some(stacks[1]) && stack_of(at, Moment::Free).is_none());
        note(at, Moment::Free, numbers[2]);
        assert!(stack_of(at, Moment::Free) == Some(stacks[2]));
        note(at, Moment::Alloc, numbers[0]);
        assert!(stack_of(at, Moment::Free).is_none() && stack_of(Addr(0x99990), Moment::Alloc).is_none());
    }
}
