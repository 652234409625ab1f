//! Where a heap's parts are, for who reads them from outside of the process.
#![forbid(unsafe_code)]

use core::mem::offset_of;

use super::bin::Bin;
use super::state::{Half, Heap};
use super::{late, list, outbox, samples};
use crate::base::layout::{self, At};
use crate::stats::event::EVENTS;

pub(crate) const LAYOUT: layout::Heap = layout::Heap {
    heaps_at: At((&raw const list::HEAPS).cast()),
    size: size_of::<Heap>(),
    next: offset_of!(Heap, links.next),
    orphan: offset_of!(Heap, links.orphan),
    word: offset_of!(Heap, links.word),
    bin_cur: Bin::CUR,
    bin_base: Bin::BASE,
    inbox: offset_of!(Heap, inbox.batches),
    inbox_bytes: offset_of!(Heap, inbox.bytes),
    open: offset_of!(Heap, outbox.open),
    opens: outbox::OPEN,
    open_size: size_of::<outbox::Open>(),
    open_node: offset_of!(outbox::Open, node),
    events: offset_of!(Heap, events),
    event_kinds: EVENTS,
    late_at: At((&raw const late::LATE).cast()),
    samples_at: At((&raw const samples::SAMPLES).cast()),
    baseline: offset_of!(Heap, own) + offset_of!(Half, baseline),
};
