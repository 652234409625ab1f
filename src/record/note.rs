//! An event on its way: from the thread that did it to its recorder, or to the one that all share, which are made ready for it here.

use core::sync::atomic::{Ordering, compiler_fence};

use super::chunk::{self, CHUNK, HEAD};
use super::event::Event;
use super::recorder::{ROOM, Recorder};
use super::session::{self, Session};
use crate::base::addr::Addr;
use crate::os::{self, shared};

impl Recorder {
    /// Writes what the calling thread did, whose recorder it is, at `ticks`.
    ///
    /// Some 60 instructions of its own, of which each kind of event has a copy.
    #[inline(always)]
    pub(crate) fn note(&self, ticks: u64, event: Event) {
        // Relaxed: only this thread's handlers look; the fences keep the compiler from moving the writes out from between.
        let is_busy = self.busy.load(Ordering::Relaxed);
        if is_busy || (self.left.get() as usize) < ROOM || !session::is_current(self.session.get()) {
            return self.note_slow(ticks, event);
        }
        self.busy.store(true, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        self.write(ticks, event);
        compiler_fence(Ordering::SeqCst);
        self.busy.store(false, Ordering::Relaxed);
    }

    #[cold]
    #[inline(never)]
    fn note_slow(&self, ticks: u64, event: Event) {
        // Relaxed: as in `note`.
        if self.busy.load(Ordering::Relaxed) {
            return note_aside(self.thread.get(), ticks, event);
        }
        self.busy.store(true, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        if self.prepare_own() {
            self.write(ticks, event);
        }
        compiler_fence(Ordering::SeqCst);
        self.busy.store(false, Ordering::Relaxed);
    }

    /// Notes that the heap's next event is another thread's.
    pub(crate) fn change_thread(&self) {
        self.thread.set(0);
        // Left in the middle of an event by a thread that was cancelled there: what is behind the last one is not known to be empty.
        if self.busy.load(Ordering::Relaxed) {
            self.session.set(0);
        }
        self.left.set(0);
        self.busy.store(false, Ordering::Relaxed);
    }

    /// Notes that its thread ends.
    pub(crate) fn end_thread(&self) {
        self.note(os::ticks(), Event::End);
        if !self.chunk.get().is_null() && session::is_current(self.session.get()) {
            self.note_used();
        }
        self.change_thread();
    }

    /// In a child of fork, whose only thread's it is: what a handler interrupted goes on there, and is not to reach the parent's file.
    pub(crate) fn at_fork_child(&self) {
        if self.busy.load(Ordering::Relaxed) && !self.chunk.get().is_null() {
            shared::cut_off(self.chunk.get(), CHUNK);
        }
    }

    #[cold]
    #[inline(never)]
    fn prepare_own(&self) -> bool {
        let Some(session) = session::current() else {
            session::drop_one();
            return false;
        };
        let is_new = self.thread.get() == 0 || self.session.get() != session.number();
        self.prepare(session, if is_new { session.next_thread() } else { self.thread.get() })
    }

    /// Makes room for an event of the thread of this number. `false`: none could be had.
    fn prepare(&self, session: &'static Session, thread: u32) -> bool {
        if self.session.get() != session.number() {
            // Of the process that this one was forked from, or of none.
            if !self.chunk.get().is_null() {
                shared::unmap(self.chunk.get(), CHUNK);
            }
            self.chunk.set(Addr::NULL);
            self.left.set(0);
            self.session.set(session.number());
        }
        let chunk = self.chunk.get();
        let left = if chunk.is_null() { 0 } else { chunk.offset(CHUNK).since(self.at.get()) };
        if left < ROOM {
            return self.begin_chunk(session, thread);
        }
        self.left.set(left as u32);
        if self.thread.replace(thread) != thread {
            self.write(self.ticks.get(), Event::Thread { number: thread });
        }
        true
    }

    fn begin_chunk(&self, session: &'static Session, thread: u32) -> bool {
        if !self.chunk.get().is_null() {
            self.note_used();
        }
        let place = self.chunk.replace(Addr::NULL);
        self.left.set(0);
        let Some(chunk) = session.map_next(place) else { return false };
        // From here on `at_fork_child` knows of it. A handler that forked while it was mapped has left it to the parent.
        self.chunk.set(chunk);
        compiler_fence(Ordering::SeqCst);
        if !session.is_that_of(self.session.get()) {
            shared::unmap(self.chunk.replace(Addr::NULL), CHUNK);
            return false;
        }
        let ticks = os::ticks();
        // SAFETY: just mapped, and ours.
        unsafe { chunk::begin(chunk, thread, ticks, self.last.get()) };
        self.at.set(chunk.offset(HEAD));
        self.left.set((CHUNK - HEAD) as u32);
        self.thread.set(thread);
        self.ticks.set(ticks);
        true
    }
}

/// Looks at the shared recorder while somebody has it, some microseconds each; a millisecond beyond half of them.
const LOOKS: u32 = 200;

/// Writes what a thread did that has no heap (any more), or whose own recorder is in use by what a signal's handler interrupted. Any thread.
#[cold]
#[inline(never)]
pub(crate) fn note_aside(thread: u32, ticks: u64, event: Event) {
    let Some(session) = session::current() else { return session::drop_one() };
    for look in 0..LOOKS {
        // Not waited for: the handler's own thread may have it.
        if let Some(recorder) = session.shared().try_lock() {
            if recorder.prepare(session, thread) {
                recorder.write(ticks, event);
            }
            return;
        }
        if look < LOOKS / 2 { core::hint::spin_loop() } else { os::thread::pause() }
    }
    session::drop_one();
}
