//! Box `record` (L3): while it is on, every call of every thread is written to a file: what was asked for, by whom, when, and which block it was.
//! The file is in chunks, each mapped shared by the one thread that writes to it: nothing is buffered, so a process that is killed leaves what it did.
//! Owns: the session (a page that a child of fork finds empty), the file, the mappings of its chunks.
//! Calls: base, os, config, stats.   Called by: heap (which has the recorders), front, abi.
//! Locks: the shared recorder's, tried for a moment.   Threads: any; a recorder is its thread's.
//! Never: allocates, waits for a fork, writes to a chunk of the process it was forked from; changes errno.

mod chunk;
mod event;
mod header;
mod note;
mod pen;
mod recorder;
mod session;
mod state;

use crate::config;
use crate::config::get;
use state::{ASK, ON};

pub(crate) use event::Event;
pub(crate) use note::note_aside;
pub(crate) use recorder::Recorder;
pub(crate) use session::at_exit;
pub(crate) use state::{is_on, may_be_on};

/// Whether the calling thread's calls are to be recorded; makes the file at the process's first. `late`: blocks were handed out before. Any thread.
#[inline]
pub(crate) fn start(late: bool) -> bool {
    match state::now() {
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
        state::stop();
        return false;
    }
    session::open(late)
}
