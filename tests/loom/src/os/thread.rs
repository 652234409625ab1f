//! A thread of loom's as the crate's own one. Its handle is in a loom cell: who starts and who ends it must be in an order that the
//! caller made.

use core::ffi::{CStr, c_void};
use std::cell::RefCell;
use std::rc::Rc;

use loom::cell::UnsafeCell;
use loom::thread::{JoinHandle, spawn, yield_now};

use crate::base::sync::AtomicU32;
use crate::futex_lock::futex;

type Handle = Rc<UnsafeCell<Option<JoinHandle<()>>>>;

thread_local! {
    static HANDLE: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// Starts a new execution.
pub(crate) fn reset() {
    HANDLE.replace(Some(Rc::new(UnsafeCell::new(None))));
}

fn replace(handle: Option<JoinHandle<()>>) -> Option<JoinHandle<()>> {
    let place = HANDLE.with_borrow(|place| place.clone().unwrap());
    // SAFETY: loom checks that nobody else is in the cell.
    place.with_mut(|place| unsafe { core::mem::replace(&mut *place, handle) })
}

/// There is one in a model.
pub(crate) struct Thread;

impl Thread {
    pub(crate) const fn none() -> Thread {
        Thread
    }

    pub(crate) fn start(&self, run: extern "C" fn(*mut c_void) -> *mut c_void) -> bool {
        let thread = spawn(move || _ = run(core::ptr::null_mut()));
        assert!(replace(Some(thread)).is_none(), "the last one was neither joined nor detached");
        true
    }

    pub(crate) fn join(&self) {
        replace(None).expect("somebody else joined or detached it").join().unwrap();
    }

    pub(crate) fn detach(&self) {
        replace(None).expect("somebody else joined or detached it");
    }

    pub(crate) fn forget(&self) {}
}

pub(crate) fn name_self(_: &CStr) {}

pub(crate) fn leave_files() -> bool {
    true
}

/// The longest sleep of all lasts until somebody wakes it, so that a wake-up that is lost is found. Any other is over at once.
pub(crate) fn wait(word: &AtomicU32, expected: u32, ms: u64) {
    if ms < 60_000 {
        yield_now();
    } else {
        futex::wait(word, expected, Some(ms));
    }
}

pub(crate) fn wake(word: &AtomicU32) {
    futex::wake(word, i32::MAX as u32);
}
