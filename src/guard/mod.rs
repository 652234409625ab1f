//! Box `guard` (L6): with `HAKMEM_GUARD_RATE=N`, of the slow-path allocations of up to 64 KiB one in N has pages of its own
//! between others that nobody may touch, at one end of them or the other. They are closed when it is freed, and used again
//! last of all: a use after free faults, and so does one step past the end the block lies at. SIGSEGV's handler says which.
//! Owns: the region, its slots.   Calls: base, os, config, canary, page_map, trace, profile.   Called by: front, abi.
//! Locks: `GUARD`, a leaf but for the page map's leaf.   Threads: any.   Never: allocates from another box.

mod fault;
mod queue;
mod slots;

use core::sync::atomic::{AtomicI64, Ordering};

use crate::base::addr::{Addr, GRANULE, GRANULE_SHIFT};
use crate::base::aside::Aside;
use crate::base::bits::round_up;
use crate::canary;
use crate::config;
use crate::os::lock::Mutex;
use crate::os::sealed::SEALED;
use crate::os::{self, Defect, die, die_sized};
use crate::page_map::{self, Tag};
use crate::profile;
use crate::trace;
use queue::Queue;
use slots::{Place, Row, Slot, State, place_at, region};

/// The free slots of each row.
static GUARD: Aside<Mutex<[Queue; 2]>> = Aside(Mutex::new([Queue::new(), Queue::new()]));
/// Slow-path allocations until the next guarded one.
static LEFT: AtomicI64 = AtomicI64::new(0);

/// Maps the region and installs the handler, if blocks are to be guarded. Called once, by the library's constructor.
pub(crate) fn start() {
    if !is_on() {
        return;
    }
    let Some(_inside) = os::gate::enter_later() else { return };
    let bytes = slots::region_bytes(os::page_size());
    let Some(region) = os::reserve(Addr::NULL, bytes, GRANULE) else { return };
    if !page_map::enter(region, bytes >> GRANULE_SHIFT, Tag::GUARD, Addr::NULL) {
        os::unreserve(region, bytes);
        return;
    }
    os::fault::watch(fault::look);
    for (queue, row) in GUARD.lock().iter_mut().zip(Row::EACH) {
        (0..row.slots()).for_each(|number| queue.push(number));
    }
    LEFT.store(distance(canary::draw()), Ordering::Relaxed);
    // Release pairs with the Acquire in `slots::region`.
    SEALED.region.store(region.0, Ordering::Release);
}

/// Whether some blocks are guarded.
#[inline]
pub(crate) fn is_on() -> bool {
    config::get::guard_rate() > 0
}

/// Slow-path allocations up to the next guarded one, that one included: each is with the same chance, whatever came before. Nobody who does not
/// know `random` can tell which.
fn distance(random: u64) -> i64 {
    let rate = config::get::guard_rate() as u64;
    if rate <= 1 {
        return 1;
    }
    // Exponential, half a turn shorter than the rate since it is rounded down, and in parts of a turn since small rates are few turns.
    const PARTS: u32 = 16;
    1 + (profile::gap(random, (2 * rate - 1) << (PARTS - 1)) >> PARTS) as i64
}

/// A guarded block, if it is the turn of one and it can be had. Any thread.
#[inline]
pub(crate) fn sample(size: usize, align: usize) -> Option<Addr> {
    if !is_on() || region().is_null() {
        return None;
    }
    // What has no room does not use up the turn.
    let row = Row::of(size, align, os::page_size())?;
    // Relaxed: a count; who takes the last one starts it anew.
    if LEFT.fetch_sub(1, Ordering::Relaxed) > 1 {
        return None;
    }
    make(row, size.max(1), align.max(16))
}

#[cold]
#[inline(never)]
fn make(row: Row, size: usize, align: usize) -> Option<Addr> {
    LEFT.store(distance(canary::draw()), Ordering::Relaxed);
    let page = os::page_size();
    let mut free = GUARD.lock();
    let queue = free.get_mut(row as usize)?;
    let number = queue.first()?;
    let start = row.start_of(region(), number, page);
    let end = start.0 + row.width(page);
    let at = if canary::draw() & 1 == 1 { Addr((end - size) & !(align - 1)) } else { start };
    let from = first_page(at, page);
    let open = round_up(at.0 + size - from.0, page)?;
    if !os::open(from, open) {
        return None;
    }
    queue.drop_first();
    if let Some(slot) = row.slot(number) {
        slot.enter(at, size, open);
    }
    drop(free);
    let before = at.since(from);
    // SAFETY: the pages are ours, and all zero.
    unsafe { canary::set(at.offset(size), open - before - size) };
    if before > 0 {
        let room = before.min(canary::CANARY);
        // SAFETY: as above.
        unsafe { canary::set(Addr(at.0 - room), room) };
    }
    trace::on_alloc(at);
    Some(at)
}

/// The page in which a block at `at` starts: the first that is open in its slot.
fn first_page(at: Addr, page: usize) -> Addr {
    Addr(at.0 & !(page - 1))
}

/// The live slot of the block at `at`, whose granule is tagged GUARD; else what is wrong.
fn live(at: Addr) -> Result<(Row, usize, &'static Slot), Defect> {
    let Place::Slot(row, number, slot) = place_at(region(), at, os::page_size()) else {
        return Err(Defect::FREE_FOREIGN);
    };
    match slot.state() {
        State::Never => Err(Defect::FREE_FOREIGN),
        State::Freed if slot.at() == at => Err(Defect::FREE_TWICE),
        State::Freed => Err(Defect::FREE_FOREIGN),
        State::Live if slot.at() == at => Ok((row, number, slot)),
        State::Live => Err(Defect::FREE_INTERIOR),
    }
}

/// Frees the block at `at`, whose granule is tagged GUARD, or ends the process. `said`: the size that the program gave.
#[cold]
pub(crate) fn free(at: Addr, said: Option<usize>) {
    let (row, number, slot) = live(at).unwrap_or_else(|what| die(what, at));
    let (size, open) = (slot.size(), slot.open());
    // Of two frees at once one leaves.
    if !slot.leave() {
        die(Defect::FREE_TWICE, at);
    }
    if said.is_some_and(|said| said.max(1) != size) {
        die_sized(Defect::FREE_SIZE, size, at);
    }
    let start = first_page(at, os::page_size());
    let before = at.since(start);
    // SAFETY: the slot's open pages, which stay so while it is not back in the queue.
    if !unsafe { canary::holds(at.offset(size), open - before - size) } {
        die_sized(Defect::FREE_OVERFLOW, size, at);
    }
    let room = before.min(canary::CANARY);
    // SAFETY: as above.
    let kept = unsafe { canary::holds(Addr(at.0 - room), room) } && unsafe { canary::is_zero(start, before - room) };
    if !kept {
        die_sized(Defect::FREE_UNDERFLOW, size, at);
    }
    trace::on_free(at);
    // Refused, what was there must be gone all the same.
    if !os::close(start, open) && !os::purge(start, open) {
        // SAFETY: as above.
        unsafe { start.as_ptr::<u8>().write_bytes(0, open) };
    }
    if let Some(queue) = GUARD.lock().get_mut(row as usize) {
        queue.push(number);
    }
}

/// Bytes of the block at `at`, whose granule is tagged GUARD: what was asked for. `None`: no live one starts there.
pub(crate) fn usable(at: Addr) -> Option<usize> {
    live(at).ok().map(|(.., slot)| slot.size())
}

/// Makes the live block at `at` end after `size` bytes, fewer than it has.
pub(crate) fn cut(at: Addr, size: usize) {
    let Ok((.., slot)) = live(at) else { return };
    let behind = slot.open() - at.since(first_page(at, os::page_size()));
    let old = slot.size();
    let room = behind - old;
    // SAFETY: the slot's open pages, which stay so while its block lives.
    if !unsafe { canary::holds(at.offset(old), room) } {
        // For `free` to report.
        return;
    }
    // SAFETY: as above: what the program gives up, and the old canary.
    unsafe { at.offset(size).as_ptr::<u8>().write_bytes(0, old - size + room.min(canary::CANARY)) };
    // SAFETY: as above, and all zero.
    unsafe { canary::set(at.offset(size), behind - size) };
    slot.cut(size);
}
