//! What `free` leaves to be decided: whose block it is, and how it goes back.

use core::sync::atomic::{AtomicBool, Ordering};

use errno::{errno, set_errno};

use super::checked;
use super::late;
use super::paranoid;
use super::profiled;
use super::realloc::usable_size;
use super::recorded;
use super::requests;
use super::slow::{is_baseline, strict};
use super::thread::{self, Caller};
use super::warm;
use crate::base::addr::Addr;
use crate::base::bits::round_up;
use crate::baseline;
use crate::class::{BIN_STRIDE, CLASSES, ClassId};
use crate::guard;
use crate::hardened;
use crate::heap::{self, OwnHeap, Pushed};
use crate::large;
use crate::os::{die, gate, tls};
use crate::page_map::{self, Tag};
use crate::profile;
use crate::reclaim;
use crate::record;
use crate::reserve;

const FOREIGN: &str = "free: not a block of this allocator, or free already";
const TWICE: &str = "free: block is already free (double free)";

/// Everything about a free that is not a push onto an own magazine with room. `word` is the TLS word, `offset` the block's tag xor'ed with it, as far
/// as the hot table shows that.
///
/// Of others' blocks, for most of which a batch is open, this is all: 27 instructions behind the 11 of `free`.
#[cold]
#[inline(never)]
pub(super) fn free(block: *mut u8, word: *mut u8, offset: usize) {
    if !heap::add_remote(word, offset, Addr::of(block)) {
        free_other(block);
    }
}

#[inline(never)]
fn free_other(block: *mut u8) {
    free_any(block, None, false);
}

/// `free` by a program that says the block's size.
#[cold]
#[inline(never)]
pub(super) fn free_sized(block: *mut u8, word: *mut u8, offset: usize, size: usize) {
    if !heap::add_remote(word, offset, Addr::of(block)) {
        free_said(block, size);
    }
}

#[inline(never)]
fn free_said(block: *mut u8, size: usize) {
    free_any(block, Some(size), false);
}

/// Whether the C++ runtime's aligned `new` has served instead of ours.
static ROUNDED: AtomicBool = AtomicBool::new(false);

/// The C++ runtime's aligned `new` is about to serve.
pub(crate) fn expect_rounded() {
    // Relaxed: its block comes to another thread by the program's own means.
    ROUNDED.store(true, Ordering::Relaxed);
}

/// `free_sized` by C++'s aligned forms. The runtime's `new`, which serves when ours failed and its new-handler found memory,
/// asks for a multiple of the alignment; `delete` says the size that the program gave.
#[cold]
#[inline(never)]
pub(super) fn free_rounded(block: *mut u8, size: usize, align: usize) {
    let rounded = round_up(size.max(1), align.max(1));
    free_any(
        block,
        rounded
            .filter(|_| ROUNDED.load(Ordering::Relaxed) && strict().is_some() && usable_size(block) == rounded)
            .or(Some(size)),
        false,
    );
}

/// `free` as a part of another call, by which it is recorded.
#[cold]
#[inline(never)]
pub(super) fn free_part(block: *mut u8) {
    free_noted(block, None);
}

#[cold]
#[inline(never)]
fn free_recorded(block: *mut u8, said: Option<usize>) {
    let at = Addr::of(block);
    let word = tls::get();
    // SAFETY: only a counted thread comes here.
    recorded::free_of(unsafe { heap::of_marked(word) }, at);
    let own = heap::plain(word);
    if !push(own, page_map::bin_of(at.granule(), own.addr()), at) {
        free_noted(block, said);
    }
}

/// A block whose free is recorded already, if it is to be.
#[inline(never)]
fn free_noted(block: *mut u8, said: Option<usize>) {
    free_any(block, said, true);
}

/// A block that is not null. `said`: the size that the program gave; only strict modes care.
#[inline(always)]
fn free_any(block: *mut u8, said: Option<usize>, is_part: bool) {
    let at = Addr::of(block);
    let word = tls::get();
    // A hit all the same where the thread is counted, which is all that its frees pay for it.
    let mut own = word;
    if heap::is_marked(word) {
        // Left by a jump: with a call here the way to others' blocks would need a frame.
        if record::is_on() && !is_part {
            return free_recorded(block, said);
        }
        own = heap::plain(word);
        if push(own, page_map::bin_of(at.granule(), own.addr()), at) {
            return;
        }
    }
    // A shared arena's, of which the thread has such blocks to itself. What is no span's is no seat's either.
    if heap::has_seats(own) && heap::push_at_seat(own, Tag(page_map::bin_of(at.granule(), 0) as u64), at) {
        return;
    }
    // Or where the hot table shows nothing: in a heap of more than 32 GiB, say.
    let tag = page_map::first_tag(at);
    if push(own, tag.0 as usize ^ own.addr(), at) {
        return;
    }
    if heap::is_checked(own) {
        return free_checked(at, tag, own, said, is_part);
    }
    if tag == Tag::LARGE {
        return free_large(at, said, is_part);
    }
    free_foreign(at, tag, own, said, is_part);
}

/// Another heap's, or whatever it is. The gate would be the only locked instruction of a block that goes into a batch. (Of what is no span's the owner
/// is null, for the heap of samples none is opened, and hardened in full none is filled so.)
#[inline(never)]
fn free_foreign(at: Addr, tag: Tag, own: *mut u8, said: Option<usize>, is_part: bool) {
    if !heap::add_remote_slow(own, tag, at) {
        free_missed(at, tag, said, is_part);
    }
}

/// Apart: a jump, so that what it needs of the stack is not for the other frees to save.
#[inline(never)]
fn free_checked(at: Addr, tag: Tag, word: *mut u8, said: Option<usize>, is_part: bool) {
    if record::is_on() && !is_part {
        recorded::free(at);
    }
    let own = heap::plain(word);
    if !checked::free(own, tag.0 as usize ^ own.addr(), at, said) {
        free_missed(at, tag, said, true);
    }
}

/// Whether the block went into the magazine at `offset` of the heap that `word` names: if that is none, the block is not this heap's.
#[inline(always)]
fn push(word: *mut u8, offset: usize, at: Addr) -> bool {
    // SAFETY: as in `super::free`: a tag of this heap holds a class premultiplied by BIN_STRIDE.
    offset < CLASSES * BIN_STRIDE && matches!(unsafe { heap::bin_at(word, offset) }.push(at), Pushed::Kept)
}

#[inline(never)]
fn free_large(at: Addr, said: Option<usize>, is_part: bool) {
    if !warm::free(at) {
        free_missed(at, Tag::LARGE, said, is_part);
    }
}

#[cold]
#[inline(never)]
fn free_missed(at: Addr, tag: Tag, said: Option<usize>, is_part: bool) {
    if record::may_be_on() && !is_part {
        recorded::free_uncounted(at);
    }
    let tag = if tag == Tag::NONE { page_map::tag(at) } else { tag };
    // POSIX 2024: free keeps errno, and what lies below may call the kernel.
    let saved = errno();
    if tag.is_reserve() {
        return if !reserve::free(at, tag) {
            die(FOREIGN, at)
        };
    }
    match gate::enter() {
        Some(_inside) => {
            late::take_in();
            free_inside(at, tag, said);
        }
        None if tag == Tag::NONE || tag == Tag::WAITS => die(FOREIGN, at),
        None => late::free(at, said),
    }
    requests::answer();
    set_errno(saved);
}

/// Behind the gate.
#[inline(always)]
pub(super) fn free_inside(at: Addr, tag: Tag, said: Option<usize>) {
    let done = match tag {
        Tag::NONE | Tag::WAITS => die(FOREIGN, at),
        Tag::LARGE => {
            profiled::end_large(at);
            large::free(at, said);
            true
        }
        Tag::GUARD => {
            guard::free(at, said);
            true
        }
        tag => {
            // SAFETY: the tag is that of a span: its owner is a heap.
            let owner = unsafe { heap::at(tag.owner()) };
            let (sampled, apart) = (heap::holds_samples(tag.owner()), owner.is_apart());
            if sampled {
                profile::end(at);
            }
            if heap::holds_empty(tag.owner()) {
                hardened::free_empty(owner, at, said);
                return paranoid::after_slow_path();
            }
            let full = hardened::is_full();
            if !full && hardened::is_light() {
                hardened::checked::retire(at, ClassId::from_index(tag.class_index()), said);
            }
            match (full, sampled || apart) {
                (true, _) if apart => {
                    hardened::full::free_shared(owner, at, said);
                    true
                }
                (true, _) => free_hardened(at, tag, said),
                (false, false) => free_block(at, tag),
                (false, true) => {
                    match heap::seat_of(tag.owner()) {
                        Some(seat) => {
                            // Its magazine is full.
                            if let Pushed::Twice = seat.push_apart_slow(ClassId::from_index(tag.class_index()), at) {
                                die(TWICE, at);
                            }
                        }
                        None => owner.free_direct(at),
                    }
                    true
                }
            }
        }
    };
    if done {
        reclaim::after_free();
    }
    paranoid::after_slow_path();
}

/// Says whether spans got blocks back.
#[inline(always)]
fn free_hardened(at: Addr, tag: Tag, said: Option<usize>) -> bool {
    match thread::enter() {
        Some(Caller::Own(heap)) => {
            hardened::full::free(heap, tag.owner(), ClassId::from_index(tag.class_index()), at, said)
        }
        Some(Caller::Shared(_)) | None => {
            // SAFETY: the tag is that of a span: its owner is a heap.
            hardened::full::free_shared(unsafe { heap::at(tag.owner()) }, at, said);
            true
        }
    }
}

/// `false`: the block only waits in a batch or lies in a magazine, and nothing else has changed.
#[inline(always)]
fn free_block(at: Addr, tag: Tag) -> bool {
    let class = ClassId::from_index(tag.class_index());
    let caller = thread::enter_light(class);
    // Again: the thread may have adopted its heap just now, and the span have moved away from that before.
    let tag = page_map::tag(at);
    match caller {
        Some(Caller::Own(heap)) if heap.addr() == tag.owner() => {
            // Now and then, of those that the hot table did not show.
            page_map::missed(at, tag);
            return free_own(heap, class, at);
        }
        Some(Caller::Own(heap)) => return heap.free_remote(tag.owner(), class, at),
        // SAFETY: the tag is that of a span: its owner is a heap.
        Some(Caller::Shared(_)) | None => unsafe { heap::at(tag.owner()) }.free_direct(at),
    }
    true
}

fn free_own(heap: OwnHeap, class: ClassId, at: Addr) -> bool {
    if is_baseline(heap, class) {
        baseline::free(heap, class, at);
        return true;
    }
    let pushed = match heap.bin(class).push(at) {
        // Put off during a fork, or of a heap that the thread has only just got.
        Pushed::Kept => return false,
        Pushed::Full => heap.push_slow(class, at),
        pushed => pushed,
    };
    match pushed {
        Pushed::Kept => {}
        Pushed::Twice => die(TWICE, at),
        // A magazine that could be neither grown nor flushed does not exist: `push_slow` made room.
        Pushed::Full => heap.free_direct(at),
    }
    true
}
