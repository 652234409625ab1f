//! `dlopen` and `dlmopen` without RTLD_DEEPBIND. A library opened with that flag finds libc's own `free` before anybody's:
//! what it gets from us and frees there ends the process, and so does what libc's functions allocate for it. php, ldb and
//! others open their plug-ins so. `HAKMEM_DEEPBIND=keep` leaves the flag.
//!
//! And a `dlsym` that gives ours for malloc's family where the answer would be libc's own: Python's ctypes, Ruby's Fiddle, P/Invoke,
//! JNA and Panama take `free` from libc's handle, for what libc's functions gave them.
//!
//! The real ones look at who called them, for that one's RUNPATH or for RTLD_NEXT: they must be reached by a jump. An optimising compiler makes one of a
//! call in the last place (scripts/check_so.sh looks); in a build without optimisation this file is left out.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::base::addr::Addr;
use crate::config::get;
use crate::os::loaded::{self, Object};
use crate::os::sealed::SEALED;

/// The choice `keep` of `HAKMEM_DEEPBIND`, by its place in its table.
const KEEP: i64 = 1;

/// # Safety
/// As the loader's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlopen(file: *const c_char, flags: c_int) -> *mut c_void {
    type Form = unsafe extern "C" fn(*const c_char, c_int) -> *mut c_void;
    // SAFETY: the next function of this name has this signature; `refuse` takes what it gets.
    let next = unsafe { core::mem::transmute::<*mut c_void, Form>(next_dlopen()) };
    // SAFETY: the caller's.
    unsafe { next(file, passing(flags)) }
}

/// # Safety
/// As the loader's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlmopen(space: libc::Lmid_t, file: *const c_char, flags: c_int) -> *mut c_void {
    type Form = unsafe extern "C" fn(libc::Lmid_t, *const c_char, c_int) -> *mut c_void;
    // Another namespace has a libc of its own, whose malloc is nobody else's: there the flag stays.
    let flags = if space == libc::LM_ID_BASE { passing(flags) } else { flags };
    // SAFETY: as in `dlopen`.
    let next = unsafe { core::mem::transmute::<*mut c_void, Form>(next_dlmopen()) };
    // SAFETY: the caller's.
    unsafe { next(space, file, flags) }
}

/// # Safety
/// As the loader's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void {
    // SAFETY: the caller's.
    let ours = unsafe { in_place_of_libcs(handle, name) };
    if !ours.is_null() {
        return ours;
    }
    // SAFETY: the caller's.
    unsafe { next_dlsym()(handle, name) }
}

/// Finds the loader's functions while it can be noted where they are.
pub(super) fn start() {
    next_dlsym();
    next_dlopen();
    next_dlmopen();
}

fn next_dlopen() -> *mut c_void {
    let [place, ..] = &SEALED.loader;
    next(place, c"dlopen")
}

fn next_dlmopen() -> *mut c_void {
    let [_, place, _] = &SEALED.loader;
    next(place, c"dlmopen")
}

type Dlsym = unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut c_void;

fn next_dlsym() -> Dlsym {
    let [.., of_dlsym] = &SEALED.loader;
    // Of the next object, be it libc or a tool that replaces `dlsym` as well. Not by dlvsym: that passes tools over, which have no versions.
    let find = || loaded::next_function(own_code(), c"dlsym").as_ptr();
    // SAFETY: as in `dlopen`.
    unsafe { core::mem::transmute::<*mut c_void, Dlsym>(known(of_dlsym, find)) }
}

/// Our function `name` if the one that `handle` leads to is libc's; else null. Who asks for the next one, or for the program's, is
/// left alone: that is us already, or who stands before us.
///
/// # Safety
/// As `dlsym`.
#[inline(never)]
unsafe fn in_place_of_libcs(handle: *mut c_void, name: *const c_char) -> *mut c_void {
    const NONE: *mut c_void = core::ptr::null_mut();
    if handle == libc::RTLD_NEXT || handle == libc::RTLD_DEFAULT || name.is_null() {
        return NONE;
    }
    // SAFETY: the caller's.
    let name = unsafe { CStr::from_ptr(name) };
    // Not what reaches the loader or the kernel: a tool that looks for the real `dlsym` in libc would find itself.
    if [c"dlsym", c"dlopen", c"dlmopen", c"unshare", c"setns"].contains(&name) {
        return NONE;
    }
    let Some(own) = loaded::holder(own_code()) else { return NONE };
    // By our own table: whom the program's calls of that name reach is another question.
    let ours = own.function(name);
    if ours.is_null() {
        return NONE;
    }
    // SAFETY: the caller's.
    let theirs = Addr::of(unsafe { next_dlsym()(handle, name.as_ptr()) });
    // Of libc's own second names one may be the other's address: whose object it is says it all.
    let libc = || loaded::holder(Addr::of(libc::gnu_get_libc_version as Version as *const c_void));
    let is_libcs = !theirs.is_null() && loaded::holder(theirs).is_some_and(|object: Object| Some(object) == libc());
    if is_libcs { ours.as_ptr() } else { NONE }
}

type Version = unsafe extern "C" fn() -> *const c_char;

/// An address in the object that this is part of, and that no other can take the place of.
fn own_code() -> Addr {
    Addr::of(refuse as extern "C" fn() -> *mut c_void as *const c_void)
}

fn passing(flags: c_int) -> c_int {
    if get::deepbind() == KEEP { flags } else { flags & !libc::RTLD_DEEPBIND }
}

/// The next function `name` behind this library's.
fn next(found: &AtomicPtr<c_void>, name: &CStr) -> *mut c_void {
    // SAFETY: a constant string; no lock is held, so this may allocate.
    known(found, || unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) })
}

#[inline(never)]
fn known(found: &AtomicPtr<c_void>, find: impl FnOnce() -> *mut c_void) -> *mut c_void {
    // Relaxed: every writer stores the same address of code that is there already.
    let known = found.load(Ordering::Relaxed);
    if !known.is_null() {
        return known;
    }
    let mut form = find();
    if form.is_null() {
        form = refuse as extern "C" fn() -> *mut c_void as *mut c_void;
    }
    SEALED.remember(found, form);
    form
}

/// In the place of a loader: there is none in a program that is wholly static.
extern "C" fn refuse() -> *mut c_void {
    core::ptr::null_mut()
}
