//! Taking a stack, or writing a profile, on a stack of the profiler's own: that needs some KiB, and a thread or a coroutine may have no more.
//!
//! The frame that changes stacks says so by its frame pointer, which is all that the unwinder needs to find its way back.

use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::frame_pointers::{self, DEPTH};
use crate::base::addr::Addr;
use crate::base::layout::At;
use crate::os;
use crate::os::names::{self, Name};
use crate::trace::{self, OWN};

/// Stacks, so many threads may unwind at once. A signal's handler may run on one of them.
const COUNT: u32 = 16;
const BYTES: usize = 128 << 10;

/// Where the stacks lie, each with a guard page before it; 0 until they are mapped.
static STACKS: AtomicUsize = AtomicUsize::new(0);
/// Where a reader outside of the process finds that, and how many bytes there are.
pub(super) const AT: At = At((&raw const STACKS).cast());
pub(super) const ALL: usize = COUNT as usize * BYTES;

/// A bit for each that is in use.
static USED: AtomicU32 = AtomicU32::new(0);

/// Maps the stacks. `false`: refused.
pub(super) fn map() -> bool {
    if STACKS.load(Ordering::Relaxed) != 0 {
        return true;
    }
    let Some(at) = os::map(COUNT as usize * BYTES) else { return false };
    names::give(at, COUNT as usize * BYTES, Name::Profile);
    os::advise_huge(at, COUNT as usize * BYTES, false);
    for number in 0..COUNT as usize {
        os::guard(at.offset(number * BYTES), os::page_size());
    }
    // Release pairs with the Acquire in `with`.
    STACKS.store(at.0, Ordering::Release);
    true
}

/// A stack that is in use until this is dropped.
struct Claimed(u32);

impl Claimed {
    fn any() -> Option<Claimed> {
        // Acquire pairs with the Release in `drop`: its last user is off it.
        let claim = |used: u32| (used.trailing_ones() < COUNT).then(|| used | (1 << used.trailing_ones()));
        let used = USED.fetch_update(Ordering::Acquire, Ordering::Relaxed, claim).ok()?;
        Some(Claimed(used.trailing_ones()))
    }

    /// Its upper end.
    fn top(&self) -> Option<Addr> {
        let start = STACKS.load(Ordering::Acquire);
        (start != 0).then(|| Addr(start).offset((self.0 as usize + 1) * BYTES))
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        USED.fetch_and(!(1 << self.0), Ordering::Release);
    }
}

/// In a child of fork nobody else is on any.
pub(super) fn forget() {
    USED.store(0, Ordering::Relaxed);
}

/// Why nothing was run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NoStack {
    /// They could not be mapped.
    Never,
    /// All are in use.
    Now,
}

struct Call<'a> {
    run: &'a mut dyn FnMut(),
}

/// Calls `run` on a stack of the profiler's own: the caller's may have no more than a KiB.
#[inline(never)]
pub(super) fn run(run: &mut dyn FnMut()) -> Result<(), NoStack> {
    let claimed = Claimed::any().ok_or(NoStack::Now)?;
    let top = claimed.top().ok_or(NoStack::Never)?;
    let mut call = Call { run };
    // SAFETY: `top` is the upper end of a stack that nobody else uses; `called` gets our `call`, which outlives it.
    unsafe { hakmem_on_stack(top.as_ptr(), called, (&raw mut call).cast()) };
    Ok(())
}

unsafe extern "C" fn called(call: *mut c_void) {
    // SAFETY: `run` passed it.
    let call = unsafe { &mut *call.cast::<Call>() };
    (call.run)();
}

/// Calls `look` with the frames that led into this library, innermost first. `false`: no stack was free to do it on.
pub(super) fn with(look: &mut dyn FnMut(&[usize])) -> bool {
    run(&mut || {
        if frame_pointers::with(look) {
            return;
        }
        let mut raw = [core::ptr::null_mut::<c_void>(); DEPTH + OWN];
        let frames = trace::unwind(&mut raw);
        let frames = frames.get(..frames.len().min(DEPTH)).unwrap_or_default();
        // SAFETY: pointers, as the numbers they are.
        look(unsafe { core::slice::from_raw_parts(frames.as_ptr().cast::<usize>(), frames.len()) });
    })
    .is_ok()
}

unsafe extern "C" {
    /// Calls `function` with `argument` on the stack that ends at `top`.
    fn hakmem_on_stack(top: *mut u8, function: unsafe extern "C" fn(*mut c_void), argument: *mut c_void);
}

#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(
    ".text",
    ".p2align 4",
    ".hidden hakmem_on_stack",
    ".globl hakmem_on_stack",
    ".type hakmem_on_stack, @function",
    "hakmem_on_stack:",
    ".cfi_startproc",
    "push rbp",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbp, -16",
    "mov rbp, rsp",
    ".cfi_def_cfa_register rbp",
    "mov rsp, rdi",
    "mov rdi, rdx",
    "call rsi",
    "mov rsp, rbp",
    "pop rbp",
    ".cfi_def_cfa rsp, 8",
    "ret",
    ".cfi_endproc",
    ".size hakmem_on_stack, . - hakmem_on_stack",
);

#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(
    ".text",
    ".p2align 2",
    ".hidden hakmem_on_stack",
    ".globl hakmem_on_stack",
    ".type hakmem_on_stack, %function",
    "hakmem_on_stack:",
    ".cfi_startproc",
    "stp x29, x30, [sp, #-16]!",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset x29, -16",
    ".cfi_offset x30, -8",
    "mov x29, sp",
    ".cfi_def_cfa x29, 16",
    "mov sp, x0",
    "mov x0, x2",
    "blr x1",
    "mov sp, x29",
    "ldp x29, x30, [sp], #16",
    ".cfi_def_cfa sp, 0",
    "ret",
    ".cfi_endproc",
    ".size hakmem_on_stack, . - hakmem_on_stack",
);

/// Elsewhere on the caller's.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
unsafe fn hakmem_on_stack(_: *mut u8, function: unsafe extern "C" fn(*mut c_void), argument: *mut c_void) {
    // SAFETY: the caller's.
    unsafe { function(argument) };
}
