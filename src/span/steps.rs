//! A sweep over a heap's spans: it gathers free pages, lets the kernel take them, and settles what was gathered, step by step.
//!
//! No lock is held while the kernel works: the spans whose pages are on their way have a list of their own meanwhile, from which no page of
//! these is handed out, and none is released or moved. One sweep at a time: who has the `Gather`.

use core::sync::atomic::{AtomicBool, Ordering};

use super::dirty::{Dirty, Hand};
use super::gather::Gather;
use super::head::SpanHead;
use super::lists::Spans;
use crate::os::Range;
use crate::page_map;

/// Which spans a sweep takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sweep {
    /// Those from which nothing was taken of late: the heap fills the fullest first, and of these it has enough.
    Older,
    /// Those in which something was freed.
    Any,
    /// Every one, and every page: memory is short, or somebody asked.
    Whole,
}

/// The least that is worth a call of its own, to begin with: most holes in spans are shorter, and come and go.
const WORTH: usize = 32 << 10;
/// Generations in which nothing was taken from a span, after which what is free in it goes: half a decay time at least. What goes on being
/// freed there is no reason to wait: the sizes that a program has turned away from are freed in bits, for as long as it runs.
const OLD: u16 = 3;
/// Generations in which nobody used a span, after which its holes go, however small: two decay times.
const SETTLED: u16 = 9;

/// Spans that are looked at before the heap's lock is let go: a microsecond, for which its thread spins. It would sleep for longer.
const LOOKS: usize = 16;
/// What one whose pages are gathered counts as.
const GATHERED: usize = 4;

/// Whether there are holes left that go once nobody used their spans for long enough: no count of dirty bytes covers them, and who looks for what is
/// idle has to come by once more. Relaxed: a hint.
static HOLES: AtomicBool = AtomicBool::new(false);

pub(crate) fn are_holes_left() -> bool {
    HOLES.load(Ordering::Relaxed)
}

/// Before a round of sweeps, which notes them anew.
pub(crate) fn forget_holes() {
    HOLES.store(false, Ordering::Relaxed);
}

/// Where there are some, or may be: a heap that was passed over.
pub(crate) fn note_holes() {
    // Mostly it says so already: no store, and the line stays shared.
    if !are_holes_left() {
        HOLES.store(true, Ordering::Relaxed);
    }
}

/// Why a step ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// Others are to have the lock for a moment.
    Looked,
    /// What was gathered is to go.
    Gathered,
    /// All spans were seen; the next step begins anew.
    Seen,
}

/// Has the next step of such a sweep begin with a heap's first span.
pub(crate) fn begin(dirty: &mut Dirty, which: Sweep) {
    *hand(dirty, which) = Hand::default();
}

fn hand(dirty: &mut Dirty, which: Sweep) -> &mut Hand {
    let [older, other] = &mut dirty.hands;
    if which == Sweep::Older { older } else { other }
}

/// Goes on with a sweep until `gather` holds `want` bytes or is full, or long enough for once: gathers free pages, and takes their spans off their
/// lists till `settle`.
pub(crate) fn step(lists: &mut [Spans], dirty: &mut Dirty, which: Sweep, gather: &mut Gather, want: usize) -> Pause {
    if dirty.region.is_some() {
        return Pause::Seen;
    }
    let generation = dirty.generation;
    let mut looks = 0;
    while looks < LOOKS {
        let Some(mut span) = hand(dirty, which).next(lists) else {
            begin(dirty, which);
            if which == Sweep::Older {
                dirty.older_swept = generation.wrapping_add(1);
            }
            return Pause::Seen;
        };
        // SAFETY: a live record of this heap (L1), under its lock; no other reference to it is held.
        let record = unsafe { span.as_mut() };
        let since_taken = generation.wrapping_sub(record.taken_in);
        let settled = since_taken.min(generation.wrapping_sub(record.freed_in)) >= SETTLED;
        let due = match which {
            Sweep::Older => since_taken >= OLD && (record.freed > 0 || record.holes && settled),
            Sweep::Any => record.freed > 0,
            Sweep::Whole => record.free > 0,
        };
        if due && (gather.bytes() >= want || gather.room() < record.most_runs()) {
            return Pause::Gathered;
        }
        looks += if due { GATHERED } else { 1 };
        let all = gather.is_cheap() || settled || which == Sweep::Whole;
        if due && record.gather(gather, if all { 0 } else { WORTH }, dirty) {
            // Off its list, which moves the hand on.
            let class = record.class.index();
            lists.get_mut(class).into_iter().for_each(|spans| spans.set_going(span, dirty));
        } else {
            hand(dirty, which).pass(record);
        }
        if record.holes {
            note_holes();
        }
    }
    Pause::Looked
}

/// Puts the spans whose pages `gather` gave back on their lists again, once it did.
pub(crate) fn settle(lists: &mut [Spans], dirty: &mut Dirty, gather: &mut Gather) {
    if gather.bytes() == 0 {
        return;
    }
    // Refused: rare.
    while let Some(Range { at, len }) = gather.next_refused() {
        if let Some(head) = SpanHead::of(page_map::record(at)) {
            // SAFETY: Going, it is released by nobody (S3); of this heap, under its lock.
            unsafe { head.locked().as_mut() }.keep(at, len, dirty);
        }
    }
    lists.iter_mut().for_each(|spans| spans.end_going(dirty));
    gather.empty();
}
