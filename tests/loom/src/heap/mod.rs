//! Of box `heap` what goes between heaps, T-REMOTE, the spans that change hands and the registry, with the node pool; and their models: their door is as
//! private as in the crate. A heap here has no magazines, and a span of its one class at most. And what the background thread asks of it.

#[path = "../../../../src/heap/check_registry.rs"]
mod check_registry;
#[path = "../../../../src/heap/inbox.rs"]
mod inbox;
#[path = "../../../../src/heap/inherit.rs"]
mod inherit;
#[path = "../../../../src/heap/node.rs"]
mod node;
#[path = "../../../../src/heap/node_pool.rs"]
mod node_pool;
#[path = "../../../../src/heap/outbox.rs"]
mod outbox;
#[path = "../../../../src/heap/recall.rs"]
mod recall;
#[path = "../../../../src/heap/registry.rs"]
mod registry;
#[path = "../../../../src/heap/remote.rs"]
mod remote;
#[path = "../../../../src/heap/strays.rs"]
mod strays;
#[path = "../../../../src/heap/warm.rs"]
mod warm;

mod behind;
mod state;

pub mod model;
pub mod registry_model;
pub mod remote_model;

use crate::base::sync::{AtomicU32, Ordering};

pub(crate) use state::reset;

static UNHEARD: AtomicU32 = AtomicU32::new(0);

/// As in the crate, SeqCst, which to loom is less: the fences must do.
pub(crate) fn is_any_unheard() -> bool {
    UNHEARD.load(Ordering::SeqCst) == 1
}

/// From now on a thread may end without a word.
pub(crate) fn will_be_unheard() {
    UNHEARD.store(1, Ordering::SeqCst);
}

pub(crate) fn is_any_in_use() -> bool {
    true
}

/// None waits with its magazines.
pub(crate) fn cool_if_due() {}

/// Nobody is counted or checked.
mod metered {
    pub(super) fn is_plain(_: *mut u8) -> bool {
        true
    }
}

mod light {
    pub(super) const REACH: usize = 0;
}

mod list {
    use super::state::{self, HEAPS, Heap};

    /// What is in a heap from its start is there before anybody finds it.
    pub(super) fn put(heap: &'static Heap) {
        heap.inbox.batches.is_empty();
        heap.inbox_bytes();
        state::make_half(heap);
        HEAPS.with_borrow_mut(|heaps| heaps.push(heap));
    }

    pub(super) fn newest() -> Option<&'static Heap> {
        HEAPS.with_borrow(|heaps| heaps.last().copied())
    }

    pub(super) fn each_heap(mut look: impl FnMut(&'static Heap)) {
        let mut at = newest();
        while let Some(heap) = at {
            look(heap);
            at = heap.next();
        }
    }

    impl Heap {
        pub(super) fn next(&self) -> Option<&'static Heap> {
            self.links.next.get()
        }
    }
}

mod late {
    use super::state::Heap;

    pub(super) fn is_late(_: &Heap) -> bool {
        false
    }
}

mod ebb {
    use super::state::Core;

    pub(super) fn moved(_: &mut Core, _: &mut Core, _: usize) {}
}

mod flush {
    use crate::base::addr::Addr;
    use crate::os::Misuse;
    use crate::span::Stop;

    pub(super) fn misuse(stop: Stop, blocks: &[Addr]) -> Misuse {
        match stop {
            Stop::Misuse(misuse) => misuse,
            Stop::Astray { done, .. } => Misuse { what: "not this heap's", at: blocks[done] },
        }
    }
}

mod samples {
    use crate::base::addr::Addr;

    pub(super) fn holds_samples(_: Addr) -> bool {
        false
    }
}

mod empty {
    use crate::base::addr::Addr;

    pub(super) fn holds_empty(_: Addr) -> bool {
        false
    }
}
