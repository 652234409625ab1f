//! What a trace is made of: calls of a program's threads, in one order, their blocks as numbers.

use serde::{Deserialize, Serialize};

use crate::units;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Event {
    /// Nanoseconds since the start; never less than that of the event before.
    pub(crate) at: u64,
    /// From 0, in the order of the threads' first events.
    pub(crate) thread: u32,
    pub(crate) op: Op,
}

/// Objects are numbered from 0 in the order of their births; each ends at most once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Op {
    /// `align` is the power of two that was asked for, 0 where none was.
    Allocate {
        object: u64,
        size: u64,
        align: u8,
        zeroed: bool,
    },
    Free {
        object: u64,
    },
    /// `object` ends and `new` begins, be it where it was or elsewhere.
    Reallocate {
        object: u64,
        new: u64,
        size: u64,
    },
    ThreadEnd,
    Fork,
    /// A request that the allocator refused.
    Failed {
        size: u64,
    },
}

/// What is known of a trace before its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct About {
    pub(crate) command: Vec<String>,
    pub(crate) pid: u64,
    /// Nanoseconds since 1970.
    pub(crate) start_ns: u64,
    /// Who wrote it down: `hakmem`, `android`, `glibc`.
    pub(crate) source: String,
    /// A child that was forked, with the blocks of its parent.
    pub(crate) forked: bool,
    /// The program ran already when the recording began.
    pub(crate) attached: bool,
    /// The times are the program's, not just an order.
    pub(crate) timed: bool,
}

/// What is known of a trace after its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Totals {
    pub(crate) events: u64,
    pub(crate) objects: u64,
    pub(crate) threads: u32,
    pub(crate) duration_ns: u64,
    /// Events that the recorder had no room for.
    pub(crate) dropped: u64,
    /// Frees of blocks whose birth is not in the trace: they are left out.
    pub(crate) unknown_frees: u64,
    /// Blocks whose end is not in the trace, while another is born at their address: a free was put in.
    pub(crate) lost_frees: u64,
    /// What is damaged or missing.
    pub(crate) notes: Vec<String>,
}

impl Totals {
    /// `1,234 events of 2 threads`.
    pub(crate) fn text(&self) -> String {
        let threads = units::number(u64::from(self.threads), "thread");
        format!("{} of {threads}", units::number(self.events, "event"))
    }

    /// What is not as it should be.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut all = self.notes.clone();
        for (count, what) in [
            (self.dropped, "that the recorder had no room for"),
            (self.unknown_frees, "on blocks whose birth is not in the trace: left out"),
            (self.lost_frees, "put in, of blocks whose end is not in the trace"),
        ] {
            if count > 0 {
                all.push(format!("{} {what}", units::number(count, "event")));
            }
        }
        all
    }

    /// Counts an event that goes by.
    pub(crate) fn count(&mut self, event: &Event) {
        self.events += 1;
        self.threads = self.threads.max(event.thread.saturating_add(1));
        self.duration_ns = self.duration_ns.max(event.at);
        if let Op::Allocate { object, .. } | Op::Reallocate { new: object, .. } = event.op {
            self.objects = self.objects.max(object.saturating_add(1));
        }
    }
}

/// Notes are for people: of a file that is damaged everywhere the first few say enough.
pub(crate) fn note(notes: &mut Vec<String>, text: impl FnOnce() -> String) {
    const MOST: usize = 8;
    if notes.len() < MOST {
        notes.push(text());
    } else if notes.len() == MOST {
        notes.push("and more of the kind".to_owned());
    }
}
