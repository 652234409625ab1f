//! Where a freed block goes: by its kind, by whose it is, and by how the calling thread's heap serves its class. Behind the gate, and with no lock held.

use super::kind::{Kind, Spanned};
use super::paranoid;
use super::thread::{self, Caller};
use crate::base::addr::Addr;
use crate::baseline;
use crate::class::ClassId;
use crate::guard;
use crate::hardened;
use crate::heap::{self, Heap, OwnHeap, Pushed};
use crate::large;
use crate::os::{Defect, die};
use crate::page_map::{self, Tag};
use crate::profile;
use crate::reclaim;
use crate::reserve;

/// Takes back the block at `at`, and does what is due then. `said`: the size that the program gave.
#[inline(always)]
pub(super) fn take(at: Addr, kind: Kind, said: Option<usize>) {
    if take_back(at, kind, said) {
        reclaim::after_free();
    }
    paranoid::after_slow_path();
}

/// Takes back one of many large blocks. What is due then is done for all.
#[inline(never)]
pub(crate) fn take_one_of_many(at: Addr) {
    take_back(at, Kind::at(at), None);
}

/// Says whether there may be something to give back to the kernel now.
#[inline(always)]
fn take_back(at: Addr, kind: Kind, said: Option<usize>) -> bool {
    match kind {
        Kind::NotOurs => die(Defect::FREE_FOREIGN, at),
        Kind::Large => {
            end_sample(at);
            large::free(at);
            true
        }
        Kind::Fenced => {
            end_sample(at);
            hardened::fenced::free(at, said);
            true
        }
        Kind::Guarded => {
            guard::free(at, said);
            true
        }
        Kind::Reserve(tag) => {
            to_reserve(at, tag);
            false
        }
        Kind::Hardened(span) => to_hardened(at, span, said),
        Kind::Usual(span) => to_owner(at, span),
    }
}

/// Of a large block.
fn end_sample(at: Addr) {
    if large::take_sampled(at) {
        profile::end(at);
    }
}

/// Takes back a block of the reserve, for which nobody needs to be behind the gate.
pub(super) fn to_reserve(at: Addr, tag: Tag) {
    if !reserve::free(at, tag) {
        die(Defect::FREE_FOREIGN, at)
    }
}

/// Checked first, each form in its own way. Says whether spans got blocks back.
#[cold]
#[inline(never)]
fn to_hardened(at: Addr, span: Spanned, said: Option<usize>) -> bool {
    let (owner, class) = (span.heap(), span.class());
    if heap::holds_empty(owner.addr()) {
        hardened::free_empty(owner, at, said);
        return false;
    }
    if hardened::is_light() {
        hardened::checked::retire(at, class, said);
        return to_owner(at, span);
    }
    to_full(at, owner, class, said)
}

/// Not from within `to_hardened`, whose frame lies on the stack of the deepest path that there is.
#[inline(never)]
fn to_full(at: Addr, owner: &'static Heap, class: ClassId, said: Option<usize>) -> bool {
    if heap::holds_samples(owner.addr()) {
        profile::end(at);
    }
    let caller = if owner.is_apart() { None } else { thread::enter() };
    match caller {
        Some(Caller::Own(heap)) => hardened::full::free(heap, owner.addr(), class, at, said),
        Some(Caller::Shared(_)) | None => {
            hardened::full::free_shared(owner, at, said);
            true
        }
    }
}

/// To whose span it is: the profiler's, an arena's, or a thread's. Says whether spans got blocks back.
#[inline(always)]
fn to_owner(at: Addr, span: Spanned) -> bool {
    let owner = span.heap();
    if heap::holds_samples(owner.addr()) {
        profile::end(at);
    } else if !owner.is_apart() {
        return to_thread(at, span.class());
    } else if let Some(seat) = heap::seat_of(owner.addr()) {
        // Its magazine is full.
        if let Pushed::Twice = seat.push_apart_slow(span.class(), at) {
            die(Defect::FREE_TWICE, at);
        }
        return true;
    }
    owner.free_direct(at);
    true
}

/// To the calling thread's heap or another's. `false`: the block only waits in a batch or lies in a magazine, and nothing else has changed.
#[inline(always)]
fn to_thread(at: Addr, class: ClassId) -> bool {
    let caller = thread::enter_light(class);
    // Again: the thread may have adopted its heap just now, and the span have moved away from that before.
    let tag = page_map::tag(at);
    match caller {
        Some(Caller::Own(heap)) if heap.addr() == tag.owner() => {
            // Now and then, of those that the hot table did not show.
            page_map::missed(at, tag);
            // Not from within `to_own`, whose frame would lie on the stack of the deepest path that there is.
            if baseline::serves(heap, class) {
                baseline::free(heap, class, at);
                return true;
            }
            let moved = to_own(heap, class, at);
            heap.ebb();
            return moved;
        }
        Some(Caller::Own(heap)) => return heap.free_remote(tag.owner(), class, at),
        // SAFETY: the tag is that of a span: its owner is a heap.
        Some(Caller::Shared(_)) | None => unsafe { heap::at(tag.owner()) }.free_direct(at),
    }
    true
}

/// To a magazine of the calling thread's heap.
#[inline(never)]
fn to_own(heap: OwnHeap, class: ClassId, at: Addr) -> bool {
    let pushed = match heap.bin(class).push(at) {
        // Put off during a fork, or of a heap that the thread has only just got.
        Pushed::Kept => return false,
        Pushed::Full => heap.push_slow(class, at),
        pushed => pushed,
    };
    match pushed {
        Pushed::Kept => {}
        Pushed::Twice => die(Defect::FREE_TWICE, at),
        // A magazine that could be neither grown nor flushed does not exist: `push_slow` made room.
        Pushed::Full => heap.free_direct(at),
    }
    true
}
