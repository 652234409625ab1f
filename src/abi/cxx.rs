//! C++'s operator new and delete, in every form.
//!
//! A form that can't do its work hands it to the next definition of the same symbol, the C++ runtime's, by a jump: no
//! Rust frame is unwound when that one throws. There are two reasons for it:
//! - memory is out: the runtime's `new` runs the new-handler and throws `bad_alloc`;
//! - the program replaces plain `new` or `delete` only: the standard says that the other forms go through those, and the
//!   runtime's do. Ours would hand the program's `delete` a block that it did not make.

use core::ffi::{CStr, c_char, c_void};
use core::sync::atomic::Ordering;

use crate::base::addr::Addr;
use crate::front;
use crate::os::sealed::SEALED;
use crate::os::{self, Defect};

/// Looks who serves plain `new` and `delete`. Called once by the library's constructor; `dlsym` may allocate.
pub(super) fn start() {
    let home = object_of((start as fn()) as *const c_void);
    let replaced = [c"_Znwm", c"_ZdlPv"].into_iter().any(|symbol| {
        // SAFETY: a constant string.
        let serving = unsafe { libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr()) };
        !serving.is_null() && object_of(serving) != home
    });
    // Relaxed: the loader runs constructors before the program's threads.
    SEALED.replaced.store(replaced, Ordering::Relaxed);
    if replaced {
        next::find_all();
    }
}

/// Where the object that holds `code` is loaded.
fn object_of(code: *const c_void) -> Addr {
    let mut info = libc::Dl_info {
        dli_fname: core::ptr::null(),
        dli_fbase: core::ptr::null_mut(),
        dli_sname: core::ptr::null(),
        dli_saddr: core::ptr::null_mut(),
    };
    // SAFETY: `info` is a valid out-parameter.
    unsafe { libc::dladdr(code, &mut info) };
    Addr::of(info.dli_fbase)
}

/// Whether the program brings a plain `new` or `delete` of its own.
fn is_replaced() -> bool {
    // Relaxed: see `start`.
    SEALED.replaced.load(Ordering::Relaxed)
}

/// A form of `new`. `plain` ones are what a program replaces; the others may have to go through the replacement.
macro_rules! new {
    ($($name:ident($size:ident $(, $param:ident: $type:ty)*) plain $plain:literal = $alloc:expr;)*) => {$(
        /// # Safety
        /// As the C++ form of this name.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($size: usize, $($param: $type),*) -> *mut c_void {
            // SAFETY: the same arguments go to the next form of the same name.
            let next = move || unsafe { next::$name($size, $($param),*) };
            if !$plain && is_replaced() {
                return next();
            }
            $alloc(move || next().cast()).cast()
        }
    )*};
}

/// Blocks of an alignment that the program names.
fn aligned(size: usize, align: usize, fail: impl FnOnce() -> *mut u8) -> *mut u8 {
    let block = front::alloc_aligned(size, align);
    if !block.is_null() {
        return block;
    }
    front::expect_rounded();
    fail()
}

new! {
    _Znwm(size) plain true = |fail| front::alloc_or(size, fail);
    _Znam(size) plain false = |fail| front::alloc_or(size, fail);
    _ZnwmRKSt9nothrow_t(size, tag: *const c_void) plain false = |fail| front::alloc_or(size, fail);
    _ZnamRKSt9nothrow_t(size, tag: *const c_void) plain false = |fail| front::alloc_or(size, fail);
    _ZnwmSt11align_val_t(size, align: usize) plain false = |fail| aligned(size, align, fail);
    _ZnamSt11align_val_t(size, align: usize) plain false = |fail| aligned(size, align, fail);
    _ZnwmSt11align_val_tRKSt9nothrow_t(size, align: usize, tag: *const c_void) plain false = |fail| aligned(size, align, fail);
    _ZnamSt11align_val_tRKSt9nothrow_t(size, align: usize, tag: *const c_void) plain false = |fail| aligned(size, align, fail);
}

/// A form of `delete`: all of them free, whatever alignment they are told; strict modes compare the size.
macro_rules! delete {
    ($($name:ident($block:ident $(, $param:ident: $type:ty)*) = $free:expr;)*) => {$(
        /// # Safety
        /// As `free`.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($block: *mut c_void, $($param: $type),*) {
            if is_replaced() {
                // SAFETY: the same arguments go to the next form of the same name.
                return unsafe { next::$name($block.addr(), $($param),*) };
            }
            $free;
        }
    )*};
}

/// The plain form is what a program replaces: it is never passed on.
///
/// # Safety
/// As `free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _ZdlPv(block: *mut c_void) {
    front::free(block.cast());
}

delete! {
    _ZdaPv(block) = front::free(block.cast());
    _ZdlPvm(block, size: usize) = front::free_sized(block.cast(), size);
    _ZdaPvm(block, size: usize) = front::free_sized(block.cast(), size);
    _ZdlPvSt11align_val_t(block, align: usize) = front::free(block.cast());
    _ZdaPvSt11align_val_t(block, align: usize) = front::free(block.cast());
    _ZdlPvmSt11align_val_t(block, size: usize, align: usize) = front::free_rounded(block.cast(), size, align);
    _ZdaPvmSt11align_val_t(block, size: usize, align: usize) = front::free_rounded(block.cast(), size, align);
    _ZdlPvRKSt9nothrow_t(block, tag: *const c_void) = front::free(block.cast());
    _ZdaPvRKSt9nothrow_t(block, tag: *const c_void) = front::free(block.cast());
    _ZdlPvSt11align_val_tRKSt9nothrow_t(block, align: usize, tag: *const c_void) = front::free(block.cast());
    _ZdaPvSt11align_val_tRKSt9nothrow_t(block, align: usize, tag: *const c_void) = front::free(block.cast());
}

/// Jumps to the next definition of each form.
mod next {
    use super::*;
    use crate::os::sealed::FORMS;

    // By assembly, for a Rust function may keep a frame. A size is looked at first: libstdc++ 12 rounds an aligned one near
    // SIZE_MAX up to 0. What is above PTRDIFF_MAX becomes that, which can't be had either; an address is below it.
    macro_rules! next {
        ($($number:literal $name:ident($($param:ident: $type:ty),*) -> $result:ty;)*) => {
        /// The forms' names, each ended by a null.
        static NAMES: [&[u8]; FORMS] = [$(concat!(stringify!($name), "\0").as_bytes()),*];
        $(
            mod $name {
                pub(super) extern "C" fn find() -> *mut super::c_void {
                    super::resolve($number)
                }
            }

            unsafe extern "C" {
                #[link_name = concat!("hakmem_next", stringify!($name))]
                pub(super) fn $name(first: usize, $($param: $type),*) -> $result;
            }

            core::arch::global_asm!(
                ".text",
                concat!(".hidden hakmem_next", stringify!($name)),
                concat!(".globl hakmem_next", stringify!($name)),
                concat!(".type hakmem_next", stringify!($name), ", @function"),
                concat!("hakmem_next", stringify!($name), ":"),
                jump!(),
                concat!(".size hakmem_next", stringify!($name), ", . - hakmem_next", stringify!($name)),
                find = sym $name::find,
            );
        )*};
    }

    #[cfg(target_arch = "x86_64")]
    macro_rules! jump {
        () => {
            "mov rax, 0x7fffffffffffffff
            cmp rdi, rax
            cmova rdi, rax
            push rdi
            push rsi
            push rdx
            call {find}
            pop rdx
            pop rsi
            pop rdi
            jmp rax"
        };
    }

    #[cfg(target_arch = "aarch64")]
    macro_rules! jump {
        () => {
            "mov x3, #0x7fffffffffffffff
            cmp x0, x3
            csel x0, x3, x0, hi
            stp x29, x30, [sp, #-48]!
            mov x29, sp
            stp x0, x1, [sp, #16]
            str x2, [sp, #32]
            bl {find}
            mov x16, x0
            ldr x2, [sp, #32]
            ldp x0, x1, [sp, #16]
            ldp x29, x30, [sp], #48
            br x16"
        };
    }

    /// The next definition of form `number` behind this library's; a program that calls it without a C++ runtime is ended.
    #[cold]
    fn resolve(number: usize) -> *mut c_void {
        let found = find(number);
        if found.is_null() {
            os::die(Defect::NEW_MUST_THROW, Addr::NULL);
        }
        found
    }

    /// Finds all that there are, while it can be noted where: a program that has replaced plain ones goes there each time.
    pub(super) fn find_all() {
        (0..FORMS).for_each(|number| {
            find(number);
        });
    }

    fn find(number: usize) -> *mut c_void {
        let (Some(place), Some(name)) = (SEALED.forms.get(number), NAMES.get(number)) else {
            return core::ptr::null_mut();
        };
        // Relaxed: every writer stores the same address of code that is there already.
        let known = place.load(Ordering::Relaxed);
        if !known.is_null() {
            return known;
        }
        // SAFETY: the bytes end with the only null.
        let symbol = unsafe { CStr::from_bytes_with_nul_unchecked(name) };
        // SAFETY: constant strings; no lock of ours is held, so these may allocate.
        let mut form = unsafe { libc::dlsym(libc::RTLD_NEXT, symbol.as_ptr()) };
        // A runtime that a plug-in brought along is not behind us in the search order, but loaded.
        const RUNTIMES: [*const c_char; 2] = [c"libstdc++.so.6".as_ptr(), c"libc++.so.1".as_ptr()];
        for runtime in RUNTIMES {
            if form.is_null() {
                // SAFETY: as above; NOLOAD only asks.
                let handle = unsafe { libc::dlopen(runtime, libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
                if !handle.is_null() {
                    // SAFETY: as above.
                    form = unsafe { libc::dlsym(handle, symbol.as_ptr()) };
                }
            }
        }
        if form.is_null() {
            form = super::super::cxx_static::form_of(symbol.to_bytes()).unwrap_or(core::ptr::null_mut());
        }
        if !form.is_null() {
            SEALED.remember(place, form);
        }
        form
    }

    next! {
        0 _Znwm() -> *mut c_void;
        1 _Znam() -> *mut c_void;
        2 _ZnwmRKSt9nothrow_t(tag: *const c_void) -> *mut c_void;
        3 _ZnamRKSt9nothrow_t(tag: *const c_void) -> *mut c_void;
        4 _ZnwmSt11align_val_t(align: usize) -> *mut c_void;
        5 _ZnamSt11align_val_t(align: usize) -> *mut c_void;
        6 _ZnwmSt11align_val_tRKSt9nothrow_t(align: usize, tag: *const c_void) -> *mut c_void;
        7 _ZnamSt11align_val_tRKSt9nothrow_t(align: usize, tag: *const c_void) -> *mut c_void;
        8 _ZdaPv() -> ();
        9 _ZdlPvm(size: usize) -> ();
        10 _ZdaPvm(size: usize) -> ();
        11 _ZdlPvSt11align_val_t(align: usize) -> ();
        12 _ZdaPvSt11align_val_t(align: usize) -> ();
        13 _ZdlPvmSt11align_val_t(size: usize, align: usize) -> ();
        14 _ZdaPvmSt11align_val_t(size: usize, align: usize) -> ();
        15 _ZdlPvRKSt9nothrow_t(tag: *const c_void) -> ();
        16 _ZdaPvRKSt9nothrow_t(tag: *const c_void) -> ();
        17 _ZdlPvSt11align_val_tRKSt9nothrow_t(align: usize, tag: *const c_void) -> ();
        18 _ZdaPvSt11align_val_tRKSt9nothrow_t(align: usize, tag: *const c_void) -> ();
    }
}
