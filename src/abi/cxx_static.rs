//! Failing `new` where no C++ runtime can be found by name: in a program that is wholly static, or has a runtime of its own
//! in it. What this needs of that runtime are weak references: they are there if it was linked in, and linking does not ask for it.
//! A program that catches has enough of it.

use core::ffi::c_void;

use crate::base::addr::Addr;
use crate::front;
use crate::os::{self, Defect};

unsafe extern "C" {
    fn hakmem_new_plain();
    fn hakmem_new_aligned();
}

/// What serves the form of `new` that is called `symbol` in the runtime's place. `None`: no form of new.
pub(super) fn form_of(symbol: &[u8]) -> Option<*mut c_void> {
    if !symbol.starts_with(b"_Zn") {
        None
    } else if symbol.ends_with(b"nothrow_t") {
        Some(nothing as extern "C" fn() -> *mut c_void as *mut c_void)
    } else if symbol.ends_with(b"align_val_t") {
        Some(hakmem_new_aligned as unsafe extern "C" fn() as *mut c_void)
    } else {
        Some(hakmem_new_plain as unsafe extern "C" fn() as *mut c_void)
    }
}

/// No new-handler is run for a `nothrow` form: it may throw, and nothing here could catch that.
extern "C" fn nothing() -> *mut c_void {
    core::ptr::null_mut()
}

/// Once more, after a new-handler. `align` 0: any.
extern "C" fn again(size: usize, align: usize) -> *mut u8 {
    if align == 0 { front::alloc(size) } else { front::alloc_aligned(size, align) }
}

extern "C" fn no_runtime() -> ! {
    os::die(Defect::NEW_MUST_THROW, Addr::NULL)
}

// As libstdc++'s `operator new`: new-handlers, as long as there is one, then `throw std::bad_alloc()`. Assembly, for a Rust
// frame can't be unwound. `hakmem_new_aligned` may be entered by itself: its second argument is the alignment. Where nothing names bad_alloc, nothing can catch it but by its base or as any: then another of that
// base is thrown, which every runtime that catches has.
core::arch::global_asm!(
    ".weak _ZSt15get_new_handlerv",
    ".weak __cxa_allocate_exception",
    ".weak __cxa_throw",
    ".weak _ZTVSt9bad_alloc",
    ".weak _ZTISt9bad_alloc",
    ".weak _ZNSt9bad_allocD1Ev",
    ".weak _ZTVSt13bad_exception",
    ".weak _ZTISt13bad_exception",
    ".weak _ZNSt13bad_exceptionD1Ev",
    ".text",
    ".hidden hakmem_new_plain",
    ".globl hakmem_new_plain",
    ".type hakmem_new_plain, @function",
    ".hidden hakmem_new_aligned",
    ".globl hakmem_new_aligned",
    ".type hakmem_new_aligned, @function",
);

#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(
    ".text",
    "hakmem_new_plain:",
    ".cfi_startproc",
    "xor esi, esi",
    "hakmem_new_aligned:",
    "push rbx",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbx, -16",
    "push r12",
    ".cfi_def_cfa_offset 24",
    ".cfi_offset r12, -24",
    "sub rsp, 8",
    ".cfi_def_cfa_offset 32",
    "mov rbx, rdi",
    "mov r12, rsi",
    "2:",
    "mov rax, qword ptr [rip + _ZSt15get_new_handlerv@GOTPCREL]",
    "test rax, rax",
    "jz 3f",
    "call rax",
    "test rax, rax",
    "jz 3f",
    "call rax",
    "mov rdi, rbx",
    "mov rsi, r12",
    "call {again}",
    "test rax, rax",
    "jz 2b",
    "add rsp, 8",
    ".cfi_remember_state",
    ".cfi_def_cfa_offset 24",
    "pop r12",
    ".cfi_def_cfa_offset 16",
    "pop rbx",
    ".cfi_def_cfa_offset 8",
    "ret",
    ".cfi_restore_state",
    "3:",
    "mov rbx, qword ptr [rip + _ZTISt9bad_alloc@GOTPCREL]",
    "mov r12, qword ptr [rip + _ZTVSt9bad_alloc@GOTPCREL]",
    "mov rdx, qword ptr [rip + _ZNSt9bad_allocD1Ev@GOTPCREL]",
    "test rbx, rbx",
    "jnz 5f",
    "mov rbx, qword ptr [rip + _ZTISt13bad_exception@GOTPCREL]",
    "mov r12, qword ptr [rip + _ZTVSt13bad_exception@GOTPCREL]",
    "mov rdx, qword ptr [rip + _ZNSt13bad_exceptionD1Ev@GOTPCREL]",
    "5:",
    "mov qword ptr [rsp], rdx",
    "mov rax, qword ptr [rip + __cxa_allocate_exception@GOTPCREL]",
    "test rbx, rbx",
    "jz 4f",
    "test r12, r12",
    "jz 4f",
    "test rax, rax",
    "jz 4f",
    "mov edi, 8", // all of a bad_alloc is the pointer to its functions
    "call rax",
    "add r12, 16",
    "mov qword ptr [rax], r12",
    "mov rdi, rax",
    "mov rsi, rbx",
    "mov rdx, qword ptr [rsp]",
    "mov rax, qword ptr [rip + __cxa_throw@GOTPCREL]",
    "call rax",
    "4:",
    "call {no_runtime}",
    ".cfi_endproc",
    ".size hakmem_new_plain, . - hakmem_new_plain",
    again = sym again,
    no_runtime = sym no_runtime,
);

#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(
    ".text",
    ".p2align 2",
    "hakmem_new_plain:",
    ".cfi_startproc",
    "mov x1, xzr",
    "hakmem_new_aligned:",
    "stp x29, x30, [sp, #-48]!",
    ".cfi_def_cfa_offset 48",
    ".cfi_offset x29, -48",
    ".cfi_offset x30, -40",
    "stp x19, x20, [sp, #16]",
    ".cfi_offset x19, -32",
    ".cfi_offset x20, -24",
    "str x21, [sp, #32]",
    ".cfi_offset x21, -16",
    "mov x29, sp",
    "mov x19, x0",
    "mov x20, x1",
    "2:",
    "adrp x8, :got:_ZSt15get_new_handlerv",
    "ldr x8, [x8, :got_lo12:_ZSt15get_new_handlerv]",
    "cbz x8, 3f",
    "blr x8",
    "cbz x0, 3f",
    "blr x0",
    "mov x0, x19",
    "mov x1, x20",
    "bl {again}",
    "cbz x0, 2b",
    ".cfi_remember_state",
    "ldr x21, [sp, #32]",
    "ldp x19, x20, [sp, #16]",
    "ldp x29, x30, [sp], #48",
    ".cfi_def_cfa_offset 0",
    ".cfi_restore x19",
    ".cfi_restore x20",
    ".cfi_restore x21",
    ".cfi_restore x29",
    ".cfi_restore x30",
    "ret",
    ".cfi_restore_state",
    "3:",
    "adrp x19, :got:_ZTISt9bad_alloc",
    "ldr x19, [x19, :got_lo12:_ZTISt9bad_alloc]",
    "adrp x20, :got:_ZTVSt9bad_alloc",
    "ldr x20, [x20, :got_lo12:_ZTVSt9bad_alloc]",
    "adrp x21, :got:_ZNSt9bad_allocD1Ev",
    "ldr x21, [x21, :got_lo12:_ZNSt9bad_allocD1Ev]",
    "cbnz x19, 5f",
    "adrp x19, :got:_ZTISt13bad_exception",
    "ldr x19, [x19, :got_lo12:_ZTISt13bad_exception]",
    "adrp x20, :got:_ZTVSt13bad_exception",
    "ldr x20, [x20, :got_lo12:_ZTVSt13bad_exception]",
    "adrp x21, :got:_ZNSt13bad_exceptionD1Ev",
    "ldr x21, [x21, :got_lo12:_ZNSt13bad_exceptionD1Ev]",
    "5:",
    "adrp x8, :got:__cxa_allocate_exception",
    "ldr x8, [x8, :got_lo12:__cxa_allocate_exception]",
    "cbz x19, 4f",
    "cbz x20, 4f",
    "cbz x8, 4f",
    "mov w0, #8", // all of a bad_alloc is the pointer to its functions
    "blr x8",
    "add x20, x20, #16",
    "str x20, [x0]",
    "mov x1, x19",
    "mov x2, x21",
    "adrp x8, :got:__cxa_throw",
    "ldr x8, [x8, :got_lo12:__cxa_throw]",
    "blr x8",
    "4:",
    "bl {no_runtime}",
    ".cfi_endproc",
    ".size hakmem_new_plain, . - hakmem_new_plain",
    again = sym again,
    no_runtime = sym no_runtime,
);
