//! The optional thread (`HAKMEM_BACKGROUND=1`): ticks where no slow path does, in an idle process. Nothing counts on it.
//!
//! It has no heap, and allocates nothing. It sleeps without waking while there is nothing to give back. It ends when no
//! thread with a heap is left: glibc ends a process whose main thread called `pthread_exit` with its last thread, and that
//! must not be this one. Where threads end without a word (`os::lost`) nobody knows which is the last: there is none there.
//!
//! | state    | means                         | leaves by                                                      |
//! |----------|-------------------------------|----------------------------------------------------------------|
//! | Off      | there is none                 | a slow path → Starting                                         |
//! | Starting | a thread makes it             | that thread → Running, or, refused, → Refused                  |
//! | Refused  | there could be none           | a whole decay time later → Off                                 |
//! | Running  | it is there                   | the last thread with a heap, `step_aside`, or `quit` → Stopping |
//! | Stopping | it ends                       | who waits for that, or itself → Off                            |
//! | any      |                               | a child of fork, where there is none → Off                     |
#![forbid(unsafe_code)]

use core::ffi::c_void;

use errno::{errno, set_errno};

use super::figures::{Dirty, PRESSURE_NEVER, period};
use super::{debt, decay};
use crate::base::sync::{AtomicU32, AtomicU64, Ordering, fence};
use crate::config::get;
use crate::heap;
use crate::os;
use crate::os::thread::Thread;
use crate::pressure;

const OFF: u32 = 0;
const STARTING: u32 = 1;
const REFUSED: u32 = 2;
const RUNNING: u32 = 3;
const STOPPING: u32 = 4;

static STATE: AtomicU32 = AtomicU32::new(OFF);
/// The process that may have one; 0 before the library's constructor has run.
static PROCESS: AtomicU64 = AtomicU64::new(0);
static THREAD: Thread = Thread::none();

/// What the thread is told, and sleeps on.
static WORD: AtomicU32 = AtomicU32::new(TICKS);
/// It looks round each quarter.
const TICKS: u32 = 0;
/// Nothing is idle: it sleeps until woken.
const SLEEPS: u32 = 1;
/// It is to end.
const END: u32 = 2;

/// The longest sleep, in milliseconds: a wake-up that got lost costs no more than this.
const LONGEST: u64 = 60_000;

/// From now on a slow path may start the thread. Called at the end of the library's constructor.
pub(crate) fn allow() {
    PROCESS.store(os::process_id(), Ordering::Relaxed);
}

/// Whether the thread is wanted and not there.
#[inline]
pub(crate) fn is_wanted() -> bool {
    // Relaxed: `start` decides, and the thread itself looks once more whether anybody is unheard.
    get::background() == 1 && STATE.load(Ordering::Relaxed) == OFF && !heap::is_any_unheard()
}

/// Makes the thread if it is wanted and not there. The caller holds no lock: the system's libraries allocate for it.
///
/// Only where memory is asked for: libc frees under locks of its own, which making a thread would take again. Not behind the
/// gate of `fork`: it would wait for what libc waits for here.
pub(crate) fn ensure() {
    if is_wanted() {
        let saved = errno();
        start();
        set_errno(saved);
    }
}

#[cold]
fn start() {
    // A child of vfork shares this memory, but is another process: a thread of it would be lost with it.
    if PROCESS.load(Ordering::Relaxed) != os::process_id() {
        return;
    }
    // Acquire pairs with the Release in `end`: the thread before this one has ended, and its word is ours to reset.
    if STATE.compare_exchange(OFF, STARTING, Ordering::Acquire, Ordering::Relaxed).is_err() {
        return;
    }
    WORD.store(TICKS, Ordering::Relaxed);
    // Release pairs with the Acquire in `end`: who ends it sees THREAD.
    STATE.store(if THREAD.start(run) { RUNNING } else { REFUSED }, Ordering::Release);
}

/// Lets a refused start be tried again.
pub(super) fn retry() {
    // Relaxed: there is nothing to publish.
    let _ = STATE.compare_exchange(REFUSED, OFF, Ordering::Relaxed, Ordering::Relaxed);
}

/// Wakes the thread when it sleeps and there is something to give back.
pub(super) fn nudge(dirty: Dirty) {
    if get::background() != 1 {
        return;
    }
    // SeqCst pairs with the one in `sleep`: the counts of what was freed come before this look at the word.
    fence(Ordering::SeqCst);
    // Relaxed: the fence orders it.
    if WORD.load(Ordering::Relaxed) == SLEEPS && !is_idle(dirty) && tell(SLEEPS, TICKS) {
        os::thread::wake(&WORD);
    }
}

fn tell(from: u32, to: u32) -> bool {
    // Relaxed: the word says all there is to say.
    WORD.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

/// Called by a thread that has given up its heap, and is about to end: if it was the last one, so does ours.
pub(crate) fn leave() {
    // Relaxed: only a first look.
    if STATE.load(Ordering::Relaxed) == RUNNING && !heap::is_any_in_use() {
        end();
    }
}

/// Ends the thread until a slow path makes it anew, and says whether there was one: the kernel refuses some calls to a process of
/// more than one thread. The caller holds no lock.
pub(crate) fn step_aside() -> bool {
    // Relaxed: only a first look.
    STATE.load(Ordering::Relaxed) == RUNNING && end()
}

/// Called once a heap's thread will not say when it ends.
pub(crate) fn dismiss() {
    if get::background() != 1 {
        return;
    }
    // It looks when it wakes. SeqCst pairs with the one in `sleep`: either it sees the flag, or we that it sleeps.
    fence(Ordering::SeqCst);
    tell(SLEEPS, TICKS);
    // Had it looked just before, it comes round in a quarter.
    os::thread::wake(&WORD);
}

/// Of the thread's own accord, where nobody could tell it to end. `false`: it is being made, or ended, by another.
fn quit() -> bool {
    // Acquire pairs with the Release in `start`.
    if STATE.compare_exchange(RUNNING, STOPPING, Ordering::Acquire, Ordering::Relaxed).is_err() {
        return false;
    }
    THREAD.detach();
    // Release pairs with the Acquire in `start`.
    STATE.store(OFF, Ordering::Release);
    true
}

/// `false`: there is none, or somebody else ends it.
fn end() -> bool {
    // A child made behind fork's back has the state, and not the thread.
    let mine = PROCESS.load(Ordering::Relaxed) == os::process_id();
    // Acquire pairs with the Release in `start`.
    if !mine || STATE.compare_exchange(RUNNING, STOPPING, Ordering::Acquire, Ordering::Relaxed).is_err() {
        return false;
    }
    // Relaxed: as in `tell`. A store would do, but loom lets the thread's own changes of the word pass over one.
    WORD.swap(END, Ordering::Relaxed);
    os::thread::wake(&WORD);
    THREAD.join();
    // Release pairs with the Acquire in `start`.
    STATE.store(OFF, Ordering::Release);
    true
}

/// In a child of fork, where only the thread that forked is left.
pub(super) fn forget() {
    pressure::after_fork();
    THREAD.forget();
    // Relaxed: there is no other thread.
    STATE.store(OFF, Ordering::Relaxed);
    WORD.store(TICKS, Ordering::Relaxed);
    if PROCESS.load(Ordering::Relaxed) != 0 {
        allow();
    }
}

extern "C" fn run(_: *mut c_void) -> *mut c_void {
    os::thread::name_self(c"hakmem");
    // Files are opened in a table of our own, or not at all.
    let mut files = false;
    loop {
        if heap::is_any_unheard() && quit() {
            return core::ptr::null_mut();
        }
        if get::pressure() != PRESSURE_NEVER && !files {
            files = os::thread::leave_files();
        }
        sleep();
        if WORD.load(Ordering::Relaxed) == END {
            return core::ptr::null_mut();
        }
        if let Some(_inside) = os::gate::enter() {
            decay::tick(files && get::pressure() != PRESSURE_NEVER);
            heap::cool_if_due();
        }
        // A step each: a fork waits no longer than for one.
        while os::gate::enter().is_some_and(|_inside| debt::pay()) {}
    }
}

/// Whether a tick would give nothing back.
fn is_idle(dirty: Dirty) -> bool {
    period() < 0 || decay::is_clean(dirty)
}

/// A quarter of the decay time, or until there is something to do.
fn sleep() {
    if is_idle(Dirty::now()) && tell(TICKS, SLEEPS) {
        // Looked at once more: who freed between the look and the word saw no sleeper. SeqCst, which pairs with the one in
        // `nudge`: either we see what was freed, or who freed sees that we sleep.
        fence(Ordering::SeqCst);
        if is_idle(Dirty::now()) && !heap::is_any_unheard() {
            os::thread::wait(&WORD, SLEEPS, LONGEST);
        }
        tell(SLEEPS, TICKS);
    }
    // After a long sleep too: what woke it has only just become idle.
    os::thread::wait(&WORD, TICKS, decay::quarter().clamp(10, LONGEST));
}
