//! The background thread. Its longest sleep never ends by itself here: loom reports a wake-up that is lost as a deadlock, in which a model
//! ends while the thread still sleeps.

use loom::thread;

use super::IDLE;
use super::background::{allow, dismiss, ensure, is_wanted, nudge, step_aside};
use super::figures::Dirty;
use crate::base::sync::Ordering;
use crate::heap;
use crate::models::check;

/// What is there before the threads are (see base/sync.rs).
fn prepare() {
    allow();
    assert!(is_wanted());
    nudge(Dirty::now());
}

fn start() {
    prepare();
    ensure();
}

/// Memory is freed while the thread falls asleep: it gives it back.
pub fn background_is_woken_by_who_frees() {
    check(3, 0, || {
        start();
        IDLE.store(1, Ordering::Relaxed);
        nudge(Dirty::now());
    });
}

/// A thread will end without a word, and nobody could tell ours to end: it ends by itself, asleep or not.
pub fn background_ends_once_threads_end_unheard() {
    check(3, 0, || {
        start();
        heap::will_be_unheard();
        dismiss();
    });
}

/// Two want one at once: there is one.
pub fn background_is_made_once() {
    check(2, 0, || {
        prepare();
        let other = thread::spawn(ensure);
        ensure();
        other.join().unwrap();
        assert!(step_aside() && !step_aside());
    });
}

/// One ends it and one makes it anew: there is one at most, ended once, and in the end there is none.
pub fn background_is_one_thread() {
    check(2, 0, || {
        start();
        let other = thread::spawn(step_aside);
        ensure();
        let ended = step_aside();
        assert!(other.join().unwrap() || ended);
        step_aside();
    });
}

/// One ends it, and once more what another has made meanwhile: neither end nor beginning is seen by half.
pub fn background_is_handed_over() {
    check(2, 0, || {
        start();
        let other = thread::spawn(ensure);
        assert!(step_aside());
        step_aside();
        other.join().unwrap();
        step_aside();
        assert!(!step_aside());
    });
}

/// One makes it and another ends it: it is there for who ends it, whole, or not yet.
pub fn background_is_ended_by_another() {
    check(2, 0, || {
        prepare();
        let maker = thread::spawn(ensure);
        let ender = thread::spawn(step_aside);
        maker.join().unwrap();
        let ended = ender.join().unwrap();
        assert!(ended != step_aside());
    });
}

/// It was ended and made anew: the new one does what the first did, and does not take the word that ended that for its own.
pub fn background_made_anew_gives_back() {
    check(2, 0, || {
        start();
        assert!(step_aside());
        ensure();
        IDLE.store(1, Ordering::Relaxed);
        nudge(Dirty::now());
        while IDLE.load(Ordering::Relaxed) != 0 {
            thread::yield_now();
        }
    });
}

/// It quits while another thread makes a new one, which then quits as well.
pub fn background_starts_anew_after_it_quit() {
    check(2, 0, || {
        start();
        let other = thread::spawn(|| {
            heap::will_be_unheard();
            dismiss();
        });
        ensure();
        other.join().unwrap();
    });
}
