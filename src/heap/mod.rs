//! Box `heap` (L5): one thread's state. Magazines and outbox in front, the spans behind a lock of the heap's own.
//! Owns: `Heap`s (records of meta, never freed, reused), the registry, the batch nodes.
//! Calls: base, os, class, stats, config, learn, page_map, meta, profile, record, region, superslab, span.
//! Called by: tiny_heap, baseline, pool_tls, hardened, reclaim, front, arena, report, abi.
//! Locks: `SEATS` → `REGISTRY` → one heap's → (pool → meta), or the node pool's → meta. Who holds one heap's lock only ever tries the registry's and another's.
//! Threads: what is the user's alone is reached by an `OwnHeap` (`state.rs`); the rest is entered by any thread through the lock or the inbox. An
//! orphan has no user, and its owner half belongs to the registry lock's holder.

// What a heap consists of. A file names none of a later paragraph.
mod bin;
mod inbox;
mod last_pages;
mod node;
mod outbox;
mod state;
mod tide;

// Which heaps there are.
mod empty;
mod late;
mod list;
mod registry;
mod samples;
mod spare;
mod warm;

// Behind a heap's lock.
mod behind;
mod ebb;
mod flush;
mod inherit;
mod purge;
mod refill;

// In front of it: its thread's.
mod beat;
mod capacity;
mod current;
mod fork;
mod lent;
mod lifecycle;
mod light;
mod magazine;
mod metered;

// From heap to heap.
mod node_pool;
mod recall;
mod remote;
mod strays;

// Arenas' heaps.
mod apart;
mod apart_look;
mod seats;

// Looks from outside.
#[cfg(feature = "paranoid")]
mod check;
#[cfg(feature = "paranoid")]
mod check_registry;
mod layout;

pub(crate) use apart::make_apart;
pub(crate) use behind::{dirty_bytes, free_bytes, purged_bytes};
pub(crate) use bin::{Bin, Popped, Pushed};
#[cfg(feature = "paranoid")]
pub(crate) use check_registry::check_registry;
pub(crate) use current::{Current, current};
pub(crate) use empty::{alloc_empty, holds_empty};
pub(crate) use fork::orphan_the_lost;
pub(crate) use inherit::{take_in_all, take_in_unused};
pub(crate) use late::late_heap;
pub(crate) use layout::LAYOUT;
pub(crate) use lent::Lend;
pub(crate) use lifecycle::{Left, adopt_or_make, cool_all, cool_if_due, is_any_unheard, leave, orphan, take_lost};
pub(crate) use light::does_without;
pub(crate) use list::{each_heap, newest};
pub(crate) use metered::{
    TO_BINS as SECOND_BINS, closed, follow, is_checked, is_full, is_hardened, is_marked, is_plain, meter_all, metered,
    of_checked, of_full, of_marked, plain,
};
pub(crate) use node::NODE_LAYOUT;
pub(crate) use recall::next_turn;
pub(crate) use registry::is_any_in_use;
pub(crate) use remote::{add_remote, add_remote_slow, forget_sent, ran_dry, room_remote, was_sent};
pub(crate) use samples::{holds_samples, sample_heap};
pub(crate) use seats::{
    SPECIAL, each_seat, end_seat, has_seats, next_seat, own_seat, push_at_seat, seat_at_hand, seat_of, take_seat,
};
pub(crate) use state::{Heap, OwnHeap, at, bin_at};
pub(crate) use warm::{note_old, waiting};
