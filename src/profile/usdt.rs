//! Probes for an agent outside of the process: `otel_memory`, as the OpenTelemetry eBPF profiler's design for memory has them
//! (design-docs/00003-memory-profiling). The contract may still move, so all of it is here.
//!
//! | probe | arguments | when |
//! |---|---|---|
//! | `alloc` | the block, its size, the bytes that it stands for | a block is sampled |
//! | `free` | the block | a sampled block is freed |
//!
//! A probe is an instruction that does nothing, and a note in the file that says where it is and in which registers its arguments are: an agent has
//! the kernel trap there, and takes the stack itself. While it is attached the kernel counts that in `SEMAPHORE`, which switches the sampling on.

use core::sync::atomic::{AtomicU16, Ordering};

unsafe extern "C" {
    fn hakmem_probe_alloc(block: usize, size: u64, bytes: u64);
    fn hakmem_probe_free(block: usize);
    /// Counted by the kernel, or by who writes to the process's memory. Both probes have it: who wants one wants samples.
    static hakmem_probe_semaphore: AtomicU16;
}

/// Whether an agent is attached.
#[inline]
pub(crate) fn is_attached() -> bool {
    // SAFETY: a word of our own, defined below. Relaxed: the kernel writes it, and it publishes nothing.
    unsafe { &hakmem_probe_semaphore }.load(Ordering::Relaxed) != 0
}

pub(super) fn alloc(block: usize, size: u64, bytes: u64) {
    if is_attached() {
        // SAFETY: does nothing here.
        unsafe { hakmem_probe_alloc(block, size, bytes) };
    }
}

pub(super) fn free(block: usize) {
    if is_attached() {
        // SAFETY: does nothing here.
        unsafe { hakmem_probe_free(block) };
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! arguments {
    (1) => {
        "8@%rdi"
    };
    (3) => {
        "8@%rdi 8@%rsi 8@%rdx"
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! arguments {
    (1) => {
        "8@x0"
    };
    (3) => {
        "8@x0 8@x1 8@x2"
    };
}

/// A function with a probe in it, and its note: length of the owner's name, of the rest, and kind; the name; the addresses of the probe, of
/// `.stapsdt.base` (by which a reader sees whether the file was prelinked) and of the semaphore; provider, probe, arguments.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! probe {
    ($function:literal, $name:literal, $count:tt) => {
        core::arch::global_asm!(
            ".text",
            ".p2align 4",
            concat!(".hidden ", $function),
            concat!(".globl ", $function),
            concat!(".type ", $function, ", %function"),
            concat!($function, ":"),
            ".cfi_startproc",
            "90: nop",
            "ret",
            ".cfi_endproc",
            concat!(".size ", $function, ", . - ", $function),
            ".pushsection .note.stapsdt, \"\", %note",
            ".p2align 2",
            ".4byte 92f - 91f, 94f - 93f, 3",
            "91: .asciz \"stapsdt\"",
            "92: .p2align 2",
            "93: .8byte 90b, hakmem_probe_base, hakmem_probe_semaphore",
            ".asciz \"otel_memory\"",
            concat!(".asciz \"", $name, "\""),
            concat!(".asciz \"", arguments!($count), "\""),
            "94: .p2align 2",
            ".popsection",
        );
    };
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
core::arch::global_asm!(
    ".pushsection .probes, \"aw\", %progbits",
    // A page of its own, the file's last: of one that goes on as .bss the loader writes zeroes over the rest, a page fault in every process.
    ".p2align 12",
    ".hidden hakmem_probe_semaphore",
    ".globl hakmem_probe_semaphore",
    ".type hakmem_probe_semaphore, %object",
    "hakmem_probe_semaphore: .2byte 0",
    ".size hakmem_probe_semaphore, 2",
    ".p2align 12",
    ".popsection",
    ".pushsection .stapsdt.base, \"aR\", %progbits",
    ".hidden hakmem_probe_base",
    ".globl hakmem_probe_base",
    "hakmem_probe_base: .byte 0",
    ".size hakmem_probe_base, 1",
    ".popsection",
);
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
probe!("hakmem_probe_alloc", "alloc", 3);
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
probe!("hakmem_probe_free", "free", 1);
