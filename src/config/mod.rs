//! Box `config` (L2): the switches. What the program says of itself and the environment are read once, before the first heap is
//! born; some may be changed later.
//! Owns: the values.   Calls: base, os, stats.   Called by: all above.   Locks: `LOADING`, once; `TEXTS`, a leaf.   Threads: any.
//! Never: reads the environment twice, allocates, refuses to start over a bad value.
#![forbid(unsafe_code)]

mod knobs;
mod parse;
mod value;

use core::sync::atomic::{AtomicBool, Ordering};

use crate::os;
use crate::os::lock::Mutex;
use crate::stats::text::Text;
use knobs::find;
use value::Place;

pub(crate) use knobs::{get, text};
pub(crate) use value::TEXT_MAX;

static READY: AtomicBool = AtomicBool::new(false);
static LOADING: Mutex<()> = Mutex::new(());

/// Whether the values are final; reads the environment if libc has it by now.
///
/// `false` only inside the loader's start: the caller must then serve without a mode of its own.
pub(crate) fn ready() -> bool {
    // Acquire pairs with the Release below: who sees READY sees every value.
    READY.load(Ordering::Acquire) || load()
}

/// Whether they are, without reading it now: for who holds a lock.
pub(crate) fn is_ready() -> bool {
    READY.load(Ordering::Acquire)
}

#[cold]
fn load() -> bool {
    let Some(variables) = os::env::variables() else { return false };
    let _once = LOADING.lock();
    // Relaxed: the lock orders us after whoever loaded.
    if READY.load(Ordering::Relaxed) {
        return true;
    }
    // A program with another user's rights may be trusted too, in what it says itself. The environment, read next, overrides it.
    if let Some(list) = os::env::program_options() {
        parse::accept_list(list);
    }
    if !os::env::is_privileged() {
        for variable in variables {
            parse::accept(variable);
        }
    }
    if get::names() == 1 {
        os::names::switch_on();
    }
    READY.store(true, Ordering::Release);
    true
}

/// What `HAKMEM_HARDENED` may be.
pub(crate) mod hardened {
    pub(crate) const OFF: i64 = 0;
    /// Everything.
    pub(crate) const FULL: i64 = 1;
    /// What costs little.
    pub(crate) const LIGHT: i64 = 2;
}

/// Why a switch was not set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// There is none of this name.
    Unknown,
    /// It is read at start only.
    Fixed,
    /// It takes no such value.
    Value,
}

/// Changes a switch while the program runs.
pub(crate) fn set(name: &[u8], value: &[u8]) -> Result<(), Refused> {
    // Before the change, lest the environment undoes it.
    ready();
    let setting = find(name).ok_or(Refused::Unknown)?;
    if setting.place() != Place::Live {
        return Err(Refused::Fixed);
    }
    if setting.set(value) { Ok(()) } else { Err(Refused::Value) }
}

/// Sets `HAKMEM_TRIM_THRESHOLD`.
pub(crate) fn keep(bytes: i64) {
    // Before the change, lest the environment undoes it.
    ready();
    if let Some(setting) = find(b"HAKMEM_TRIM_THRESHOLD") {
        setting.put(bytes);
    }
}

/// Writes a switch's value as one would set it; `false` if there is none of this name.
pub(crate) fn write(name: &[u8], out: &mut Text) -> bool {
    ready();
    find(name).map(|setting| setting.write_value(out)).is_some()
}

/// The names of all switches.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    knobs::names()
}

/// Prints the table of knobs to stderr: name, default, range, help.
pub(crate) fn print_help() {
    parse::print_help();
}
