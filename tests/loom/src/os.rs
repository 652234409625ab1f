//! The kernel, as far as the models need one: slots are addresses without memory, each with a loom cell for its contents,
//! so that loom sees when two use a slot without an order between them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use loom::cell::UnsafeCell;

use crate::base;
use crate::base::addr::{Addr, GRANULE};
use crate::meta;

/// One mapped granule: the cell holds who wrote it last.
type Granules = BTreeMap<usize, Rc<UnsafeCell<u32>>>;

thread_local! {
    static MAPPED: RefCell<Granules> = const { RefCell::new(BTreeMap::new()) };
    static LEFT: Cell<usize> = const { Cell::new(0) };
    static NEXT: Cell<usize> = const { Cell::new(0) };
}

/// All of them are one process.
pub(crate) fn process_id() -> u64 {
    1
}

/// Threads that end say so.
pub(crate) mod lost {
    #[derive(Clone, Copy)]
    pub(crate) struct Thread;

    impl Thread {
        pub(crate) fn current() -> Thread {
            Thread
        }
    }
}

pub(crate) fn require(holds: bool, what: &str, at: Addr) {
    assert!(holds, "{what} {:#x}", at.0);
}

pub(crate) mod gate {
    /// Nothing forks here.
    pub(crate) fn enter() -> Option<()> {
        Some(())
    }
}

pub(crate) mod signal {
    use std::cell::Cell;

    thread_local! {
        static REQUESTS: Cell<u32> = const { Cell::new(0) };
    }

    pub(crate) enum Request {
        Report,
    }

    /// A report is to be written later.
    pub(crate) fn request(_: Request) {
        REQUESTS.set(REQUESTS.get() + 1);
    }

    pub(crate) fn forget() {
        REQUESTS.set(0);
    }

    /// How many reports were put off since the last time.
    pub(crate) fn requests() -> u32 {
        REQUESTS.take()
    }
}

pub(crate) mod tls {
    use std::cell::Cell;

    pub(crate) struct Zeroes(pub(crate) [u64; 512]);

    thread_local! {
        static LAST: Cell<usize> = const { Cell::new(0) };
    }

    loom::thread_local! {
        static ID: usize = {
            LAST.set(LAST.get() + 1);
            LAST.get()
        };
    }

    /// A number of the calling thread's own, not 0.
    pub(crate) fn thread() -> usize {
        ID.with(|id| *id)
    }
}

/// Starts a new execution. Of all requests for slots only those for `granules` at most, in sum, will be served.
pub(crate) fn reset(granules: usize) {
    MAPPED.take();
    LEFT.set(granules);
    NEXT.set(1 << 21);
}

/// Uses `granules` granules from `at` on, as their holder: they must be mapped, and nobody else's.
pub(crate) fn use_slots(at: Addr, granules: usize, who: u32) {
    for granule in 0..granules {
        let cell = MAPPED.with_borrow(|mapped| mapped.get(&at.offset(granule * GRANULE).0).cloned());
        let cell = cell.expect("the holder of a slot finds it mapped");
        // SAFETY: loom checks that nobody else is in the cell.
        cell.with_mut(|last| unsafe { *last = who });
    }
}

/// Whether the granule of `at` is mapped.
pub(crate) fn is_mapped(at: Addr) -> bool {
    MAPPED.with_borrow(|mapped| mapped.contains_key(&(at.0 & !(GRANULE - 1))))
}

/// Granules mapped now.
pub(crate) fn mapped() -> usize {
    MAPPED.with_borrow(BTreeMap::len)
}

/// Names of mappings: there are none.
pub(crate) mod names {
    use crate::base::addr::Addr;

    pub(crate) enum Name {
        Blocks,
        Records,
        Profile,
    }

    pub(crate) fn give(_: Addr, _: usize, _: Name) {}
}

pub(crate) fn map_aligned(_: Addr, len: usize, align: usize) -> Option<Addr> {
    let granules = len / GRANULE;
    LEFT.set(LEFT.get().checked_sub(granules)?);
    let at = Addr(NEXT.get().next_multiple_of(align));
    NEXT.set(at.0 + len);
    for granule in 0..granules {
        let cell = Rc::new(UnsafeCell::new(0));
        MAPPED.with_borrow_mut(|mapped| mapped.insert(at.offset(granule * GRANULE).0, cell));
    }
    Some(at)
}

/// Memory that is really there, zeroed: leaves of the page map.
pub(crate) fn map(len: usize) -> Option<Addr> {
    meta::alloc(len)
}

pub(crate) mod room {
    use crate::base::addr::Addr;

    /// None that would outlast an execution.
    pub(crate) fn take(_: usize) -> Option<Addr> {
        None
    }

    pub(crate) fn give_back() {}
}

pub(crate) fn unmap(at: Addr, len: usize) -> bool {
    if MAPPED.with_borrow(|mapped| mapped.contains_key(&at.0)) {
        use_slots(at, len / GRANULE, 0);
        for granule in 0..len / GRANULE {
            MAPPED.with_borrow_mut(|mapped| mapped.remove(&at.offset(granule * GRANULE).0));
        }
        LEFT.set(LEFT.get() + len / GRANULE);
    }
    true
}

pub(crate) fn purge(at: Addr, len: usize) -> bool {
    // What is less than a slot is memory that is really there: pages of the page map.
    if len < GRANULE {
        base::sync::zero(at.0, len);
    } else {
        use_slots(at, len / GRANULE, 0);
    }
    true
}

pub(crate) fn page_size() -> usize {
    4096
}

/// Nothing in here reaches beyond what it asked for.
pub(crate) fn guard(_: Addr, _: usize) {}

/// Nothing here is hardened.
pub(crate) mod closed {
    pub(crate) fn has_room(_: usize) -> bool {
        false
    }

    pub(crate) fn has_addresses() -> bool {
        false
    }

    pub(crate) fn settle(_: usize, _: usize) {}

    pub(crate) fn miss() {}
}

pub(crate) fn random() -> [u64; 4] {
    [0; 4]
}

pub(crate) fn reserve(_: Addr, _: usize, _: usize) -> Option<Addr> {
    None
}

pub(crate) fn open(_: Addr, _: usize) -> bool {
    false
}

pub(crate) fn close(_: Addr, _: usize) -> bool {
    false
}

pub(crate) fn advise_huge(_: Addr, _: usize, _: bool) {}

pub(crate) mod file;
pub(crate) mod lock;
pub(crate) mod thread;

pub(crate) fn write_stderr(_: &[u8]) {}

pub(crate) struct Misuse {
    pub(crate) what: &'static str,
    pub(crate) at: Addr,
}

impl Misuse {
    pub(crate) fn die(self) -> ! {
        panic!("{} {:#x}", self.what, self.at.0)
    }
}

pub(crate) struct Defect;

impl Defect {
    pub(crate) const PURGE_STALE: &'static str = "free memory was written to";
}

#[derive(Clone, Copy)]
pub(crate) struct Range {
    pub(crate) at: Addr,
    pub(crate) len: usize,
}

pub(crate) const RANGES: usize = 4;

pub(crate) fn purge_all(ranges: &[Range], _: bool) -> u64 {
    ranges.iter().enumerate().map(|(index, range)| (purge(range.at, range.len) as u64) << index).sum()
}
