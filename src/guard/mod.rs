//! Box `guard` (L6): with `HAKMEM_GUARD_RATE=N`, every Nth slow-path allocation of up to a page has a page of its own
//! between two that nobody may touch, at one end of it or the other. Its page is closed when it is freed, and used again
//! last of all: a use after free faults, and so does one step past the end the block lies at. SIGSEGV's handler says which.
//! Owns: the region, its slots.   Calls: base, os, config, canary, page_map, trace.   Called by: front, abi.
//! Locks: `GUARD`, a leaf but for the page map's leaf.   Threads: any.   Never: allocates from another box.

mod fault;
mod slots;

use core::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use crate::base::addr::Addr;
use crate::base::aside::Aside;
use crate::canary;
use crate::config;
use crate::os::lock::Mutex;
use crate::os::{self, die, die_sized};
use crate::page_map::{self, Tag};
use crate::trace;
use slots::{SLOTS, Slot, State, slot_at};

const FREED: &str = "free: block is already free (double free)";
const INTERIOR: &str = "free: pointer into a block, not to its start";
const FOREIGN: &str = "free: not a block of this allocator, or free already";
const OVERFLOW: &str = "free: block was written past its end";
const UNDERFLOW: &str = "free: block was written before its start";
const SIZE: &str = "free_sized: size does not match";

/// Slots that hold no block, longest unused first.
struct Free {
    queue: [u8; SLOTS],
    first: usize,
    len: usize,
    coins: u64,
}

static GUARD: Aside<Mutex<Free>> = Aside(Mutex::new(Free { queue: [0; SLOTS], first: 0, len: 0, coins: 0 }));
/// Where the region starts; 0 until it is mapped.
static REGION: AtomicUsize = AtomicUsize::new(0);
/// Slow-path allocations until the next guarded one.
static LEFT: AtomicI64 = AtomicI64::new(0);

/// Maps the region and installs the handler, if blocks are to be guarded. Called once, by the library's constructor.
pub(crate) fn start() {
    if !is_on() {
        return;
    }
    let page = os::page_size();
    let bytes = slots::region_bytes(page);
    let Some(region) = os::map_aligned(Addr::NULL, bytes, crate::base::addr::GRANULE) else { return };
    if !os::guard(region, bytes)
        || !page_map::enter(region, bytes >> crate::base::addr::GRANULE_SHIFT, Tag::GUARD, Addr::NULL)
    {
        os::unmap(region, bytes);
        return;
    }
    os::fault::watch(fault::look);
    let mut free = GUARD.lock();
    for (number, slot) in free.queue.iter_mut().enumerate() {
        *slot = number as u8;
    }
    free.len = SLOTS;
    let [coins, ..] = os::random();
    free.coins = coins | 1;
    drop(free);
    LEFT.store(config::get::guard_rate(), Ordering::Relaxed);
    // Release pairs with the Acquire in `region`.
    REGION.store(region.0, Ordering::Release);
}

/// Whether some blocks are guarded.
#[inline]
pub(crate) fn is_on() -> bool {
    config::get::guard_rate() > 0
}

fn region() -> Addr {
    Addr(REGION.load(Ordering::Acquire))
}

/// A guarded block, if it is the turn of one and it can be had. Any thread.
#[inline]
pub(crate) fn sample(size: usize, align: usize) -> Option<Addr> {
    if !is_on() || region().is_null() {
        return None;
    }
    // What has no room in a page does not use up the turn.
    let page = os::page_size();
    if size > page || align > page {
        return None;
    }
    // Relaxed: a count; who takes the last one starts it anew.
    if LEFT.fetch_sub(1, Ordering::Relaxed) > 1 {
        return None;
    }
    LEFT.store(config::get::guard_rate(), Ordering::Relaxed);
    make(size.max(1), align.max(16), page)
}

#[cold]
#[inline(never)]
fn make(size: usize, align: usize, page: usize) -> Option<Addr> {
    let mut free = GUARD.lock();
    if free.len == 0 {
        return None;
    }
    let number = free.queue.get(free.first % SLOTS).copied()? as usize;
    let start = slots::page_of(region(), number, page);
    if !os::unguard(start, page) {
        return None;
    }
    free.first = (free.first + 1) % SLOTS;
    free.len -= 1;
    let right = free.coin();
    let at = if right { Addr((start.0 + page - size) & !(align - 1)) } else { start };
    if let Some(slot) = slots::slot(number) {
        slot.enter(at, size);
    }
    drop(free);
    let (end, before) = (at.offset(size), at.since(start));
    // SAFETY: the page is ours, and all zero.
    unsafe { canary::set(end, page - before - size) };
    if before > 0 {
        let room = before.min(canary::CANARY);
        // SAFETY: as above.
        unsafe { canary::set(Addr(at.0 - room), room) };
    }
    trace::on_alloc(at);
    Some(at)
}

impl Free {
    /// One random bit: xorshift. It hides nothing: it only has both ends of pages tried.
    fn coin(&mut self) -> bool {
        self.coins ^= self.coins << 13;
        self.coins ^= self.coins >> 7;
        self.coins ^= self.coins << 17;
        self.coins >> 63 == 1
    }
}

/// The live slot of the block at `at`, whose granule is tagged GUARD; else what is wrong.
fn live(at: Addr) -> Result<(usize, &'static Slot), &'static str> {
    let page = os::page_size();
    let Some((number, slot)) = slot_at(region(), at, page) else { return Err(FOREIGN) };
    match slot.state() {
        State::Never => Err(FOREIGN),
        State::Freed if slot.at() == at => Err(FREED),
        State::Freed => Err(FOREIGN),
        State::Live if slot.at() == at => Ok((number, slot)),
        State::Live => Err(INTERIOR),
    }
}

/// Frees the block at `at`, whose granule is tagged GUARD, or ends the process. `said`: the size that the program gave.
#[cold]
pub(crate) fn free(at: Addr, said: Option<usize>) {
    let page = os::page_size();
    let (number, slot) = live(at).unwrap_or_else(|what| die(what, at));
    let size = slot.size();
    // Of two frees at once one leaves.
    if !slot.leave() {
        die(FREED, at);
    }
    if said.is_some_and(|said| said.max(1) != size) {
        die_sized(SIZE, size, at);
    }
    let start = slots::page_of(region(), number, page);
    let before = at.since(start);
    // SAFETY: the slot's page, open while its block is not back in the queue.
    if !unsafe { canary::holds(at.offset(size), page - before - size) } {
        die_sized(OVERFLOW, size, at);
    }
    let room = before.min(canary::CANARY);
    // SAFETY: as above.
    let kept = unsafe { canary::holds(Addr(at.0 - room), room) } && unsafe { canary::is_zero(start, before - room) };
    if !kept {
        die_sized(UNDERFLOW, size, at);
    }
    trace::on_free(at);
    if !os::purge(start, page) {
        // SAFETY: as above.
        unsafe { start.as_ptr::<u8>().write_bytes(0, page) };
    }
    os::guard(start, page);
    let mut free = GUARD.lock();
    let last = (free.first + free.len) % SLOTS;
    if let Some(slot) = free.queue.get_mut(last) {
        *slot = number as u8;
        free.len += 1;
    }
}

/// Bytes of the block at `at`, whose granule is tagged GUARD: what was asked for. `None`: no live one starts there.
pub(crate) fn usable(at: Addr) -> Option<usize> {
    live(at).ok().map(|(_, slot)| slot.size())
}

/// Makes the live block at `at` end after `size` bytes, fewer than it has.
pub(crate) fn cut(at: Addr, size: usize) {
    let page = os::page_size();
    let Ok((number, slot)) = live(at) else { return };
    let before = at.since(slots::page_of(region(), number, page));
    let (old, room) = (slot.size(), page - before - slot.size());
    // SAFETY: the slot's page, open while its block lives.
    if !unsafe { canary::holds(at.offset(old), room) } {
        // For `free` to report.
        return;
    }
    // SAFETY: as above: what the program gives up, and the old canary.
    unsafe { at.offset(size).as_ptr::<u8>().write_bytes(0, old - size + room.min(canary::CANARY)) };
    // SAFETY: as above, and all zero.
    unsafe { canary::set(at.offset(size), page - before - size) };
    slot.cut(size);
}
