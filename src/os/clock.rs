//! The time, from the kernel's page of code that reads it without entering the kernel (vDSO). libc's `clock_gettime` goes
//! there too, unless somebody has put another in its place.

use core::ffi::{CStr, c_int};
use core::sync::atomic::Ordering;

use super::elf::{Dynamic, Symbols};
use super::sealed::SEALED;
use super::sys;

#[cfg(target_arch = "x86_64")]
const NAME: &CStr = c"__vdso_clock_gettime";
#[cfg(not(target_arch = "x86_64"))]
const NAME: &CStr = c"__kernel_clock_gettime";

/// What `SEALED.reader` says if there is none: Valgrind hides it, for one. 0: not looked for yet.
const NONE: usize = 1;

/// Milliseconds on the coarse monotonic clock, whose resolution is some ms. Some ns a call.
pub(crate) fn monotonic_ms() -> u64 {
    milliseconds(now(libc::CLOCK_MONOTONIC_COARSE))
}

/// Milliseconds since 1970 on the system's clock.
pub(crate) fn realtime_ms() -> u64 {
    milliseconds(now(libc::CLOCK_REALTIME))
}

/// Nanoseconds since 1970 on the system's clock.
pub(crate) fn realtime_ns() -> u64 {
    nanoseconds(libc::CLOCK_REALTIME)
}

pub(super) fn nanoseconds(clock: c_int) -> u64 {
    let time = now(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn milliseconds(time: libc::timespec) -> u64 {
    time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000
}

/// What `clock` says; zero where the kernel refuses.
pub(super) fn now(clock: c_int) -> libc::timespec {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // Relaxed: every writer stores the same address, of code that was there before the program.
    let reader = match SEALED.reader.load(Ordering::Relaxed) {
        0 => find(),
        reader => reader,
    };
    if reader != NONE {
        // SAFETY: the kernel's function of this name has this signature.
        let read: unsafe extern "C" fn(c_int, *mut libc::timespec) -> c_int = unsafe { core::mem::transmute(reader) };
        // SAFETY: a valid out-parameter.
        if unsafe { read(clock, &mut time) } == 0 {
            return time;
        }
    }
    // SAFETY: as above; refused, `time` stays as it is.
    let _ = unsafe { sys::call(libc::SYS_clock_gettime, [clock as usize, (&raw mut time).addr()]) };
    time
}

#[cold]
fn find() -> usize {
    // SAFETY: reads the auxiliary vector.
    let image = unsafe { libc::getauxval(libc::AT_SYSINFO_EHDR) } as usize;
    let found = if image == 0 || cfg!(miri) { 0 } else { look_in(image) };
    let reader = if found == 0 { NONE } else { found };
    if SEALED.is_open() {
        SEALED.reader.store(reader, Ordering::Relaxed);
    }
    reader
}

/// Where the function lies in the kernel's `image`, an ELF file in memory.
fn look_in(image: usize) -> usize {
    // SAFETY: the kernel says that its image is there, with its headers.
    let header = unsafe { &*(image as *const libc::Elf64_Ehdr) };
    let first = (image + header.e_phoff as usize) as *const libc::Elf64_Phdr;
    // SAFETY: as many as the header says.
    let headers = unsafe { core::slice::from_raw_parts(first, header.e_phnum as usize) };
    let find = |kind| headers.iter().find(|header| header.p_type == kind);
    let (Some(load), Some(dynamic)) = (find(libc::PT_LOAD), find(libc::PT_DYNAMIC)) else { return 0 };
    let bias = image.wrapping_add(load.p_offset as usize).wrapping_sub(load.p_vaddr as usize);
    let section = bias.wrapping_add(dynamic.p_vaddr as usize) as *const Dynamic;
    // SAFETY: the image stays; nobody has relocated it, so all of its addresses are the file's.
    unsafe { Symbols::of(section, bias, |value| bias.wrapping_add(value)) }.map_or(0, |symbols| symbols.function(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_function_is_found_and_tells_the_same_time_as_libc() {
        let libc_now = |clock| {
            let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            // SAFETY: a valid out-parameter.
            assert_eq!(unsafe { libc::clock_gettime(clock, &mut time) }, 0);
            (time.tv_sec, time.tv_nsec)
        };
        for clock in [libc::CLOCK_MONOTONIC_COARSE, libc::CLOCK_REALTIME, libc::CLOCK_MONOTONIC] {
            let before = libc_now(clock);
            let time = now(clock);
            assert!(before <= (time.tv_sec, time.tv_nsec) && (time.tv_sec, time.tv_nsec) <= libc_now(clock));
        }
        // SAFETY: reads the auxiliary vector.
        let image = unsafe { libc::getauxval(libc::AT_SYSINFO_EHDR) } as usize;
        assert_eq!(SEALED.reader.load(Ordering::Relaxed) != NONE, image != 0);
    }

    #[test]
    fn a_clock_that_is_not_there_says_zero() {
        assert_eq!(now(9999).tv_sec, 0);
    }
}
