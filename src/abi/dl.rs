//! `dlopen` and `dlmopen` without RTLD_DEEPBIND. A library opened with that flag finds libc's own `free` before anybody's:
//! what it gets from us and frees there ends the process, and so does what libc's functions allocate for it. php, ldb and
//! others open their plug-ins so. `HAKMEM_DEEPBIND=keep` leaves the flag.
//!
//! The real one looks at who called it, for that one's RUNPATH: it must be reached by a jump. An optimising compiler makes one of a
//! call in the last place (scripts/check_so.sh looks); in a build without optimisation this file is left out.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::config::get;

/// The choice `keep` of `HAKMEM_DEEPBIND`, by its place in its table.
const KEEP: i64 = 1;

/// # Safety
/// As the loader's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlopen(file: *const c_char, flags: c_int) -> *mut c_void {
    static NEXT: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());
    type Form = unsafe extern "C" fn(*const c_char, c_int) -> *mut c_void;
    // SAFETY: the next function of this name has this signature; `refuse` takes what it gets.
    let next = unsafe { core::mem::transmute::<*mut c_void, Form>(next(&NEXT, c"dlopen")) };
    // SAFETY: the caller's.
    unsafe { next(file, passing(flags)) }
}

/// # Safety
/// As the loader's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlmopen(space: libc::Lmid_t, file: *const c_char, flags: c_int) -> *mut c_void {
    static NEXT: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());
    type Form = unsafe extern "C" fn(libc::Lmid_t, *const c_char, c_int) -> *mut c_void;
    // Another namespace has a libc of its own, whose malloc is nobody else's: there the flag stays.
    let flags = if space == libc::LM_ID_BASE { passing(flags) } else { flags };
    // SAFETY: as in `dlopen`.
    let next = unsafe { core::mem::transmute::<*mut c_void, Form>(next(&NEXT, c"dlmopen")) };
    // SAFETY: the caller's.
    unsafe { next(space, file, flags) }
}

fn passing(flags: c_int) -> c_int {
    if get::deepbind() == KEEP { flags } else { flags & !libc::RTLD_DEEPBIND }
}

/// The next function `name` behind this library's.
#[inline(never)]
fn next(found: &AtomicPtr<c_void>, name: &CStr) -> *mut c_void {
    // Relaxed: every writer stores the same address of code that is there already.
    let known = found.load(Ordering::Relaxed);
    if !known.is_null() {
        return known;
    }
    // SAFETY: a constant string; no lock is held, so this may allocate.
    let mut form = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    if form.is_null() {
        form = refuse as extern "C" fn() -> *mut c_void as *mut c_void;
    }
    found.store(form, Ordering::Relaxed);
    form
}

/// In the place of a loader: there is none in a program that is wholly static.
extern "C" fn refuse() -> *mut c_void {
    core::ptr::null_mut()
}
