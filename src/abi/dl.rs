//! `dlopen` and `dlmopen` without RTLD_DEEPBIND. A library opened with that flag finds libc's own `free` before anybody's:
//! what it gets from us and frees there ends the process, and so does what libc's functions allocate for it. php, ldb and
//! others open their plug-ins so. `HAKMEM_DEEPBIND=keep` leaves the flag.
//!
//! The real one is reached by a jump: it looks at who called it for that one's RUNPATH.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::config::get;

/// Where to go on, and the flags that may pass.
#[repr(C)]
struct Way {
    next: *mut c_void,
    flags: usize,
}

/// The choice `keep` of `HAKMEM_DEEPBIND`, by its place in its table.
const KEEP: i64 = 1;

extern "C" fn dlopen_way() -> Way {
    static NEXT: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());
    way(&NEXT, c"dlopen", !libc::RTLD_DEEPBIND)
}

/// Another namespace has a libc of its own, whose malloc is nobody else's: there the flag stays.
extern "C" fn dlmopen_way(space: libc::Lmid_t) -> Way {
    static NEXT: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());
    way(&NEXT, c"dlmopen", if space == libc::LM_ID_BASE { !libc::RTLD_DEEPBIND } else { !0 })
}

fn way(next: &AtomicPtr<c_void>, name: &CStr, flags: c_int) -> Way {
    // Relaxed: every writer stores the same address of code that is there already.
    let mut found = next.load(Ordering::Relaxed);
    if found.is_null() {
        // SAFETY: a constant string; no lock is held, so this may allocate.
        found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
        if found.is_null() {
            found = refuse as extern "C" fn() -> *mut c_void as *mut c_void;
        }
        next.store(found, Ordering::Relaxed);
    }
    Way { next: found, flags: if get::deepbind() == KEEP { usize::MAX } else { flags as usize } }
}

/// In the place of a loader: there is none in a program that is wholly static.
extern "C" fn refuse() -> *mut c_void {
    core::ptr::null_mut()
}

/// # Safety
/// As the loader's.
#[cfg(target_arch = "x86_64")]
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn dlopen(file: *const c_char, flags: c_int) -> *mut c_void {
    core::arch::naked_asm!(
        "push rdi",
        "push rsi",
        "sub rsp, 8",
        "call {way}",
        "add rsp, 8",
        "pop rsi",
        "pop rdi",
        "and esi, edx",
        "jmp rax",
        way = sym dlopen_way,
    )
}

/// # Safety
/// As the loader's.
#[cfg(target_arch = "x86_64")]
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn dlmopen(space: libc::Lmid_t, file: *const c_char, flags: c_int) -> *mut c_void {
    core::arch::naked_asm!(
        "push rdi",
        "push rsi",
        "push rdx",
        "call {way}",
        "mov rcx, rdx",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "and edx, ecx",
        "jmp rax",
        way = sym dlmopen_way,
    )
}

/// # Safety
/// As the loader's.
#[cfg(target_arch = "aarch64")]
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn dlopen(file: *const c_char, flags: c_int) -> *mut c_void {
    core::arch::naked_asm!(
        "stp x29, x30, [sp, #-32]!",
        "stp x0, x1, [sp, #16]",
        "bl {way}",
        "mov x16, x0",
        "mov x17, x1",
        "ldp x0, x1, [sp, #16]",
        "ldp x29, x30, [sp], #32",
        "and w1, w1, w17",
        "br x16",
        way = sym dlopen_way,
    )
}

/// # Safety
/// As the loader's.
#[cfg(target_arch = "aarch64")]
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn dlmopen(space: libc::Lmid_t, file: *const c_char, flags: c_int) -> *mut c_void {
    core::arch::naked_asm!(
        "stp x29, x30, [sp, #-48]!",
        "stp x0, x1, [sp, #16]",
        "str x2, [sp, #32]",
        "bl {way}",
        "mov x16, x0",
        "mov x17, x1",
        "ldr x2, [sp, #32]",
        "ldp x0, x1, [sp, #16]",
        "ldp x29, x30, [sp], #48",
        "and w2, w2, w17",
        "br x16",
        way = sym dlmopen_way,
    )
}
