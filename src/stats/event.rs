//! T-EVENT: what happens on slow paths, one counter for each kind and class, in each heap.
#![forbid(unsafe_code)]

use super::counter::Counter;
use crate::class::CLASSES;

/// A kind of slow-path event. "Owner" events are counted by the heap's thread, "lock" events under the heap's lock.
#[derive(Clone, Copy)]
#[repr(usize)]
pub(crate) enum Event {
    /// A magazine or FastCache was filled from spans (lock).
    Refill,
    /// Blocks that refills brought (lock).
    Refilled,
    /// Blocks went back into spans (lock).
    Flush,
    /// Blocks that flushes gave back, remote ones included (lock).
    Flushed,
    /// A batch was sent to another heap (owner).
    RemoteSend,
    /// Blocks in those batches (owner).
    RemoteSent,
    /// A magazine's capacity was doubled (owner).
    Grow,
    /// A span was acquired (lock).
    SpanAcquire,
    /// A span was released (lock).
    SpanRelease,
}

pub(crate) const EVENTS: usize = Event::SpanRelease as usize + 1;

/// Counters of one heap; zeroes are a valid value.
pub(crate) struct Events([[Counter; EVENTS]; CLASSES]);

impl Events {
    pub(crate) fn count(&self, class: usize, event: Event, n: u64) {
        if let Some(counter) = self.0.get(class).and_then(|class| class.get(event as usize)) {
            counter.add_owned(n);
        }
    }

    pub(crate) fn get(&self, class: usize, event: usize) -> u64 {
        self.0.get(class).and_then(|class| class.get(event)).map_or(0, Counter::get)
    }
}
