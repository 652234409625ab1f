//! Failing `new` where no C++ runtime can be found by name: in a program that is wholly static, or has a runtime of its own
//! in it. What this needs of that runtime are weak references: they are there if it was linked in, and linking does not ask for it.
//! A program that catches has enough of it.

use core::ffi::c_void;

use crate::base::addr::Addr;
use crate::front;
use crate::os;

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
    os::die("new: out of memory, and no C++ runtime to throw", Addr::NULL)
}

// As libstdc++'s `operator new`: new-handlers, as long as there is one, then `throw std::bad_alloc()`. Assembly, for a Rust
// frame can't be unwound. Where nothing names bad_alloc, nothing can catch it but by its base or as any: then another of that
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
