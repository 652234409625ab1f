//! HAKMEM's own C functions. `include/hakmem.h` is made from this file and hak_types.rs.

use core::ffi::{CStr, c_char, c_int, c_void};

use super::hak_types::*;
use crate::config::{self, Refused};
use crate::front;
use crate::profile;
use crate::report::{self, Totals, walk};
use crate::stats::text::Text;

/// The allocator's name and version, "hakmem X.Y.Z": a constant string. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hak_version() -> *const c_char {
    concat!("hakmem ", env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Prints what was learned, in the form that the environment variable `HAKMEM_POLICY` takes, to stderr: one line, empty
/// behind the `=` when everything is at its default. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hak_policy_print() {
    crate::learn::print();
}

/// The version as one number, major * 1000000 + minor * 1000 + patch. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hak_version_number() -> c_int {
    HAKMEM_VERSION_MAJOR * 1_000_000 + HAKMEM_VERSION_MINOR * 1000 + HAKMEM_VERSION_PATCH
}

/// Fills in the figures of the whole process, as far as `size`, which is `sizeof(struct hak_stats)`, has room. Fields that
/// this library does not know yet are set to 0; `stats->size` says how many bytes it knows.
///
/// Returns 0, or EINVAL when `stats` is null or `size` has no room for one figure; then nothing is written.
/// Any thread, at any time but in a signal handler. Of what other threads keep at hand the figures are right to a block or two each.
/// It looks at every heap and every 2 MiB of memory: microseconds in a small process, milliseconds at many GiB.
/// `stats` is null or points to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_stats_get(stats: *mut hak_stats, size: usize) -> c_int {
    if stats.is_null() || size < 2 * size_of::<u64>() {
        return libc::EINVAL;
    }
    let known = size.min(size_of::<hak_stats>()) / size_of::<u64>() * size_of::<u64>();
    let values = report::values(&Totals::take());
    // SAFETY: `size` bytes at `stats` are the caller's to give (caller).
    unsafe { stats.cast::<u8>().write_bytes(0, size) };
    // SAFETY: as above; `known` is `size` at most. Unaligned: nothing says that the caller's struct is aligned.
    unsafe { stats.cast::<u64>().write_unaligned(known as u64) };
    let figures = known - size_of::<u64>();
    // SAFETY: `figures` bytes behind the first field are within `size`, and `values` has as many: a struct of so many fields.
    unsafe { stats.cast::<u8>().add(size_of::<u64>()).copy_from_nonoverlapping(values.as_ptr().cast(), figures) };
    0
}

/// Prints the statistics as text to stderr. Any thread, at any time but in a signal handler.
#[unsafe(no_mangle)]
pub extern "C" fn hak_stats_print() {
    report::print();
}

/// Writes the statistics as text, as `snprintf` writes: up to `size` bytes with a final null at `buffer`, which may be null
/// when `size` is 0. A null `buffer` counts as one of no size.
///
/// Returns the length of the whole text, without the null. It was cut short if that is not below `size`. The text grows and
/// shrinks with the figures: a buffer for a second call should have some hundred bytes to spare.
/// Any thread, at any time but in a signal handler. Nothing is allocated.
/// `buffer` is null or points to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_stats_text(buffer: *mut c_char, size: usize) -> usize {
    // SAFETY: as the caller says.
    unsafe { print_into(buffer, size, report::write_text) }
}

/// Writes the statistics as one JSON object; docs/STATISTICS.md lists its keys. All else as `hak_stats_text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_stats_json(buffer: *mut c_char, size: usize) -> usize {
    // SAFETY: as the caller says.
    unsafe { print_into(buffer, size, report::write_json) }
}

/// Writes the statistics in Prometheus's text format, version 0.0.4. All else as `hak_stats_text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_stats_prometheus(buffer: *mut c_char, size: usize) -> usize {
    // SAFETY: as the caller says.
    unsafe { print_into(buffer, size, report::write_prometheus) }
}

/// Gives all idle memory back to the kernel: the free blocks that the calling thread keeps at hand, memory kept for reuse, and
/// whole free pages between blocks in use. What other threads keep at hand stays. Returns the bytes given back, 0 if there were none.
/// Any thread, at any time but in a signal handler; milliseconds where much is idle.
#[unsafe(no_mangle)]
pub extern "C" fn hak_trim() -> usize {
    front::trim()
}

/// Hands back the free blocks that the calling thread keeps at hand: they become usable by others, and what it freed of other threads' is
/// sent to them. For a thread that is about to sleep for long. A thread that ends does so by itself. No memory goes back to
/// the kernel by this; `hak_trim` does both. Any thread, at any time but in a signal handler.
#[unsafe(no_mangle)]
pub extern "C" fn hak_thread_flush() {
    front::flush_thread();
}

/// 1 if a block of this allocator starts at `block`, which may be any address, else 0; null is none. Of a block that was freed
/// the answer may be either. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hak_is_ours(block: *const c_void) -> c_int {
    front::is_ours(block.cast_mut().cast()) as c_int
}

/// Bytes that the block at `block` can hold, all of which the program may use; 0 if none of this allocator's starts there.
/// It stays the same until the block is freed or reallocated. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hak_usable_size(block: *const c_void) -> usize {
    front::usable_size(block.cast_mut().cast()).unwrap_or(0)
}

/// The most bytes that may be asked for instead of `size` without its costing more memory: `size`, rounded up as malloc rounds it. `size` itself
/// where so much can't be had, and where HAKMEM_HARDENED or HAKMEM_GUARD_RATE watch what is behind it. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hak_good_size(size: usize) -> usize {
    front::good_size(size)
}

/// As `malloc`, and says how many bytes the block holds, all of which the program may use: `*got`, `size` at least, 0 when null is
/// returned. `got` may be null. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_malloc_at_least(size: usize, got: *mut usize) -> *mut c_void {
    let (block, bytes) = front::alloc_at_least(size);
    if !got.is_null() {
        // SAFETY: the caller's.
        unsafe { got.write(bytes) };
    }
    block.cast()
}

/// Makes the block at `block` hold `most` bytes where it stands, or else as many as can be had there, if those are `least` or more. Its bytes
/// stay as they are, and it is never moved or cut.
///
/// Returns the bytes that it holds then, or 0 if it would hold fewer than `least`: it is as before, and `realloc` is what is left. 0 too
/// when `block` is null. What is no block's start is reported as by `realloc`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_expand(block: *mut c_void, least: usize, most: usize) -> usize {
    if block.is_null() { 0 } else { front::expand(block.cast(), least, most).unwrap_or(0) }
}

/// As `free`, for who knows the size: what was asked for, or what `hak_malloc_at_least`, `hak_expand` or `hak_usable_size` said last. It is
/// what C23 calls `free_sized`. HAKMEM_HARDENED and HAKMEM_GUARD_RATE compare it with the block's own, and report what differs. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_free_sized(block: *mut c_void, size: usize) {
    front::free_sized(block.cast(), size);
}

/// Writes the value of an option, named as in the environment ("HAKMEM_DECAY_MS"), as one would set it there, with a final
/// null. Numbers are decimal, sizes in bytes. `HAKMEM_OPTION_MAX` bytes are always enough.
///
/// Returns 0; EINVAL when `name` or `value` is null; ENOENT when there is no such option; ERANGE when `size` is too small: then
/// `value` is an empty string, if it has room for one. Any thread.
/// `name` is null or a string; `value` is null or points to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_option_get(name: *const c_char, value: *mut c_char, size: usize) -> c_int {
    if name.is_null() || value.is_null() {
        return libc::EINVAL;
    }
    // SAFETY: a string (caller).
    let name = unsafe { CStr::from_ptr(name) }.to_bytes();
    let mut known = false;
    // SAFETY: as the caller says.
    let len = unsafe { print_into(value, size, |text| known = config::write(name, text)) };
    if known && len < size {
        return 0;
    }
    if size > 0 {
        // SAFETY: there is room for one byte (caller).
        unsafe { value.write(0) };
    }
    if known { libc::ERANGE } else { libc::ENOENT }
}

/// Changes an option while the program runs, named and written as in the environment. HAKMEM_HELP=1 and docs/OPTIONS.md
/// say for which that can be done.
///
/// Returns 0; EINVAL when `name` or `value` is null or the option takes no such value; ENOENT when there is no such option; EPERM
/// when it can be set by the environment only. But for 0 nothing is changed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_option_set(name: *const c_char, value: *const c_char) -> c_int {
    if name.is_null() || value.is_null() {
        return libc::EINVAL;
    }
    // SAFETY: strings (caller).
    let (name, value) = unsafe { (CStr::from_ptr(name), CStr::from_ptr(value)) };
    match config::set(name.to_bytes(), value.to_bytes()) {
        Ok(()) => 0,
        Err(Refused::Value) => libc::EINVAL,
        Err(Refused::Unknown) => libc::ENOENT,
        Err(Refused::Fixed) => libc::EPERM,
    }
}

/// Starts the heap profiler, in all threads: from now on one allocation in about `HAKMEM_PROF_RATE` bytes is sampled, with its stack. Where
/// it was started before, that profile goes on.
///
/// Returns 0; ENOMEM when there is no memory for its tables; ENOSYS in a program that is wholly static, whose stacks can't be taken.
/// Any thread, at any time but in a signal handler. The first call loads libc's unwinder, which allocates.
#[unsafe(no_mangle)]
pub extern "C" fn hak_prof_start() -> c_int {
    match front::start_profile() {
        Ok(()) => 0,
        Err(profile::Refused::NoMemory) => libc::ENOMEM,
        Err(profile::Refused::NoUnwinder) => libc::ENOSYS,
    }
}

/// Stops sampling, in all threads. What was sampled is known until it is freed, and `hak_prof_dump` still writes it.
/// Any thread, at any time but in a signal handler.
#[unsafe(no_mangle)]
pub extern "C" fn hak_prof_stop() {
    front::stop_profile();
}

/// Writes the profile as it is now to the file `path`, or, if that is null, to the one that `HAKMEM_PROF_FILE` names. In either `%p` stands
/// for the process's number and `%n` for the number of this profile. As folded stacks if the name ends in ".folded", as a list of what is live if it ends in ".txt", else in
/// pprof's form.
/// The file replaces one of that name, and only its owner can read it.
///
/// Returns 0; ENODATA when the profiler was never started; EBUSY while another thread writes one; EPERM in a set-user-ID program; EEXIST when
/// something other than a file has that name; else the errno of the call that failed. Then there is no new file.
/// Any thread, at any time but in a signal handler. `path` is null or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_prof_dump(path: *const c_char) -> c_int {
    // SAFETY: a string (caller).
    let path = (!path.is_null()).then(|| unsafe { CStr::from_ptr(path) });
    profile::dump(path).err().unwrap_or(0)
}

/// Calls `visit` with `arg` for each block size in use, the smallest first, then once for all large blocks if there are any.
/// The figures are taken before the first call, and no lock is held during any.
///
/// Returns 0 after the last call; EINVAL when `visit` is null; else what `visit` returned that was not 0 and ended the walk.
/// Any thread, at any time but in a signal handler. The kernel is asked about all memory in use: a millisecond for each few hundred MiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_heap_walk(visit: hak_heap_visit, arg: *mut c_void) -> c_int {
    let Some(visit) = visit else { return libc::EINVAL };
    walk::each(|entry| {
        let class = hak_heap_class {
            size: size_of::<hak_heap_class>() as u64,
            block_size: entry.block_size,
            spans: entry.spans,
            span_bytes: entry.span_bytes,
            blocks: entry.blocks,
            live: entry.live,
            cached: entry.cached,
            free: entry.free,
            live_bytes: entry.live_bytes,
            resident_bytes: entry.resident_bytes,
        };
        // SAFETY: as the caller says; `class` outlives the call.
        unsafe { visit(&class, arg) }
    })
}

/// What `write` writes, as `snprintf` would.
///
/// # Safety
/// `buffer` is null or points to `size` writable bytes.
unsafe fn print_into(buffer: *mut c_char, size: usize, write: impl FnOnce(&mut Text)) -> usize {
    let room = if buffer.is_null() { 0 } else { size };
    let mut len = 0usize;
    write(&mut Text::to(&mut |piece| {
        for &byte in piece {
            if len + 1 < room {
                // SAFETY: `len` is below `size` (caller).
                unsafe { buffer.add(len).write(byte as c_char) };
            }
            len += 1;
        }
    }));
    if room > 0 {
        // SAFETY: at `size - 1` at most (caller).
        unsafe { buffer.add(len.min(room - 1)).write(0) };
    }
    len
}
