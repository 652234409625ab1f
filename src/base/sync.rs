//! The atomics of lock-free code. `tests/loom` compiles that code with loom's in place of this file.

pub(crate) use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

/// Orders what the calling thread did, in the last place a successful compare-exchange or swap, before what it does next,
/// for all who put one between: of two that each write and then read what the other wrote, one at least sees the other's.
#[inline(always)]
pub(crate) fn barrier() {
    // A locked instruction is a full barrier already; a fence would be a second one.
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    core::sync::atomic::compiler_fence(Ordering::SeqCst);
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    core::sync::atomic::fence(Ordering::SeqCst);
}

/// Words that nobody writes any more, as what they hold.
///
/// # Safety
/// All that was written to them happened before, and nothing will be as long as the result lives.
pub(crate) unsafe fn settled(words: &[AtomicUsize]) -> &[usize] {
    // SAFETY: the same words, which others at most read (caller).
    unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), words.len()) }
}

/// How often who waits for a lock looks again before it sleeps. What is done under one takes some hundred nanoseconds: a short spin
/// saves two system calls.
pub(crate) const LOOKS: u32 = 100;

/// `bits ^ words[index]`, the word read Relaxed. HOT.
///
/// Two instructions fewer than a load makes of it: the compiler takes a register for what it loads atomically.
///
/// # Safety
/// `index` is below the length of `words`.
#[inline(always)]
pub(crate) unsafe fn xor_relaxed(bits: u64, words: &[AtomicU64], index: usize) -> u64 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        let mut bits = bits;
        // SAFETY: reads a word of `words`, all of it at once, as an aligned load of eight bytes does on x86-64.
        unsafe {
            core::arch::asm!(
                "xor {bits}, qword ptr [{words} + 8 * {index}]",
                bits = inout(reg) bits,
                words = in(reg) words.as_ptr(),
                index = in(reg) index,
                options(pure, readonly, nostack),
            );
        }
        bits
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    {
        // SAFETY: by the caller.
        bits ^ unsafe { words.get_unchecked(index) }.load(Ordering::Relaxed)
    }
}
