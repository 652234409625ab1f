//! What a signal does, which are blocked, and sending one to oneself: as the kernel has them. libc's `sigaction` is one that
//! others replace (the JVM's libjsig, profilers), and its `abort` one that programs define.

use core::ffi::{c_int, c_ulong, c_void};

use errno::Errno;

use super::sys;

/// A set of signals: number n is bit n - 1.
pub(super) type Mask = u64;
const MASK_BYTES: usize = size_of::<Mask>();

/// All but the two that libc keeps for itself: by these, `setuid` and `pthread_cancel` reach each thread.
pub(super) const ALL: Mask = !(1 << (32 - 1) | 1 << (33 - 1));

pub(super) type Informed = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// The kernel's own `struct sigaction`.
#[repr(C)]
pub(super) struct Action {
    pub(super) handler: usize,
    flags: c_ulong,
    restorer: usize,
    mask: Mask,
}

impl Action {
    pub(super) const DEFAULT: Action = Action { handler: libc::SIG_DFL, flags: 0, restorer: 0, mask: 0 };

    /// Has `handler` called, which stays loaded, with no signal blocked but those `flags` say.
    pub(super) fn plain(handler: extern "C" fn(c_int), flags: c_int) -> Action {
        Action { handler: handler as usize, flags: flags as c_ulong | RESTORES, restorer: restorer(), mask: 0 }
    }

    /// The same for one that is told about the signal.
    pub(super) fn informed(handler: Informed, flags: c_int) -> Action {
        let flags = (flags | libc::SA_SIGINFO) as c_ulong | RESTORES;
        Action { handler: handler as usize, flags, restorer: restorer(), mask: 0 }
    }

    pub(super) fn has(&self, flag: c_int) -> bool {
        self.flags & flag as c_ulong != 0
    }

    /// From now on `signal` does this. `Err`: refused.
    pub(super) fn install(&self, signal: c_int) -> Result<(), Errno> {
        let new = (&raw const *self).addr();
        // SAFETY: a whole action, whose handler stays.
        unsafe { sys::call(libc::SYS_rt_sigaction, [signal as usize, new, 0, MASK_BYTES]) }.map(drop)
    }

    /// What `signal` does now.
    pub(super) fn of(signal: c_int) -> Result<Action, Errno> {
        let mut found = Action::DEFAULT;
        // SAFETY: asks only, into an action.
        unsafe { sys::call(libc::SYS_rt_sigaction, [signal as usize, 0, (&raw mut found).addr(), MASK_BYTES]) }?;
        Ok(found)
    }
}

/// On x86-64 a handler returns to code that the program brings along. This says that it does.
#[cfg(target_arch = "x86_64")]
const RESTORES: c_ulong = 0x0400_0000;
#[cfg(not(target_arch = "x86_64"))]
const RESTORES: c_ulong = 0;

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn restorer() -> usize {
    unsafe extern "C" {
        fn hakmem_signal_return();
    }
    hakmem_signal_return as unsafe extern "C" fn() as usize
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn restorer() -> usize {
    0
}

// Debuggers and unwinders know the frame below a handler's by these very bytes, and look for them one byte early: the nop.
#[cfg(all(target_arch = "x86_64", not(miri)))]
core::arch::global_asm!(
    ".text",
    "nop",
    ".hidden hakmem_signal_return",
    ".globl hakmem_signal_return",
    ".type hakmem_signal_return, @function",
    "hakmem_signal_return:",
    ".byte 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00", // mov rax, 15: rt_sigreturn
    "syscall",
    ".size hakmem_signal_return, . - hakmem_signal_return",
);

/// Changes the calling thread's mask as `how` (SIG_SETMASK, SIG_UNBLOCK) says, and returns what it was.
pub(super) fn mask(how: c_int, set: Mask) -> Mask {
    let mut old: Mask = 0;
    let args = [how as usize, (&raw const set).addr(), (&raw mut old).addr(), MASK_BYTES];
    // SAFETY: both point to a live set. Refused, nothing is blocked that was not.
    let _ = unsafe { sys::call(libc::SYS_rt_sigprocmask, args) };
    old
}

/// Sends `signal` to the calling thread. Returns once it is dealt with, unless it is blocked.
pub(super) fn raise(signal: c_int) {
    // SAFETY: asks for a number.
    let thread = unsafe { sys::call(libc::SYS_gettid, []) }.unwrap_or(0);
    // SAFETY: this very thread.
    let _ = unsafe { sys::call(libc::SYS_tgkill, [super::process::process_id() as usize, thread, signal as usize]) };
}

/// Ends the process by SIGABRT, as C's `abort`: after the program's handler, should there be one.
pub(super) fn abort() -> ! {
    let only: Mask = 1 << (libc::SIGABRT - 1);
    mask(libc::SIG_UNBLOCK, only);
    raise(libc::SIGABRT);
    // It is ignored, or its handler came back.
    let _ = Action::DEFAULT.install(libc::SIGABRT);
    mask(libc::SIG_UNBLOCK, only);
    raise(libc::SIGABRT);
    // A sandbox refuses that: a shell would have shown this.
    exit(128 + libc::SIGABRT)
}

/// Ends the process at once.
pub(super) fn exit(status: c_int) -> ! {
    loop {
        // SAFETY: does not come back, unless a sandbox refuses it.
        let _ = unsafe { sys::call(libc::SYS_exit_group, [status as usize]) };
    }
}
