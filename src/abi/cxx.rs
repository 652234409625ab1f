//! C++'s operator new and delete, in every form.
//!
//! A failing form is handed to the next definition of the same symbol, the C++ runtime's: that one runs the new-handler
//! and throws. It is entered by a jump, so that no Rust frame is unwound, and found by `dlsym` only then.

use core::ffi::{CStr, c_char, c_void};

use crate::base::addr::Addr;
use crate::front;
use crate::os;

/// A form of `new`: its C++ name, its parameters after the size, and how it allocates.
macro_rules! new {
    ($name:ident, $symbol:literal, ($($param:ident: $type:ty),*), $alloc:expr) => {
        /// # Safety
        /// As the C++ form of this name.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(size: usize, $($param: $type),*) -> *mut c_void {
            let allocate: fn(usize, $($type),*) -> *mut u8 = $alloc;
            let block = allocate(size, $($param),*);
            if block.is_null() {
                // SAFETY: the same arguments go to the next form of the same name.
                return unsafe { failed::$name(size, $($param),*) };
            }
            block.cast()
        }
    };
}

/// The other way out of each form of `new`.
mod failed {
    use super::*;

    macro_rules! failed {
        ($name:ident, $symbol:literal, ($($param:ident: $type:ty),*)) => {
            #[cfg(target_arch = "x86_64")]
            #[cold]
            #[unsafe(naked)]
            pub(super) unsafe extern "C" fn $name(size: usize, $($param: $type),*) -> *mut c_void {
                extern "C" fn find() -> *const c_void {
                    next($symbol)
                }
                core::arch::naked_asm!(
                    "push rdi",
                    "push rsi",
                    "push rdx",
                    "call {find}",
                    "pop rdx",
                    "pop rsi",
                    "pop rdi",
                    "jmp rax",
                    find = sym find,
                )
            }

            #[cfg(not(target_arch = "x86_64"))]
            #[cold]
            pub(super) unsafe extern "C-unwind" fn $name(size: usize, $($param: $type),*) -> *mut c_void {
                // SAFETY: a form of this name has this signature.
                let form: unsafe extern "C-unwind" fn(usize, $($type),*) -> *mut c_void =
                    unsafe { core::mem::transmute(next($symbol)) };
                // SAFETY: the caller's arguments.
                unsafe { form(size, $($param),*) }
            }
        };
    }

    failed!(_Znwm, c"_Znwm", ());
    failed!(_Znam, c"_Znam", ());
    failed!(_ZnwmSt11align_val_t, c"_ZnwmSt11align_val_t", (align: usize));
    failed!(_ZnamSt11align_val_t, c"_ZnamSt11align_val_t", (align: usize));
    failed!(_ZnwmRKSt9nothrow_t, c"_ZnwmRKSt9nothrow_t", (tag: *const c_void));
    failed!(_ZnamRKSt9nothrow_t, c"_ZnamRKSt9nothrow_t", (tag: *const c_void));
    failed!(_ZnwmSt11align_val_tRKSt9nothrow_t, c"_ZnwmSt11align_val_tRKSt9nothrow_t", (align: usize, tag: *const c_void));
    failed!(_ZnamSt11align_val_tRKSt9nothrow_t, c"_ZnamSt11align_val_tRKSt9nothrow_t", (align: usize, tag: *const c_void));
}

/// The next definition of `symbol` behind this library's; a program that calls it without a C++ runtime is ended.
#[cold]
fn next(symbol: &'static CStr) -> *const c_void {
    // SAFETY: constant strings; no lock of ours is held, so these may allocate.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, symbol.as_ptr()) };
    if !found.is_null() {
        return found;
    }
    // A runtime that a plug-in brought along is not behind us in the search order, but loaded.
    const RUNTIMES: [*const c_char; 2] = [c"libstdc++.so.6".as_ptr(), c"libc++.so.1".as_ptr()];
    for runtime in RUNTIMES {
        // SAFETY: as above; NOLOAD only asks.
        let handle = unsafe { libc::dlopen(runtime, libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
        if !handle.is_null() {
            // SAFETY: as above.
            let found = unsafe { libc::dlsym(handle, symbol.as_ptr()) };
            if !found.is_null() {
                return found;
            }
        }
    }
    os::die("new: out of memory, and no C++ runtime to throw", Addr::NULL)
}

fn plain(size: usize) -> *mut u8 {
    front::alloc(size)
}

fn aligned(size: usize, align: usize) -> *mut u8 {
    front::alloc_aligned(size, align.max(1).next_power_of_two())
}

new!(_Znwm, c"_Znwm", (), plain);
new!(_Znam, c"_Znam", (), plain);
new!(_ZnwmSt11align_val_t, c"", (align: usize), aligned);
new!(_ZnamSt11align_val_t, c"", (align: usize), aligned);
new!(_ZnwmRKSt9nothrow_t, c"", (tag: *const c_void), |size, _| plain(size));
new!(_ZnamRKSt9nothrow_t, c"", (tag: *const c_void), |size, _| plain(size));
new!(_ZnwmSt11align_val_tRKSt9nothrow_t, c"", (align: usize, tag: *const c_void), |size, align, _| aligned(size, align));
new!(_ZnamSt11align_val_tRKSt9nothrow_t, c"", (align: usize, tag: *const c_void), |size, align, _| aligned(size, align));

/// A form of `delete`: all of them free, whatever size and alignment they are told.
macro_rules! delete {
    ($($name:ident($($param:ident: $type:ty),*);)*) => {$(
        /// # Safety
        /// As `free`.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(block: *mut c_void, $($param: $type),*) {
            front::free(block.cast());
        }
    )*};
}

delete! {
    _ZdlPv();
    _ZdaPv();
    _ZdlPvm(_size: usize);
    _ZdaPvm(_size: usize);
    _ZdlPvSt11align_val_t(_align: usize);
    _ZdaPvSt11align_val_t(_align: usize);
    _ZdlPvmSt11align_val_t(_size: usize, _align: usize);
    _ZdaPvmSt11align_val_t(_size: usize, _align: usize);
    _ZdlPvRKSt9nothrow_t(_tag: *const c_void);
    _ZdaPvRKSt9nothrow_t(_tag: *const c_void);
    _ZdlPvSt11align_val_tRKSt9nothrow_t(_align: usize, _tag: *const c_void);
    _ZdaPvSt11align_val_tRKSt9nothrow_t(_align: usize, _tag: *const c_void);
}
