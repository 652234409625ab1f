//! Who writes a report.

use loom::thread;

use super::WRITTEN;
use super::output::at_signal;
use crate::models::check;
use crate::os::{lock, signal};

/// Two threads are asked for a report each, and one for another afterwards: each is written or put off, and none is lost because the
/// last one's names do not look free yet.
pub fn report_is_written_or_put_off() {
    check(3, 0, || {
        lock::look_first();
        // What is there before the threads are (see base/sync.rs).
        at_signal();
        let other = thread::spawn(at_signal);
        at_signal();
        other.join().unwrap();
        let put_off = signal::requests();
        assert!(WRITTEN.get() + put_off == 3, "a report is lost");
        assert!(put_off <= 1, "nobody writes, and all are put off");
        at_signal();
        assert!(signal::requests() == 0 && WRITTEN.get() + put_off == 4, "who has written keeps its turn");
    });
}
