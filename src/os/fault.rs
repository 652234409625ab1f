//! Being told of a SIGSEGV, and passing on what is not ours. Nothing of the program's own `sigaction` is intercepted: a
//! handler that it installs later takes our place.

use core::ffi::{c_int, c_void};
use core::sync::atomic::Ordering;

use super::sealed::SEALED;
use super::sigaction::{self, Action, Informed};
use crate::base::addr::Addr;

/// Has `look` see the address of each SIGSEGV's access before the program's handler, or the default, gets the signal.
/// Call once, before the constructor ends.
pub(crate) fn watch(look: fn(Addr)) {
    // Relaxed: the handler is installed after this, on this thread; others see both through the kernel.
    SEALED.look.store(look as *mut (), Ordering::Relaxed);
    // NODEFER: a fault in the program's handler must reach it as it would without us. ONSTACK: the stack may be what overflowed.
    let action = Action::informed(on_fault, libc::SA_ONSTACK | libc::SA_NODEFER);
    if let Ok(before) = Action::of(libc::SIGSEGV) {
        // SAFETY: it is ours alone until the handler is installed.
        unsafe { *SEALED.before.get() = before };
        // Refused, faults go unexplained.
        let _ = action.install(libc::SIGSEGV);
    }
}

extern "C" fn on_fault(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let saved = errno::errno();
    // SAFETY: the kernel hands us a siginfo.
    let from_kernel = unsafe { (*info).si_code } > 0;
    if from_kernel {
        // SAFETY: a SIGSEGV of the kernel's has an address.
        let at = Addr::of(unsafe { (*info).si_addr() });
        // Relaxed: see `watch`.
        let look = SEALED.look.load(Ordering::Relaxed);
        // SAFETY: set from a `fn(Addr)` before this handler was installed.
        let look: fn(Addr) = unsafe { core::mem::transmute(look) };
        look(at);
    }
    errno::set_errno(saved);
    // SAFETY: `watch` filled it before it installed us.
    let before = unsafe { &*SEALED.before.get() };
    match before.handler {
        // Sent by somebody, and ignored; a fault can't be.
        libc::SIG_IGN if !from_kernel => {}
        libc::SIG_DFL | libc::SIG_IGN => {
            // Back to the default: the faulting instruction runs again when we return, and ends the process.
            if Action::DEFAULT.install(libc::SIGSEGV).is_err() {
                // As a shell would see it: refused the default, it would fault for ever.
                sigaction::exit(128 + libc::SIGSEGV);
            }
            if !from_kernel {
                // Sent by somebody: there is no instruction that would fault again.
                sigaction::raise(signal);
            }
        }
        handler if before.has(libc::SA_SIGINFO) => {
            // SAFETY: installed by the program with this signature.
            let handler: Informed = unsafe { core::mem::transmute(handler) };
            handler(signal, info, context);
        }
        handler => {
            // SAFETY: as above.
            let handler: extern "C" fn(c_int) = unsafe { core::mem::transmute(handler) };
            handler(signal);
        }
    }
}
