//! Threads whose end nobody is told of, because the program has taken all pthread keys.
//!
//! There is one more way to be told, `__cxa_thread_atexit_impl`, which needs no key. But it takes the loader's lock, which a constructor of a
//! library just being opened holds while it waits for such a thread, or forks; and it ends the process when `calloc` has nothing. So
//! the thread's number is kept, and who wants a heap later asks the kernel whether the thread is still there. Only
//! then: no program that leaves a key ever makes these calls, which a sandbox may not permit.

use errno::Errno;

use super::sys;

/// The calling thread, to be asked for later.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thread {
    process: u32,
    number: u32,
}

impl Thread {
    pub(crate) fn current() -> Thread {
        // SAFETY: asks for a number, and is never refused.
        let number = unsafe { sys::call(libc::SYS_gettid, []) }.unwrap_or(0) as u32;
        Thread { process: super::process::process_id() as u32, number }
    }

    /// Whether the thread has ended, as far as `me`, the caller, can tell. `me` has no heap: what was its number's is another's.
    ///
    /// A child of vfork is another process in the same memory, and its heap its parent's: of threads of other processes nothing is said.
    pub(crate) fn is_gone(self, me: Thread) -> bool {
        self.process == me.process && (self.number == me.number || !self.is_there())
    }

    fn is_there(self) -> bool {
        // SAFETY: signal 0 is none: only asks.
        let asked = unsafe { sys::call(libc::SYS_tgkill, [self.process as usize, self.number as usize, 0]) };
        // Refused for another reason, it may be.
        asked != Err(Errno(libc::ESRCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_gone_when_it_is() {
        let me = Thread::current();
        let (other, while_there) = std::thread::spawn(move || {
            let other = Thread::current();
            (other, other.is_gone(me))
        })
        .join()
        .unwrap();
        assert!(!while_there && other != me);
        // Joined a moment before the kernel has forgotten it.
        while !other.is_gone(me) {
            std::thread::yield_now();
        }
        // One's number that another heap is known by was that of a thread before.
        assert!(me.is_gone(me));
        assert!(!Thread { process: 1, ..other }.is_gone(me));
    }
}
