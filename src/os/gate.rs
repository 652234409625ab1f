//! The gate that `fork` closes: every path that takes a lock of ours, or changes what one guards, lies behind it.
//!
//! fork takes locks of libc's after the prepare handlers, and those of other libraries run before ours or after. So nobody
//! may wait for a fork, and a fork holds no lock: once it has closed the gate, all locks are free and all records whole, and
//! so the child finds them. Who comes meanwhile is served without (front/reserve.rs). The thread that forks may enter.

use super::{futex, sys, tls};
use crate::base::gate::Gate;
use core::sync::atomic::{AtomicU32, Ordering};

#[unsafe(link_section = ".bss.tables")] // touched here and there: see docs/ARCHITECTURE.md, section 5
static GATE: Gate<PLACES> = Gate::new();
const PLACES: usize = 256;

/// Being inside.
#[must_use]
pub(crate) struct Inside(usize);

impl Inside {
    /// The number of the place: the same for a thread whenever it entered at once, and of few others.
    pub(crate) fn place(&self) -> usize {
        self.0
    }
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        GATE.leave(self.0);
    }
}

/// Counts the forks that are over.
static FORKS: AtomicU32 = AtomicU32::new(0);
/// How often more somebody may wait for the fork that is on its way.
static PATIENCE: AtomicU32 = AtomicU32::new(0);
/// Sixteen milliseconds a fork, of all threads together: few forks take longer, and none depends on it.
const PATIENT: u32 = 16;

/// Enters; `None`: a fork is on its way, and the caller must neither take a lock nor wait. Any thread, inside already or not.
#[inline]
pub(crate) fn enter() -> Option<Inside> {
    try_enter().or_else(enter_patiently)
}

/// Enters for a call of the program's; `None` also where that interrupted one that is inside: what it needs may be half done, or locked by this very thread,
/// which would wait for itself.
#[inline]
pub(crate) fn enter_anew() -> Option<Inside> {
    // Where the thread is inside already, that is mostly at home: then it is not free.
    enter_at_once().or_else(enter_elsewhere)
}

#[cold]
#[inline(never)]
fn enter_elsewhere() -> Option<Inside> {
    if is_inside() { None } else { enter() }
}

/// Whether the calling thread is inside: it interrupted itself there, for a call of the program's that is not yet.
#[cold]
pub(crate) fn is_inside() -> bool {
    GATE.is_inside(tls::thread())
}

/// What the calling thread was at inside ends here: a report, whose handler may go on with the program.
pub(super) fn abandon() {
    GATE.leave_all(tls::thread());
}

/// Enters, unless that takes more than a look. For who can go another way, and ask again there.
#[inline(always)]
pub(crate) fn enter_at_once() -> Option<Inside> {
    GATE.enter_at_once(tls::thread()).map(Inside)
}

/// The number of the place that `enter_at_once` would give.
#[inline(always)]
pub(crate) fn home() -> usize {
    Gate::<PLACES>::start(tls::thread())
}

#[inline]
fn try_enter() -> Option<Inside> {
    GATE.enter(tls::thread(), rest()).map(Inside)
}

/// Most forks are over in a moment, and threads that went on meanwhile would only take the processors from it.
#[cold]
fn enter_patiently() -> Option<Inside> {
    // Relaxed, all: the gate decides.
    let forks = FORKS.load(Ordering::Relaxed);
    if GATE.is_barred(tls::thread()) {
        return None;
    }
    let less = |left: u32| left.checked_sub(1);
    if PATIENCE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
        // Looked at once more: opened since, nobody would wake us.
        let inside = try_enter();
        if inside.is_some() {
            return inside;
        }
        futex::wait(&FORKS, forks, Some(1));
    }
    try_enter()
}

/// A fifth of a second, in milliseconds: nothing that is done inside takes as long.
const MOMENT: u32 = 200;

/// Enters after a fork that is on its way, if that is over within a moment. For what is no use without.
pub(crate) fn enter_later() -> Option<Inside> {
    for _ in 0..MOMENT {
        let inside = try_enter();
        if inside.is_some() || GATE.is_barred(tls::thread()) {
            return inside;
        }
        sleep();
    }
    None
}

/// Before a fork: waits until nobody else is inside, and keeps all others out.
///
/// In a signal handler that interrupted this thread inside, others may wait for what it holds, and would for ever: after a moment it forks all the
/// same. In that child, what such a thread held itself stays locked.
pub(crate) fn close() {
    let mut rests = 0;
    let is_enough = || {
        rests += 1;
        rests > SHORT_RESTS + MOMENT
    };
    GATE.close(tls::thread(), rest(), is_enough);
    PATIENCE.store(PATIENT, Ordering::Relaxed);
}

/// After a fork, in the parent, or in the `child`.
pub(crate) fn open(child: bool) {
    let me = tls::thread();
    if child {
        GATE.forget_others(me);
    }
    GATE.open(me);
    FORKS.fetch_add(1, Ordering::Relaxed);
    futex::wake(&FORKS, i32::MAX as u32);
}

/// For who waits for another thread that holds nothing and waits for nothing.
pub(crate) fn moment() -> impl FnMut() {
    rest()
}

/// Rests that take no time to speak of; each further one is a millisecond.
const SHORT_RESTS: u32 = 1000;

/// Waits a little, longer each time: what it waits for is short, but its thread may have no processor.
fn rest() -> impl FnMut() {
    let mut rounds = 0;
    move || {
        rounds += 1;
        match rounds {
            0..100 => core::hint::spin_loop(),
            100..SHORT_RESTS => {
                // SAFETY: takes nothing.
                let _ = unsafe { sys::call(libc::SYS_sched_yield, []) };
            }
            _ => {
                rounds = SHORT_RESTS;
                sleep();
            }
        }
    }
}

/// A millisecond.
fn sleep() {
    static NEVER: AtomicU32 = AtomicU32::new(0);
    futex::wait(&NEVER, 0, Some(1));
}
