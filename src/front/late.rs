//! What comes while another thread forks, and may neither take a lock nor wait for one: it is served by the reserve, and what
//! can be done later is put on a list, in one atomic step, for parent and child to take in when the fork is over.

use core::sync::atomic::Ordering;

use errno::{errno, set_errno};

use super::{slow_free, thread};
use crate::base::addr::Addr;
use crate::base::batch_stack::{self, BatchStack};
use crate::base::fresh::Fresh;
use crate::base::sync::AtomicPtr;
use crate::hardened;
use crate::heap::{self, Left, ThreadHeap};
use crate::large;
use crate::os::gate::{self, Inside};
use crate::page_map::{self, Tag};
use crate::reserve;

enum What {
    /// Of a block, and the size that the program said it has.
    Free(Addr, Option<usize>, Whose),
    /// Of the thread that had this heap.
    Exit(Left),
}

/// All blocks of an arena may be freed at once before a note is taken in: then it is no longer due.
enum Whose {
    Anyone,
    /// A heap's of an arena, and what it said then.
    Apart(&'static ThreadHeap, u32),
    /// The number of an arena's large block.
    Held(u64),
}

impl Whose {
    fn of(at: Addr) -> Whose {
        match page_map::tag(at) {
            Tag::LARGE => match large::serial(at) {
                0 => Whose::Anyone,
                serial => Whose::Held(serial),
            },
            tag if tag.is_span() => {
                // SAFETY: the tag is that of a span: its owner is a heap.
                let heap = unsafe { heap::at(tag.owner()) };
                if heap.is_apart() { Whose::Apart(heap, heap.note_apart()) } else { Whose::Anyone }
            }
            _ => Whose::Anyone,
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

/// At least `size` bytes at a multiple of `align`, of the reserve; where the kernel has none for it, the way in, once the fork is over, to what
/// lies idle: `None` where that took too long.
#[cold]
#[inline(never)]
pub(super) fn alloc(size: usize, align: usize) -> Result<Fresh, Option<Inside>> {
    match reserve::alloc(size, align) {
        Some(at) => Ok(Fresh::new(at, false)),
        // What is not to be had at all is not waited for.
        None if size.max(align) > isize::MAX as usize => Err(None),
        // Not for ever: fork may wait for a lock of libc's that this thread holds.
        None => Err(gate::enter_later()),
    }
}

/// Frees a block that is not the reserve's, later.
#[cold]
pub(super) fn free(at: Addr, said: Option<usize>) {
    put(What::Free(at, said, Whose::of(at)));
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

/// Does what was put off. Behind the gate.
#[inline]
pub(super) fn take_in() {
    if !NOTES.is_empty() {
        take_in_slow();
    }
}

#[cold]
fn take_in_slow() {
    let saved = errno();
    let mut note = NOTES.take_all();
    while !note.is_null() {
        // SAFETY: `take_all` made the notes ours; each is read once, and then given back.
        let Note { next, what } = unsafe { note.read() };
        let at = Addr::of(note);
        reserve::free(at, page_map::tag(at));
        match what {
            What::Free(at, said, Whose::Anyone) => slow_free::free_inside(at, page_map::tag(at), said),
            What::Free(at, said, Whose::Held(serial)) => large::free_noted(at, serial, said),
            // In a hardened one it stays until all go: its claim could not be taken under the lock.
            What::Free(_, _, Whose::Apart(..)) if hardened::is_on() => {}
            What::Free(at, _, Whose::Apart(heap, turn)) => heap.free_noted(at, turn),
            What::Exit(left) => thread::retire(left),
        }
        // Relaxed: `take_all` acquired it.
        note = next.load(Ordering::Relaxed);
    }
    set_errno(saved);
}

/// Before a fork: from here on nobody but the calling thread is inside of anything.
pub(crate) fn before_fork() {
    gate::close();
}

/// After a fork, in the parent, or in the `child`.
pub(crate) fn after_fork(child: bool) {
    // `None`: a signal handler forked, and what it interrupted is to go on where it was.
    let inside = gate::enter();
    if inside.is_some() {
        // First: a heap that its thread has left is whole. Those of the others are not.
        take_in();
        if child {
            heap::orphan_the_lost();
        }
    }
    gate::open(child);
    if inside.is_some() {
        // Also what came in between.
        take_in();
    }
}
