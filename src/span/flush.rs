//! Blocks back to their spans, in batches, each one checked: every misuse that got past the hot path ends here.

use core::ptr::NonNull;

use super::{Span, Spans, tiny_backend_release_span};
use crate::base::addr::Addr;
use crate::class::ClassId;
use crate::os::die;
use crate::page_map;

pub(super) const INTERIOR: &str = "free: pointer into a block, not to its start";
const FREED: &str = "free: block is already free (double free)";
const FOREIGN: &str = "free: not a block of this allocator";

/// Gives `blocks`, all of heap `owner`, back to their spans in `lists`, by class. `count` is told of each block
/// (`false`) and of each span released (`true`). Ends the process when one is no block, or free already.
pub(crate) fn flush(owner: Addr, blocks: &[Addr], lists: &mut [Spans], mut count: impl FnMut(ClassId, bool)) {
    for &at in blocks {
        let Some(mut span) = NonNull::new(page_map::record(at).as_ptr::<Span>()) else { die(FOREIGN, at) };
        // SAFETY: the record of a granule of this heap is a live span of it (S1), and we hold the heap's lock;
        // a granule of another kind has no span's tag, so its pointers never get into a batch, except by misuse,
        // and records are never unmapped: then the owner differs, or the index does not lead back to `at`.
        let record = unsafe { span.as_mut() };
        if record.owner != owner {
            die(FOREIGN, at);
        }
        let index = match record.index_of(at) {
            Ok(index) => index,
            Err(what) => die(what, at),
        };
        if !record.bitmap().set(index) {
            die(FREED, at);
        }
        record.hint = record.hint.min(index / 64);
        record.free += 1;
        let Some(spans) = lists.get_mut(record.class.index()) else { continue };
        spans.free += 1;
        count(record.class, false);
        if record.free >= record.promote_at || record.free == record.capacity {
            let class = record.class;
            if let Some(empty) = spans.place(span) {
                tiny_backend_release_span(empty);
                count(class, true);
            }
        }
    }
}
