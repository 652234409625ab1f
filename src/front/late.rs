//! What comes while another thread forks, or in a handler that interrupted what is behind the gate, and may neither take a lock nor wait for one: it is
//! served by the reserve, and what can be done later is noted, to be taken in when the fork, or the handler, is over.
#![forbid(unsafe_code)]

use errno::{errno, set_errno};

use super::kind::Kind;
use super::notes::{self, What, Whose};
use super::{sink, thread};
use crate::base::block::Block;
use crate::base::fresh::Fresh;
use crate::heap;
use crate::large;
use crate::os::gate::{self, Inside};
use crate::reserve;

/// At least `size` bytes at a multiple of `align`, of the reserve; where the kernel has none for it, the way in, once the fork is over, to what
/// lies idle: `None` where that took too long.
#[cold]
#[inline(never)]
pub(super) fn alloc(size: usize, align: usize) -> Result<Fresh, Option<Inside>> {
    match reserve::alloc(size, align) {
        Some(at) => Ok(Fresh::new(Block::at(at), false)),
        // What is not to be had at all is not waited for.
        None if size.max(align) > isize::MAX as usize || gate::is_inside() => Err(None),
        // Not for ever: fork may wait for a lock of libc's that this thread holds.
        None => Err(gate::enter_later()),
    }
}

/// Does what was put off. Behind the gate.
#[inline]
pub(super) fn take_in() {
    if notes::are_any() {
        take_in_slow();
    }
}

#[cold]
fn take_in_slow() {
    let saved = errno();
    notes::take_all(|what| match what {
        What::Free(at, said, Whose::Anyone) => sink::take(at, Kind::at(at), said),
        What::Free(at, said, Whose::Held(serial)) => {
            if large::take_noted(at, serial) {
                sink::take(at, Kind::at(at), said);
            }
        }
        What::Free(at, _, Whose::Apart(heap, turn)) => heap.free_noted(at, turn),
        What::Exit(left) => thread::orphan(left),
    });
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
