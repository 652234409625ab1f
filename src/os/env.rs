//! The environment, read without allocating and only once libc has it.

use core::ffi::{CStr, c_char};

unsafe extern "C" {
    static environ: *const *const c_char;
    static program_invocation_short_name: *const c_char;
}

/// The program's name without its directory, as libc keeps it; empty before libc has it.
pub(crate) fn program() -> &'static [u8] {
    // SAFETY: a plain read of libc's variable, which libc sets once, before constructors run.
    let name = unsafe { program_invocation_short_name };
    if name.is_null() {
        return b"";
    }
    // SAFETY: libc points it into the arguments of `main`, which stay: a null-terminated string.
    unsafe { CStr::from_ptr(name) }.to_bytes()
}

/// Every `NAME=value` of the environment; `None` while libc has not set `environ` (inside the loader's start).
pub(crate) fn variables() -> Option<Variables> {
    // SAFETY: a plain read of libc's variable; we are called before the program's first thread, or under the
    // config lock at first use.
    let list = unsafe { environ };
    (!list.is_null()).then_some(Variables(list))
}

/// Whether the kernel started us with another user's rights: then the environment is not to be trusted.
pub(crate) fn is_privileged() -> bool {
    // SAFETY: reads the auxiliary vector.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// What the program says in `const char *hak_options`, if it defines that. Call it only once libc has the environment: then
/// all libraries and the program are relocated.
pub(crate) fn program_options() -> Option<&'static [u8]> {
    let place: *const *const c_char;
    // SAFETY: reads the address from the table that the linker fills; 0 where nobody defines it. Assembly, for a static of Rust's
    // can't be weak; by a name of its own, for `.weak hak_options` is refused where the definition is in the same object
    // (`options!` and link-time optimisation).
    #[cfg(target_arch = "x86_64")]
    unsafe {
        core::arch::asm!(
            ".weakref hakmem_program_options, hak_options",
            "mov {}, qword ptr [rip + hakmem_program_options@GOTPCREL]",
            out(reg) place,
            options(pure, readonly, nostack, preserves_flags)
        );
    }
    // SAFETY: likewise.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        core::arch::asm!(
            ".weakref hakmem_program_options, hak_options",
            "adrp {0}, :got:hakmem_program_options",
            "ldr {0}, [{0}, :got_lo12:hakmem_program_options]",
            out(reg) place,
            options(pure, readonly, nostack, preserves_flags)
        );
    }
    // SAFETY: not null, so the program's variable, a pointer to a string or null (docs/OPTIONS.md).
    let text = *unsafe { place.as_ref() }?;
    // SAFETY: likewise; the string stays, as the document asks.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// A program's, in the module that asks for it, as with link-time optimisation.
#[cfg(test)]
#[used]
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
static hak_options: &[u8; 1] = b"\0";

pub(crate) struct Variables(*const *const c_char);

impl Iterator for Variables {
    type Item = &'static [u8];

    fn next(&mut self) -> Option<&'static [u8]> {
        // SAFETY: `self.0` points into the null-terminated array `environ`, and we stop at its null.
        let entry = unsafe { *self.0 };
        if entry.is_null() {
            return None;
        }
        // SAFETY: the entry was not the null, so the next one exists.
        self.0 = unsafe { self.0.add(1) };
        // SAFETY: environment entries are null-terminated strings.
        Some(unsafe { CStr::from_ptr(entry) }.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_programs_options_are_found() {
        assert_eq!(super::program_options(), Some(&b""[..]));
    }
}
