//! The TLS word: one pointer per thread, never null, readable before and after everything else.
//!
//! It is a hidden initial-exec symbol written in assembly: stable Rust's `thread_local!` in a cdylib goes through
//! `__tls_get_addr` (arm64: a descriptor's function), which costs a call and may itself allocate. Eight bytes, so `dlopen`
//! finds room for it.

/// What the word points to in a thread that has no heap yet: zeroes, in which every magazine reads as one of no capacity.
/// The heap box asserts that it is long enough.
pub(crate) static NO_HEAP: Zeroes = Zeroes([0; 512]);

/// A page of them, at a page's start: from the low bits of the word one sees what it names.
#[repr(align(4096))]
pub(crate) struct Zeroes(#[expect(dead_code, reason = "read by address")] pub(crate) [u64; 512]);

pub(crate) use word::{get, place, set, thread};

#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
core::arch::global_asm!(
    ".section .tdata,\"awT\",@progbits",
    ".p2align 3",
    ".hidden hakmem_tls_heap",
    ".globl hakmem_tls_heap",
    ".type hakmem_tls_heap, @object",
    ".size hakmem_tls_heap, 8",
    "hakmem_tls_heap: .quad {empty}",
    ".text",
    empty = sym NO_HEAP,
);

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod word {
    #[inline(always)]
    pub(crate) fn get() -> *mut u8 {
        let heap: *mut u8;
        // SAFETY: reads this thread's word; the offset comes from the linker.
        unsafe {
            core::arch::asm!(
                "mov {heap}, qword ptr [rip + hakmem_tls_heap@GOTTPOFF]",
                "mov {heap}, qword ptr fs:[{heap}]",
                heap = out(reg) heap,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        heap
    }

    /// A number that no other thread of the process has, a multiple of 8; the same in a child of fork.
    #[inline(always)]
    pub(crate) fn thread() -> usize {
        let thread: usize;
        // SAFETY: reads the word that the ABI keeps there: the thread pointer itself.
        unsafe {
            core::arch::asm!("mov {}, qword ptr fs:[0]", out(reg) thread, options(pure, readonly, nostack, preserves_flags));
        }
        thread
    }

    /// Where the word is: in the thread's memory, until the thread ends.
    pub(crate) fn place() -> usize {
        let offset: usize;
        // SAFETY: reads a number that the loader has put there before any code of ours runs.
        unsafe {
            core::arch::asm!(
                "mov {offset}, qword ptr [rip + hakmem_tls_heap@GOTTPOFF]",
                offset = out(reg) offset,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        thread().wrapping_add(offset)
    }

    pub(crate) fn set(heap: *mut u8) {
        // SAFETY: writes this thread's word and nothing else.
        unsafe {
            core::arch::asm!(
                "mov {offset}, qword ptr [rip + hakmem_tls_heap@GOTTPOFF]",
                "mov qword ptr fs:[{offset}], {heap}",
                offset = out(reg) _,
                heap = in(reg) heap,
                options(nostack, preserves_flags),
            );
        }
    }
}

#[cfg(all(target_arch = "aarch64", not(miri)))]
mod word {
    /// Leaves in `$offset` how far the word is from the thread pointer. One register: a linker that knows it rewrites both lines.
    macro_rules! offset {
        () => {
            "adrp {offset}, :gottprel:hakmem_tls_heap
            ldr {offset}, [{offset}, :gottprel_lo12:hakmem_tls_heap]"
        };
    }

    #[inline(always)]
    pub(crate) fn get() -> *mut u8 {
        let offset: usize;
        // SAFETY: reads a number that the loader has put there before any code of ours runs.
        unsafe {
            core::arch::asm!(offset!(), offset = out(reg) offset, options(pure, nomem, nostack, preserves_flags));
        }
        let heap: *mut u8;
        // SAFETY: reads this thread's word.
        unsafe {
            core::arch::asm!(
                "ldr {heap}, [{thread}, {offset}]",
                heap = lateout(reg) heap,
                thread = in(reg) thread(),
                offset = in(reg) offset,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        heap
    }

    /// A number that no other thread of the process has, a multiple of 8; the same in a child of fork.
    #[inline(always)]
    pub(crate) fn thread() -> usize {
        let thread: usize;
        // SAFETY: reads the thread pointer.
        unsafe {
            core::arch::asm!("mrs {}, tpidr_el0", out(reg) thread, options(pure, nomem, nostack, preserves_flags));
        }
        thread
    }

    /// Where the word is: in the thread's memory, until the thread ends.
    pub(crate) fn place() -> usize {
        let offset: usize;
        // SAFETY: as in `get`.
        unsafe {
            core::arch::asm!(offset!(), offset = out(reg) offset, options(pure, nomem, nostack, preserves_flags));
        }
        thread().wrapping_add(offset)
    }

    pub(crate) fn set(heap: *mut u8) {
        // SAFETY: writes this thread's word and nothing else.
        unsafe {
            core::arch::asm!(
                offset!(),
                "str {heap}, [{thread}, {offset}]",
                offset = out(reg) _,
                thread = in(reg) thread(),
                heap = in(reg) heap,
                options(nostack, preserves_flags),
            );
        }
    }
}

#[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri))))]
mod word {
    use core::cell::Cell;

    thread_local! {
        static HEAP: Cell<*mut u8> = const { Cell::new((&raw const super::NO_HEAP).cast_mut().cast()) };
    }

    #[inline(always)]
    pub(crate) fn get() -> *mut u8 {
        HEAP.get()
    }

    pub(crate) fn thread() -> usize {
        HEAP.with(|heap| (&raw const *heap).addr())
    }

    /// Nowhere that another thread may write to.
    pub(crate) fn place() -> usize {
        0
    }

    pub(crate) fn set(heap: *mut u8) {
        HEAP.set(heap);
    }
}
