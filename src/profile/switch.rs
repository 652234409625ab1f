//! Whether the profiler is on, and for whose sake.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicBool, Ordering};

use super::{tables, usdt};
use crate::base::layout::At;

/// Whether it is on for an agent's sake only.
static FOR_AGENT: AtomicBool = AtomicBool::new(false);
/// What `usdt::is_attached` said when it was last acted upon.
static AGENT_SEEN: AtomicBool = AtomicBool::new(false);
static ON: AtomicBool = AtomicBool::new(false);
/// Where a reader outside of the process finds that.
pub(crate) const ON_AT: At = At((&raw const ON).cast());
/// Whether it ever was on.
static BEGUN: AtomicBool = AtomicBool::new(false);
/// Whether allocations are to be counted.
#[inline(always)]
pub(crate) fn is_on() -> bool {
    // Relaxed: who goes on to the tables acquires them.
    ON.load(Ordering::Relaxed)
}

/// Whether it ever was.
pub(super) fn has_begun() -> bool {
    // Relaxed: says only whether there is anything to write.
    BEGUN.load(Ordering::Relaxed)
}

/// Whether it is on for an agent's sake only, who asks for no files.
pub(super) fn is_for_agent() -> bool {
    // Relaxed: publishes nothing.
    FOR_AGENT.load(Ordering::Relaxed)
}

/// Says whether allocations are counted from now on.
pub(crate) fn set_on(on: bool) {
    let on = on && tables::get().is_some();
    // Relaxed, both: they publish nothing.
    BEGUN.fetch_or(on, Ordering::Relaxed);
    ON.store(on, Ordering::Relaxed);
}

/// Whether an agent has come or gone since the profiler was last switched for one.
#[inline]
pub(crate) fn is_agent_news() -> bool {
    // Relaxed, both: of two threads that see it the swap elects one.
    usdt::is_attached() != AGENT_SEEN.load(Ordering::Relaxed)
}

/// What is to be done about that: whether to switch on, or off.
pub(crate) fn take_agent_news() -> Option<bool> {
    let attached = usdt::is_attached();
    if AGENT_SEEN.swap(attached, Ordering::Relaxed) == attached {
        return None;
    }
    if attached {
        let starts = !is_on();
        FOR_AGENT.fetch_or(starts, Ordering::Relaxed);
        return starts.then_some(true);
    }
    FOR_AGENT.swap(false, Ordering::Relaxed).then_some(false)
}

/// From now on it is on for the program's own sake too.
pub(crate) fn keep_on() {
    FOR_AGENT.store(false, Ordering::Relaxed);
}
