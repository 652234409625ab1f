//! `Allowance`: the bytes that all threads in a shared arena have together.

use loom::sync::Arc;
use loom::thread;

use super::check;
use crate::stats::allowance::Allowance;

fn with(limit: usize, had: usize) -> Arc<Allowance> {
    let allowance = Arc::new(Allowance::new(limit));
    // What is there is there before the threads are (see base/sync.rs).
    assert_eq!(allowance.take(had, 10), had);
    allowance
}

/// Two that ask at once have no more than is allowed, and all of that if they asked for it.
pub fn allowance_two_have_no_more_than_is_allowed() {
    check(2, 0, || {
        let all = with(35, 0);
        let other = all.clone();
        let other = thread::spawn(move || other.take(2, 10));
        let mine = all.take(2, 10);
        let theirs = other.join().unwrap();
        assert!(mine + theirs == 3 && all.used() == 30 && all.take(1, 10) == 0, "{mine} {theirs}");
    });
}

/// What one gives back while another asks, or is counted without being asked for, is counted once.
pub fn allowance_nothing_given_or_forced_is_lost() {
    check(2, 0, || {
        let all = with(30, 2);
        let other = all.clone();
        let other = thread::spawn(move || {
            other.give(10);
            other.force(20);
        });
        let mine = all.take(2, 10);
        other.join().unwrap();
        assert_eq!(all.used(), 20 - 10 + 20 + 10 * mine);
        assert!(mine <= 2);
    });
}

/// Without a limit too.
pub fn allowance_without_a_limit_all_is_counted() {
    check(2, 0, || {
        let all = with(usize::MAX, 1);
        let other = all.clone();
        let other = thread::spawn(move || assert_eq!(other.take(2, 10), 2));
        all.give(10);
        other.join().unwrap();
        assert_eq!(all.used(), 20);
    });
}
