//! All arenas, for who reports them.

use super::handle::Arena;
use crate::base::addr::Addr;
use crate::os::lock::Mutex;

struct Head(Option<&'static Arena>);

// SAFETY: what it names is read and written as `Arena`'s fields say, the links under the lock that this lies in.
unsafe impl Send for Head {}

static ARENAS: Mutex<Head> = Mutex::new(Head(None));

pub(super) fn put(arena: &'static Arena) {
    let mut head = ARENAS.lock();
    let next = head.0.replace(arena);
    arena.links.next.set(next);
    if let Some(next) = next {
        next.links.prev.set(Some(arena));
    }
}

pub(super) fn take(arena: &'static Arena) {
    let mut head = ARENAS.lock();
    let (next, prev) = (arena.links.next.take(), arena.links.prev.take());
    match prev {
        Some(prev) => prev.links.next.set(next),
        None => head.0 = next,
    }
    if let Some(next) = next {
        next.links.prev.set(prev);
    }
}

/// Whether the memory of an arena's own and these granules have any in common. Behind the gate.
pub(super) fn has_any_of(first: Addr, granules: usize) -> bool {
    let head = ARENAS.lock();
    let mut at = head.0;
    while let Some(arena) = at {
        if arena.region.as_ref().is_some_and(|region| region.has_any_of(first, granules)) {
            return true;
        }
        at = arena.links.next.get();
    }
    false
}

/// What `look` says of the arena with this number, from the newest on: it is not ended meanwhile. `None`: there are no more. Behind the gate.
pub(super) fn nth<T>(number: usize, look: impl FnOnce(&'static Arena) -> T) -> Option<T> {
    let head = ARENAS.lock();
    let mut at = head.0;
    for _ in 0..number {
        at = at?.links.next.get();
    }
    at.map(look)
}
