//! A heap that is short of a class takes spans over from orphans, before it takes fresh memory: threads that end leave their spans half used.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::behind::Locked;
use super::empty::holds_empty;
use super::samples::holds_samples;
use super::state::Core;
use super::{ebb, late, list, registry};
use crate::class::{CLASSES, ClassId};
use crate::config;
use crate::span;

/// A bit for each class of which an orphan may have a partly free span: spares most heaps the search.
static OFFERS: [AtomicU64; CLASSES.div_ceil(64)] = [const { AtomicU64::new(0) }; CLASSES.div_ceil(64)];

// Relaxed, throughout: hints.
fn offer_of(class: ClassId) -> (&'static AtomicU64, u64) {
    let [first, .., last] = &OFFERS;
    (if class.index() < 64 { first } else { last }, 1 << (class.index() % 64))
}

/// Whether a span has ever moved. Till then a block sent to the wrong heap is misuse; later the right one finds out.
static HAPPENED: AtomicBool = AtomicBool::new(false);

pub(super) fn happened() -> bool {
    // Relaxed: published by the locks under which the span moved.
    HAPPENED.load(Ordering::Relaxed)
}

/// Batches passed on to another heap so far.
static PASSED: AtomicU64 = AtomicU64::new(0);

pub(super) fn note_passed() {
    PASSED.fetch_add(1, Ordering::Relaxed);
}

/// Takes in what was sent to any heap, until nothing more is passed on. `wait`: also what was sent to busy ones. Any thread that holds no
/// heap's lock.
pub(crate) fn take_in_all(wait: bool) {
    // Each pass brings one block of each batch home at least; others may send meanwhile.
    for _ in 0..256 {
        let before = PASSED.load(Ordering::Relaxed);
        list::each_heap(|heap| heap.take_in(wait));
        if PASSED.load(Ordering::Relaxed) == before {
            break;
        }
    }
}

/// Takes in what was sent to heaps that no thread uses: nobody else soon would, and who looks at the figures is to see as free what was
/// freed. Any thread that holds no heap's lock.
pub(crate) fn take_in_unused() {
    list::each_heap(|heap| {
        if heap.is_orphan() || late::is_late(heap) || holds_samples(heap.addr()) {
            heap.take_in(true);
        }
    });
}

/// Notes what an orphan has to give. Under its lock.
pub(super) fn offer(core: &Core) {
    for (class, spans) in ClassId::all().zip(&core.spans) {
        let (word, bit) = offer_of(class);
        if spans.has_partly_free() && word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }
}

impl Locked<'_> {
    /// Takes a span of `class` over from an orphan, if one has such and nothing is in the way. Says whether it did.
    #[cold]
    pub(super) fn inherit(&mut self, class: ClassId) -> bool {
        let (owner, core) = (self.heap.addr(), &mut *self.core);
        let (word, bit) = offer_of(class);
        // Nor does the heap of samples: what is not sampled is not to be taken for it.
        if word.load(Ordering::Relaxed) & bit == 0
            || config::get::hardened() == config::hardened::FULL
            || holds_samples(owner)
            || holds_empty(owner)
        {
            return false;
        }
        let (mut found, mut busy) = (false, false);
        let all = registry::try_orphans(|orphan| {
            // Only tried, as is the registry: we hold a heap's lock.
            let Some(mut theirs) = orphan.try_look() else {
                busy = true;
                return false;
            };
            // Before the first of them moves, so that who finds a block astray sees it.
            if !happened() {
                HAPPENED.store(true, Ordering::Relaxed);
            }
            let (Core { spans: from, dirty: from_dirty, .. }, index) = (&mut *theirs.core, class.index());
            if let (Some(from), Some(to)) = (from.get_mut(index), core.spans.get_mut(index)) {
                let before = to.used(class);
                found = span::transfer(class, (from, from_dirty), (to, &mut core.dirty), owner);
                let moved = to.used(class) - before;
                ebb::moved(&mut theirs, core, moved);
            }
            if found {
                theirs.publish();
            }
            found
        });
        if !found && all && !busy {
            word.fetch_and(!bit, Ordering::Relaxed);
        }
        found
    }
}

const _: () = assert!(OFFERS.len() == 2);
