//! A thread of our own: made by pthread_create, so that `setuid` and its like reach it as they reach every other.

use core::ffi::{CStr, c_int, c_void};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::{futex, sigaction, sys};

/// Bytes of stack tried in turn, the last being libc's default: a program with much static TLS, which lies on the stack
/// too, makes the small ones fail.
const STACKS: [usize; 3] = [64 << 10, 512 << 10, 0];

const PTHREAD_CANCEL_DISABLE: c_int = 1;

/// Whether the calling thread is its process's first one, or all that a fork left.
pub(crate) fn is_first() -> bool {
    // SAFETY: asks for a number, and is never refused.
    let number = unsafe { sys::call(libc::SYS_gettid, []) }.unwrap_or(0);
    number as u64 == super::process::process_id()
}

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
}

/// A thread that was started and is not joined; 0 is none. A child of fork forgets it.
pub(crate) struct Thread(AtomicU64);

impl Thread {
    pub(crate) const fn none() -> Thread {
        Thread(AtomicU64::new(0))
    }

    /// Starts a thread that runs `run` with every signal blocked. `false`: refused. The caller holds no lock, for libc
    /// allocates here, and orders this before `join`.
    pub(crate) fn start(&self, run: extern "C" fn(*mut c_void) -> *mut c_void) -> bool {
        let thread = start(run);
        // Relaxed: ordered by the caller.
        self.0.store(thread.unwrap_or(0), Ordering::Relaxed);
        thread.is_some()
    }

    /// Waits until the thread has ended, if there is one.
    pub(crate) fn join(&self) {
        // Relaxed: as above; the swap makes sure that nobody joins it again.
        let thread = self.0.swap(0, Ordering::Relaxed);
        if thread != 0 {
            let mut before = 0;
            // `pthread_join` is a cancellation point: left there, the one who waits would never say that it is done.
            // SAFETY: a valid out-parameter.
            unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &mut before) };
            // SAFETY: `pthread_create` returned it, and it was neither joined nor detached.
            unsafe { libc::pthread_join(thread, core::ptr::null_mut()) };
            // SAFETY: puts back what was there.
            unsafe { pthread_setcancelstate(before, &mut before) };
        }
    }

    /// Called by the thread itself: nobody waits for its end.
    pub(crate) fn detach(&self) {
        // Relaxed: as in `join`.
        let thread = self.0.swap(0, Ordering::Relaxed);
        if thread != 0 {
            // SAFETY: `pthread_create` returned it, and it was neither joined nor detached.
            unsafe { libc::pthread_detach(thread) };
        }
    }

    /// In a child of fork, where the thread is not.
    pub(crate) fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Its stack is libc's: that one has a guard page, and is used again after a fork.
fn start(run: extern "C" fn(*mut c_void) -> *mut c_void) -> Option<libc::pthread_t> {
    // A new thread inherits the mask: blocked by its maker, there is no moment in which a signal could reach it.
    let saved = sigaction::mask(libc::SIG_SETMASK, sigaction::ALL);
    let thread = STACKS.iter().find_map(|&stack| create(stack, run));
    sigaction::mask(libc::SIG_SETMASK, saved);
    thread
}

fn create(stack: usize, run: extern "C" fn(*mut c_void) -> *mut c_void) -> Option<libc::pthread_t> {
    let mut thread = 0;
    // SAFETY: plain data, set up by `pthread_attr_init`.
    let mut attr = unsafe { core::mem::zeroed::<libc::pthread_attr_t>() };
    // SAFETY: a valid out-parameter.
    if unsafe { libc::pthread_attr_init(&mut attr) } != 0 {
        return None;
    }
    if stack > 0 {
        // SAFETY: initialised above. Refused (below the minimum), the default stays.
        unsafe { libc::pthread_attr_setstacksize(&mut attr, stack) };
    }
    // SAFETY: `run` lives as long as the library, which is linked `-z nodelete`.
    let refused = unsafe { libc::pthread_create(&mut thread, &attr, run, core::ptr::null_mut()) };
    // SAFETY: initialised above, and not used any more.
    unsafe { libc::pthread_attr_destroy(&mut attr) };
    (refused == 0).then_some(thread)
}

/// Names the calling thread, for `ps -T` and debuggers.
pub(crate) fn name_self(name: &CStr) {
    // SAFETY: the kernel copies the string. Refused, it has its maker's name.
    let _ = unsafe { sys::call(libc::SYS_prctl, [libc::PR_SET_NAME as usize, name.as_ptr().addr()]) };
}

/// The calling thread's name, null-padded, as bytes in memory order; zeroes where the kernel refuses.
pub(crate) fn name() -> [u64; 2] {
    let mut name = [0_u64; 2];
    // SAFETY: room for the 16 bytes that the kernel writes.
    let _ = unsafe { sys::call(libc::SYS_prctl, [libc::PR_GET_NAME as usize, name.as_mut_ptr().addr()]) };
    name
}

/// Gives the calling thread a table of file descriptors of its own, empty: what it opens never takes a number from
/// under the program, and the program's files are not kept open by it. `false`: not possible (before Linux 5.9).
pub(crate) fn leave_files() -> bool {
    const CLOSE_RANGE_UNSHARE: usize = 1 << 1;
    // SAFETY: concerns only this thread's table, which is made by the call.
    unsafe { sys::call(libc::SYS_close_range, [0, u32::MAX as usize, CLOSE_RANGE_UNSHARE]) }.is_ok()
}

/// Sleeps for `ms` milliseconds at most, as long as `word` is `expected`. May return early.
pub(crate) fn wait(word: &AtomicU32, expected: u32, ms: u64) {
    futex::wait(word, expected, Some(ms));
}

/// Wakes who waits for `word`.
pub(crate) fn wake(word: &AtomicU32) {
    futex::wake(word, i32::MAX as u32);
}

/// Sleeps for a millisecond, or less.
pub(crate) fn pause() {
    futex::wait(&AtomicU32::new(0), 0, Some(1));
}
