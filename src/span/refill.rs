//! Blocks from spans to a magazine, in batches.

use core::ptr::NonNull;

use super::dirty::Dirty;
use super::lists::Spans;
use super::record::{List, Span};
use crate::base::tray::Tray;

/// Bytes of blocks that are page faults that one refill takes at most: a refill costs less than one of those, and while the magazine was filled with
/// them to its half, what was freed meanwhile lay idle beside them. With 16 KiB the recorded git peaks 3 % higher.
const FEW: usize = 32 << 10;

/// Fills `out` from the spans of one class, fullest span first, so that the blocks of a span pop in ascending order.
/// Blocks whose pages were given back, or never used, come last, only where there are no others, and few at a time. Acquires no span.
pub(crate) fn refill(spans: &mut Spans, dirty: &mut Dirty, out: &mut Tray<'_>) {
    while !out.is_full() {
        let Some(span) = spans.first() else { break };
        // SAFETY: a live record of this heap (L1), under its lock.
        let record = unsafe { span.as_ref() };
        let is_fault = record.list.is_gone() || record.list == List::Empty && !record.purged.is_none();
        if !out.is_empty() && is_fault {
            break;
        }
        // Nothing only of a span that is passed over, and that is `first` no more.
        take(spans, span, dirty, out);
    }
    if out.is_empty() {
        take_going(spans, dirty, out);
    }
}

/// What spans have beside the pages that are on their way to the kernel: rather than a fresh span.
#[cold]
#[inline(never)] // for the stack
fn take_going(spans: &mut Spans, dirty: &mut Dirty, out: &mut Tray<'_>) {
    let mut at = spans.going();
    while let Some(mut span) = at {
        // SAFETY: a live record of this heap (L1), under its lock; no other reference to it is held.
        let record = unsafe { span.as_mut() };
        let taken = take_resident(record, out);
        if taken > 0 {
            return count_taken(spans, record, taken, dirty);
        }
        at = record.next;
    }
}

/// Moves blocks of `span` to `out`, the lowest address first; none when all it has free are purged and another
/// span may have better.
fn take(spans: &mut Spans, mut span: NonNull<Span>, dirty: &mut Dirty, out: &mut Tray<'_>) {
    // SAFETY: a live record of this heap (L1), under its lock; no other reference to it is held.
    let record = unsafe { span.as_mut() };
    let taken = if record.purged.is_none() {
        take_lowest(record, out).0
    } else if record.list.is_gone() || record.list == List::Empty {
        take_purged(record, dirty, out)
    } else {
        take_resident(record, out)
    };
    if taken == 0 {
        return spans.pass_over(span, dirty);
    }
    count_taken(spans, record, taken, dirty);
    // A span that is not used up keeps its place although it got fuller: the next refill starts with it anyway.
    if record.free == 0 || record.list == List::Empty || record.list.is_gone() {
        // `place` returns only empty spans, and this one just gave blocks.
        let _ = spans.place(span, dirty);
    }
}

#[inline(always)]
fn count_taken(spans: &mut Spans, record: &mut Span, taken: u32, dirty: &mut Dirty) {
    record.free -= taken;
    spans.free -= taken as u64;
    record.note_taken(taken, dirty);
}

#[cold]
fn take_purged(record: &mut Span, dirty: &mut Dirty, out: &mut Tray<'_>) -> u32 {
    // A hardened heap has claims, and draws from all that it has.
    if record.claims.is_null() {
        out.limit(FEW.checked_div(record.block_size as usize).map_or(1, |few| few.max(1)));
    }
    let (taken, lowest, highest) = take_lowest(record, out);
    // Pages in between that were not taken count as resident too: at worst they are purged again for nothing.
    record.unpurge(lowest, highest.saturating_sub(lowest), dirty);
    taken
}

/// Moves the lowest free blocks to `out`. Says how many, the lowest index, and the one behind the highest.
#[inline(always)]
fn take_lowest(record: &mut Span, out: &mut Tray<'_>) -> (u32, u32, u32) {
    let (base, size, hint) = (record.base(), record.block_size as usize, record.hint);
    let (mut lowest, mut highest) = (u32::MAX, 0);
    let (taken, hint) = record.bitmap().take(hint, out.room() as u32, |first, len| {
        lowest = lowest.min(first);
        highest = first + len;
        out.put_run(base.offset(first as usize * size), size, len as usize);
    });
    record.hint = hint;
    (taken, lowest, highest)
}

/// The same, but for blocks in purged pages: each of those pages would be a fault.
#[cold]
fn take_resident(record: &mut Span, out: &mut Tray<'_>) -> u32 {
    let hint = record.hint;
    record.show_purged(false);
    let (taken, ..) = take_lowest(record, out);
    record.show_purged(true);
    // S4: what was passed over may lie below.
    record.hint = hint;
    taken
}
