//! `Header`: the first chunk of the file.

use core::mem::offset_of;
use core::sync::atomic::{AtomicU64, Ordering};

use super::chunk::CHUNK;
use crate::base::addr::Addr;
use crate::os::{self, shared};

const MAGIC: [u8; 8] = *b"HKTRAW\0\x01";
const VERSION: u32 = 1;
/// Of the command line.
const COMMAND_BYTES: usize = 4096;

/// The process was forked from one that was recorded: it frees blocks of which the file knows nothing.
pub(super) const OF_CHILD: u64 = 1;
/// Blocks were handed out before the record began.
pub(super) const BEGUN_LATE: u64 = 2;

/// As the file has it (docs/TRACES.md). Any thread that takes a chunk brings `last` up to date.
#[repr(C)]
pub(super) struct Header {
    magic: [u8; 8],
    version: u32,
    chunk: u32,
    process: u64,
    rate: u64,
    ticks: u64,
    time: u64,
    last_ticks: AtomicU64,
    last_time: AtomicU64,
    dropped: AtomicU64,
    flags: u64,
    command: [u8; COMMAND_BYTES],
}

impl Header {
    /// Writes the header of a file that begins now into its first chunk, which is mapped at `at` and empty.
    pub(super) fn begin(at: Addr, flags: u64) -> &'static Header {
        let (ticks, time) = (os::ticks(), os::realtime_ns());
        let place = at.as_ptr::<Header>();
        // SAFETY: mapped by the caller, longer than a header, of zeroes, which are a valid one, and nobody else's yet.
        let header = unsafe { &mut *place };
        (header.version, header.chunk) = (VERSION, CHUNK as u32);
        (header.process, header.rate) = (os::process_id(), os::ticks_per_second());
        (header.ticks, header.time, header.flags) = (ticks, time, flags);
        shared::read_command(&mut header.command);
        header.touch();
        // Last: a file without it is none.
        header.magic = MAGIC;
        header
    }

    /// Notes that the process was there now.
    pub(super) fn touch(&self) {
        // Relaxed, both: figures, and the last one to write is right.
        self.last_ticks.store(os::ticks(), Ordering::Relaxed);
        self.last_time.store(os::realtime_ns(), Ordering::Relaxed);
    }

    /// Counts an event that is not in the file.
    pub(super) fn drop_one(&self) {
        // Relaxed: a figure.
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

const _: () = {
    assert!(offset_of!(Header, dropped) == 64 && offset_of!(Header, command) == 80, "docs/TRACES.md says so");
    assert!(size_of::<Header>() <= CHUNK);
};
