//! A chunk of the file: 64 KiB, a head and then events up to the first op that is zero.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use crate::base::addr::Addr;

pub(super) const CHUNK: usize = 64 << 10;
pub(super) const HEAD: usize = size_of::<Head>();
const MAGIC: u32 = u32::from_le_bytes(*b"HKTC");

/// As the file has it (docs/TRACES.md).
#[repr(C)]
struct Head {
    magic: AtomicU32,
    thread: u32,
    ticks: u64,
    used: AtomicU32,
    flags: u32,
    base: u64,
}

/// Writes the head of a chunk of this thread that begins now.
///
/// # Safety
/// At `at` an empty chunk is mapped, the caller's alone.
pub(super) unsafe fn begin(at: Addr, thread: u32, ticks: u64, base: usize) {
    let place = at.as_ptr::<Head>();
    // SAFETY: the caller's, and zeroes are a valid head.
    let head = unsafe { &mut *place };
    (head.thread, head.ticks, head.base) = (thread, ticks, base as u64);
    // Release, for a reader of the file while it is written, or after the process was killed: who sees the mark sees the head.
    head.magic.store(MAGIC, Ordering::Release);
}

/// Says how many bytes of the chunk are written.
///
/// # Safety
/// At `at` a chunk is mapped, the caller's alone, or what was put in its place.
pub(super) unsafe fn note_used(at: Addr, used: usize) {
    // SAFETY: the caller's.
    let head = unsafe { &*at.as_ptr::<Head>() };
    // Release, as in `begin`: all events up to there are whole.
    head.used.store(used as u32, Ordering::Release);
}

/// Writes an event's op, by which it becomes part of the file.
///
/// # Safety
/// At `at` is a byte of the caller's chunk.
#[inline(always)]
pub(super) unsafe fn finish(at: Addr, op: u8) {
    // SAFETY: the caller's.
    let byte = unsafe { &*at.as_ptr::<AtomicU8>() };
    // Release, as in `begin`: who sees the op sees the numbers behind it.
    byte.store(op, Ordering::Release);
}

const _: () = assert!(HEAD == 32, "docs/TRACES.md says so");
