//! Box `record` (L3): while it is on, every call of every thread is written to a file: what was asked for, by whom, when, and which block it was.
//! The file is in chunks, each mapped shared by the one thread that writes to it: nothing is buffered, so a process that is killed leaves what it did.
//! Owns: the session (a page that a child of fork finds empty), the file, the mappings of its chunks.
//! Calls: base, os, config, stats.   Called by: heap (which has the recorders), front, abi.
//! Locks: the shared recorder's, tried for a moment.   Threads: any; a recorder is its thread's.
//! Never: allocates, waits for a fork, writes to a chunk of the process it was forked from; changes errno.

mod chunk;
mod event;
mod header;
mod pen;
mod recorder;
mod session;

use core::sync::atomic::{AtomicU8, Ordering};

use crate::config;
use crate::config::get;

pub(crate) use event::Event;
pub(crate) use recorder::{Recorder, note_aside};
pub(crate) use session::at_exit;

/// | state | means                              | leaves by                                                |
/// |-------|------------------------------------|----------------------------------------------------------|
/// | ASK   | the options are not read yet       | `start` → ON or OFF                                      |
/// | ON    | calls are recorded                 | `stop` → OFF: no room, no memory, no file for a child     |
/// | OFF   | none is                            | never                                                    |
static STATE: AtomicU8 = AtomicU8::new(ASK);
const OFF: u8 = 0;
const ASK: u8 = 1;
const ON: u8 = 2;

/// Whether calls are recorded, or that is not known yet: `start` tells. What slow paths ask first.
#[inline(always)]
pub(crate) fn may_be_on() -> bool {
    // Relaxed, here and below: it publishes nothing; who goes on to the session acquires that.
    STATE.load(Ordering::Relaxed) != OFF
}

/// Whether calls are recorded.
#[inline(always)]
pub(crate) fn is_on() -> bool {
    STATE.load(Ordering::Relaxed) == ON
}

/// Whether the calling thread's calls are to be recorded; makes the file at the process's first. `late`: blocks were handed out before. Any thread.
#[inline]
pub(crate) fn start(late: bool) -> bool {
    match STATE.load(Ordering::Relaxed) {
        ON => true,
        ASK => start_slow(late),
        _ => false,
    }
}

#[cold]
#[inline(never)]
fn start_slow(late: bool) -> bool {
    if !config::ready() {
        return false;
    }
    if get::record() == 0 {
        STATE.store(OFF, Ordering::Relaxed);
        return false;
    }
    session::open(late)
}

fn switch_on() {
    STATE.store(ON, Ordering::Relaxed);
}

/// From now on no thread records; each is told by its next slow path.
fn stop() {
    STATE.store(OFF, Ordering::Relaxed);
}
