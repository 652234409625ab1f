//! What is called or trusted, and written only until the library has started: from then on it can only be read. So whoever can write where he likes
//! makes the library call nothing of his, forges no canary and switches no check off.
//!
//! One page, since each is 4 KiB and a mapping: whose a part is stands beside it. What may change later lies elsewhere: options that are live, with
//! all texts; the unwinder's functions, if the profiler is started while the program runs.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use super::linux::page_size;
use super::sigaction::Action;
use super::sys;
use crate::base::addr::Addr;

/// Options there is room for.
pub(crate) const OPTIONS: usize = 64;
/// Forms of `new` and `delete`.
pub(crate) const FORMS: usize = 19;

/// All zero at first. Whole pages, be they the largest.
#[cfg_attr(target_arch = "x86_64", repr(C, align(4096)))]
#[cfg_attr(not(target_arch = "x86_64"), repr(C, align(65536)))]
pub(crate) struct Sealed {
    /// `canary`'s keys, whose address is a multiple of 16, and which kind they are; written once, before `kind` says so.
    pub(crate) keys: UnsafeCell<[u64; 12]>,
    pub(crate) kind: AtomicU32,
    /// Whether the kernel has been told that all this is not written to any more.
    is_closed: AtomicBool,
    /// `abi`'s: whether the program's own `new` and `delete` serve.
    pub(crate) replaced: AtomicBool,
    /// `config`'s: values of options that are not live, xored with their defaults.
    pub(crate) options: [AtomicI64; OPTIONS],
    /// `die`'s: who is told of a report.
    pub(super) witness: AtomicPtr<()>,
    /// `fault`'s: who sees a fault first, and what did before. Written before the handler is installed.
    pub(super) look: AtomicPtr<()>,
    pub(super) before: UnsafeCell<Action>,
    /// `clock`'s: the kernel's function.
    pub(super) reader: AtomicUsize,
    /// `closed`'s: how many mappings closed pages may take, and one; 0: nobody has asked yet.
    pub(super) closed: AtomicUsize,
    /// Whether addresses are limited, so that none are to be set aside.
    pub(super) is_narrow: AtomicBool,
    /// `guard`'s region.
    pub(crate) region: AtomicUsize,
    /// `front`'s: who writes the report that a signal asks for.
    pub(crate) report: AtomicPtr<()>,
    /// `abi`'s: the loader's `dlopen`, `dlmopen`, `dlsym`, and the forms of `new` and `delete` that stand behind ours.
    pub(crate) loader: [AtomicPtr<c_void>; 3],
    pub(crate) forms: [AtomicPtr<c_void>; FORMS],
}

// SAFETY: the cells are written once, before what says so; see the fields.
unsafe impl Sync for Sealed {}

pub(crate) static SEALED: Sealed = Sealed {
    keys: UnsafeCell::new([0; 12]),
    kind: AtomicU32::new(0),
    is_closed: AtomicBool::new(false),
    replaced: AtomicBool::new(false),
    options: [const { AtomicI64::new(0) }; OPTIONS],
    witness: AtomicPtr::new(core::ptr::null_mut()),
    look: AtomicPtr::new(core::ptr::null_mut()),
    before: UnsafeCell::new(Action::DEFAULT),
    reader: AtomicUsize::new(0),
    closed: AtomicUsize::new(0),
    is_narrow: AtomicBool::new(false),
    region: AtomicUsize::new(0),
    report: AtomicPtr::new(core::ptr::null_mut()),
    loader: [const { AtomicPtr::new(core::ptr::null_mut()) }; 3],
    forms: [const { AtomicPtr::new(core::ptr::null_mut()) }; FORMS],
};

impl Sealed {
    /// Whether it may still be written to. What is found later is found anew each time.
    pub(crate) fn is_open(&self) -> bool {
        // Relaxed: written while there is one thread, as good as; who comes from another has been started since.
        !self.is_closed.load(Ordering::Relaxed)
    }

    /// Stores a function found, if it is not too late for that.
    pub(crate) fn remember(&self, place: &AtomicPtr<c_void>, found: *mut c_void) {
        if self.is_open() {
            // Relaxed: every writer stores the same address, of code that is there already.
            place.store(found, Ordering::Relaxed);
        }
    }
}

/// Begins the time of writing. By the library's constructor, as its first act; what was written before it stays.
pub(crate) fn open() {
    SEALED.is_closed.store(false, Ordering::Relaxed);
}

/// Ends the time of writing. By the library's constructor, as its last act; refused, all stays as it is.
pub(crate) fn close() {
    SEALED.is_closed.store(true, Ordering::Relaxed);
    let at = Addr::of(&raw const SEALED);
    let args = [at.0, size_of::<Sealed>(), libc::PROT_READ as usize];
    // SAFETY: whole pages, that hold nothing but this; nobody writes to it who sees `is_closed`, and who does not was there before.
    if !at.is_aligned(page_size()) || unsafe { sys::call(libc::SYS_mprotect, args) }.is_err() {
        SEALED.is_closed.store(false, Ordering::Relaxed);
    }
}

const _: () = assert!(size_of::<Sealed>() == align_of::<Sealed>(), "one page, and no more");
