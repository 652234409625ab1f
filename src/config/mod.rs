//! Box `config` (L2): the environment's switches, read once before the first heap is born.
//! Owns: the values.   Calls: base, os.   Locks: `LOADING`, once.   Threads: any.
//! Never: reads the environment twice, allocates, refuses to start over a bad value.
#![forbid(unsafe_code)]

mod knobs;
mod parse;
mod value;

use core::sync::atomic::{AtomicBool, Ordering};

use crate::base::lock::Mutex;
use crate::os;

pub(crate) use knobs::get;

static READY: AtomicBool = AtomicBool::new(false);
static LOADING: Mutex<()> = Mutex::new(());

/// Whether the values are final; reads the environment if libc has it by now.
///
/// `false` only inside the loader's start: the caller must then serve without a mode of its own.
pub(crate) fn ready() -> bool {
    // Acquire pairs with the Release below: who sees READY sees every value.
    READY.load(Ordering::Acquire) || load()
}

#[cold]
fn load() -> bool {
    let Some(variables) = os::env::variables() else { return false };
    let _once = LOADING.lock();
    // Relaxed: the lock orders us after whoever loaded.
    if READY.load(Ordering::Relaxed) {
        return true;
    }
    if !os::env::is_privileged() {
        for variable in variables {
            parse::accept(variable);
        }
    }
    READY.store(true, Ordering::Release);
    true
}

/// Prints the table of knobs to stderr: name, default, range, help.
pub(crate) fn print_help() {
    parse::print_help();
}
