//! Notes of what is to be done when a fork is over, each put on a list in one atomic step.

use core::sync::atomic::Ordering;

use super::kind::Kind;
use crate::base::addr::Addr;
use crate::base::batch_stack::{self, BatchStack};
use crate::base::sync::AtomicPtr;
use crate::heap::{Heap, Left};
use crate::large;
use crate::page_map;
use crate::reserve;

pub(super) enum What {
    /// Of a block, and the size that the program said it has.
    Free(Addr, Option<usize>, Whose),
    /// Of the thread that had this heap.
    Exit(Left),
}

/// All blocks of an arena may be freed at once before a note is taken in: then it is no longer due.
pub(super) enum Whose {
    Anyone,
    /// A heap's of an arena, and what it said then.
    Apart(&'static Heap, u32),
    /// The number of an arena's large block.
    Held(u64),
}

impl Whose {
    /// `None`: its free is not to be done later.
    fn of(at: Addr, kind: Kind) -> Option<Whose> {
        match kind {
            Kind::Large | Kind::Fenced => match large::serial(at) {
                0 => Some(Whose::Anyone),
                serial => Some(Whose::Held(serial)),
            },
            // It stays until all go: its claim could not be taken under the lock.
            Kind::Hardened(span) if span.heap().is_apart() => None,
            Kind::Usual(span) if span.heap().is_apart() => Some(Whose::Apart(span.heap(), span.heap().note_apart())),
            Kind::NotOurs | Kind::Guarded | Kind::Reserve(_) | Kind::Hardened(_) | Kind::Usual(_) => {
                Some(Whose::Anyone)
            }
        }
    }
}

struct Note {
    next: AtomicPtr<Note>,
    what: What,
}

// SAFETY: `next` is a plain field that only the stack writes.
unsafe impl batch_stack::Node for Note {
    fn next(&self) -> &AtomicPtr<Note> {
        &self.next
    }
}

static NOTES: BatchStack<Note> = BatchStack::new();

/// Frees a block that is not the reserve's, later.
#[cold]
pub(super) fn free(at: Addr, kind: Kind, said: Option<usize>) {
    if let Some(whose) = Whose::of(at, kind) {
        put(What::Free(at, said, whose));
    }
}

/// Retires the heap of a thread that has left it, later.
#[cold]
pub(super) fn exit(left: Left) {
    put(What::Exit(left));
}

/// Out of memory, what is to be done is forgotten: memory is lost, and nothing else.
fn put(what: What) {
    let Some(at) = reserve::alloc(size_of::<Note>(), align_of::<Note>()) else { return };
    let note = at.as_ptr::<Note>();
    // SAFETY: a fresh block of that size and alignment.
    unsafe { note.write(Note { next: AtomicPtr::new(core::ptr::null_mut()), what }) };
    // SAFETY: ours, and it stays until it is taken.
    unsafe { NOTES.push(note) };
}

/// Whether there are any.
#[inline]
pub(super) fn are_any() -> bool {
    !NOTES.is_empty()
}

/// Has `settle` do what they say, and forgets them.
#[inline]
pub(super) fn take_all(mut settle: impl FnMut(What)) {
    let mut note = NOTES.take_all();
    while !note.is_null() {
        // SAFETY: `take_all` made the notes ours; each is read once, and then given back.
        let Note { next, what } = unsafe { note.read() };
        let at = Addr::of(note);
        reserve::free(at, page_map::tag(at));
        settle(what);
        // Relaxed: `take_all` acquired it.
        note = next.load(Ordering::Relaxed);
    }
}
