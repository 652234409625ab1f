//! What `free` leaves to be decided: what else takes a block back without a lock, and the way behind the gate to what takes one.

use core::sync::atomic::{AtomicBool, Ordering};

use errno::{errno, set_errno};

use super::ask::usable_size;
use super::checked;
use super::full;
use super::kind::Kind;
use super::late;
use super::notes;
use super::recorded;
use super::requests;
use super::sink;
use super::source::Mode;
use super::warm;
use crate::base::addr::Addr;
use crate::base::bits::round_up;
use crate::baseline;
use crate::class::{BIN_STRIDE, CLASSES, ClassId};
use crate::heap::{self, Current, Pushed};
use crate::os::{Defect, die, gate, tls};
use crate::page_map::{self, Tag};
use crate::record;

/// Everything about a free that is not a push onto an own magazine with room. `word` is the TLS word, `offset` the block's tag xor'ed with it, as far
/// as the hot table shows that.
///
/// Of others' blocks, for most of which a batch is open, this is all: 27 instructions behind the 11 of `free`.
#[cold]
#[inline(never)]
pub(super) fn free(block: *mut u8, word: *mut u8, offset: usize) {
    // The same question opens the way to others' blocks: it is asked once.
    if !heap::is_plain(word) {
        return free_metered(block, word, offset);
    }
    if !heap::add_remote(word, offset, Addr::of(block)) {
        free_other(block);
    }
}

#[inline(never)]
fn free_metered(block: *mut u8, word: *mut u8, offset: usize) {
    if heap::is_checked(word) {
        if !checked::free_quick(word, offset, Addr::of(block), None) {
            free_checked_other(block);
        }
    } else if heap::is_full(word) {
        free_full(block, word, offset);
    } else {
        free_other(block);
    }
}

#[inline(never)]
fn free_checked_other(block: *mut u8) {
    if !checked::free_remote(Addr::of(block), None) {
        free_other(block);
    }
}

#[inline(never)]
fn free_full(block: *mut u8, word: *mut u8, offset: usize) {
    if !full::keep(word, offset, Addr::of(block), None) {
        free_other(block);
    }
}

#[inline(never)]
fn free_full_said(block: *mut u8, size: usize, word: *mut u8, offset: usize) {
    if !full::keep(word, offset, Addr::of(block), Some(size)) {
        free_said(block, size);
    }
}

#[inline(never)]
fn free_checked_said(block: *mut u8, size: usize) {
    if !checked::free_remote(Addr::of(block), Some(size)) {
        free_said(block, size);
    }
}

#[inline(never)]
fn free_other(block: *mut u8) {
    free_any(block, None, false);
}

/// `free` by a program that says the block's size.
#[cold]
#[inline(never)]
pub(super) fn free_sized(block: *mut u8, size: usize, word: *mut u8, offset: usize) {
    if !heap::is_plain(word) {
        return free_metered_said(block, size, word, offset);
    }
    if !heap::add_remote(word, offset, Addr::of(block)) {
        free_said(block, size);
    }
}

#[inline(never)]
fn free_metered_said(block: *mut u8, size: usize, word: *mut u8, offset: usize) {
    if heap::is_checked(word) {
        if !checked::free_quick(word, offset, Addr::of(block), Some(size)) {
            free_checked_said(block, size);
        }
    } else if heap::is_full(word) {
        free_full_said(block, size, word, offset);
    } else {
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
            .filter(|_| ROUNDED.load(Ordering::Relaxed) && Mode::is_strict() && usable_size(block) == rounded)
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
    if heap::is_hardened(own) {
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
#[cold]
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

/// Whether the baseline took it back: what it has at hand is the thread's, and needs no gate.
#[inline(always)]
fn baseline_keeps(at: Addr, tag: Tag) -> bool {
    match heap::current() {
        Current::Heap(heap) if heap.addr() == tag.owner() => {
            baseline::keep(heap, ClassId::from_index(tag.class_index()), at)
        }
        _ => false,
    }
}

#[cold]
#[inline(never)]
fn free_missed(at: Addr, tag: Tag, said: Option<usize>, is_part: bool) {
    if record::may_be_on() && !is_part {
        recorded::free_uncounted(at);
    }
    if baseline_keeps(at, tag) {
        return;
    }
    let kind = if tag == Tag::NONE { Kind::at(at) } else { Kind::of(tag) };
    // Without the gate: it is what serves while a fork keeps that closed.
    if let Kind::Reserve(tag) = kind {
        return sink::to_reserve(at, tag);
    }
    // POSIX 2024: free keeps errno, and what lies below may call the kernel.
    let saved = errno();
    match gate::enter_anew() {
        Some(_inside) => {
            late::take_in();
            sink::take(at, kind, said);
        }
        None => match kind {
            Kind::NotOurs => die(Defect::FREE_FOREIGN, at),
            kind => notes::free(at, kind, said),
        },
    }
    requests::answer();
    set_errno(saved);
}
