//! Ending the process with one line on stderr, and writing there at all: write(2), no buffers, no allocation.

use core::ffi::c_int;
use core::sync::atomic::Ordering;

use errno::Errno;

use super::defect::Defect;
use super::sealed::SEALED;
use super::{file, gate, sigaction, sys};
use crate::base::addr::Addr;
use crate::base::digits::Digits;

/// Writes all of `text` to stderr as far as it can be written.
pub(crate) fn write_stderr(text: &[u8]) {
    if file::write_all(libc::STDERR_FILENO, text) == Err(Errno(libc::EBADF)) {
        write_from_afar(text);
    }
}

/// For a thread with a table of files of its own (`thread::leave_files`), which has no stderr: to the process's.
#[cold]
fn write_from_afar(text: &[u8]) {
    // SAFETY: makes a descriptor of this process.
    let Ok(process) = (unsafe { sys::call(libc::SYS_pidfd_open, [super::process::process_id() as usize, 0]) }) else {
        return;
    };
    // SAFETY: copies a descriptor into this thread's table.
    if let Ok(fd) = unsafe { sys::call(libc::SYS_pidfd_getfd, [process, libc::STDERR_FILENO as usize, 0]) } {
        // Refused, there is nobody to tell.
        let _ = file::write_all(fd as c_int, text);
        file::close(fd as c_int);
    }
    file::close(process as c_int);
}

/// What a box found wrong under a lock: the caller reports it once it holds none. A program's SIGABRT handler may
/// allocate, and must find every lock free.
#[must_use = "misuse ends the process"]
pub(crate) struct Misuse {
    pub(crate) what: Defect,
    pub(crate) at: Addr,
}

impl Misuse {
    #[cold]
    pub(crate) fn die(self) -> ! {
        die(self.what, self.at)
    }
}

/// Sets who is called with the address of each report, to say more about it: `trace`, if it is on. By the library's constructor.
pub(crate) fn set_witness(witness: fn(Addr)) {
    // Relaxed: code is there from the start.
    SEALED.witness.store(witness as *mut (), Ordering::Relaxed);
}

/// Says `hakmem: <what> (0x<address>)` in one write and aborts.
#[cold]
#[inline(never)]
pub(crate) fn die(what: Defect, at: Addr) -> ! {
    end(&[Part::Text(what.text())], at)
}

/// `die` for a block of `bytes` bytes: `hakmem: <what>, <bytes> bytes (0x<address>)`.
#[cold]
#[inline(never)]
pub(crate) fn die_sized(what: Defect, bytes: usize, at: Addr) -> ! {
    end(&[Part::Text(what.text()), Part::Text(", "), Part::Number(bytes), Part::Text(" bytes")], at)
}

fn end(parts: &[Part], at: Addr) -> ! {
    report(parts, at, at);
    // The program's handler may allocate, and jump away.
    gate::abandon();
    sigaction::abort()
}

/// A piece of a report.
pub(crate) enum Part {
    Text(&'static str),
    Number(usize),
}

/// Writes `hakmem: <parts> (0x<at>)` in one write, and has the witness say more about `block`.
#[cold]
#[inline(never)]
pub(crate) fn report(parts: &[Part], at: Addr, block: Addr) {
    let mut line = Line { bytes: [0; 160], len: 0 };
    line.put(b"hakmem: ");
    for part in parts {
        match part {
            Part::Text(text) => line.put(text.as_bytes()),
            Part::Number(number) => line.put(Digits::decimal(*number as u64).bytes()),
        }
    }
    line.put(b" (0x");
    line.put(Digits::hex(at.0 as u64).bytes());
    line.put(b")\n");
    write_stderr(line.bytes.get(..line.len).unwrap_or_default());
    // Relaxed: see `set_witness`.
    let witness = SEALED.witness.load(Ordering::Relaxed);
    if !witness.is_null() {
        // SAFETY: set from a `fn(Addr)` only.
        let witness: fn(Addr) = unsafe { core::mem::transmute(witness) };
        witness(block);
    }
}

/// Feature `paranoid`: unless `holds`, names the broken invariant, by its number, and aborts.
#[cfg(feature = "paranoid")]
pub(crate) fn require(holds: bool, what: &'static str, at: Addr) {
    if !holds {
        report(&[Part::Text(what)], at, at);
        sigaction::abort()
    }
}

struct Line {
    bytes: [u8; 160],
    len: usize,
}

impl Line {
    fn put(&mut self, text: &[u8]) {
        for &byte in text {
            if let Some(slot) = self.bytes.get_mut(self.len) {
                *slot = byte;
                self.len += 1;
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! trap {
    () => {
        "ud2"
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! trap {
    () => {
        "brk #1"
    };
}

// What build.rs names as the personality of unwinding in the shared library. Nothing here unwinds, and the runtime's own
// personality would keep all of its panic machinery alive: 600 KiB of code, and 80 bytes of static TLS in every thread.
#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
core::arch::global_asm!(
    ".text",
    ".hidden hakmem_no_personality",
    ".globl hakmem_no_personality",
    ".type hakmem_no_personality, @function",
    "hakmem_no_personality:",
    trap!(),
    ".size hakmem_no_personality, . - hakmem_no_personality",
);
