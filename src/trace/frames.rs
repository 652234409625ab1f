//! Taking a stack, and naming what its addresses lie in.

use core::ffi::{CStr, c_int, c_void};
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::base::addr::Addr;

/// Frames of a stack that are kept.
pub(super) const DEPTH: usize = 16;
/// Own frames at most, above the program's.
pub(crate) const OWN: usize = 12;

/// Where this library's code lies. Found once: the loader answers under its lock, which a child of fork may find taken.
static OWN_START: AtomicUsize = AtomicUsize::new(0);
static OWN_END: AtomicUsize = AtomicUsize::new(0);

/// Has libc load its unwinder: from then on taking a stack neither allocates nor opens anything. `false`: that needs a
/// loader, and the program has none: libc would abort.
pub(crate) fn load() -> bool {
    let mut loader = false;
    // SAFETY: `has_loader` gets our `loader`, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(has_loader), (&raw mut loader).cast()) };
    if !loader {
        return false;
    }
    let own = Module::of(Addr::of((take as fn(&mut [Addr; DEPTH])) as *const c_void));
    // Relaxed: who takes stacks saw `READY`, which is set after this.
    OWN_START.store(own.start, Ordering::Relaxed);
    OWN_END.store(own.end, Ordering::Relaxed);
    let mut first = [core::ptr::null_mut(); 1];
    // SAFETY: room for one address.
    unsafe { libc::backtrace(first.as_mut_ptr(), 1) };
    true
}

/// Whether `at` is an address of this library's code, or of the program's where that is one with it.
pub(crate) fn is_own(at: usize) -> bool {
    // Relaxed: see `load`.
    (OWN_START.load(Ordering::Relaxed)..OWN_END.load(Ordering::Relaxed)).contains(&at)
}

/// Whether the library is an object of its own, apart from the program. Takes the loader's lock.
pub(crate) fn is_apart() -> bool {
    !Module::of(Addr(OWN_START.load(Ordering::Relaxed))).name().is_empty()
}

/// Looks at the program's own headers, the first that are shown.
unsafe extern "C" fn has_loader(info: *mut libc::dl_phdr_info, _: usize, loader: *mut c_void) -> c_int {
    // SAFETY: the loader's record, for the time of this call.
    let info = unsafe { &*info };
    // SAFETY: the program's headers.
    let headers = unsafe { core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum as usize) };
    // SAFETY: `load` passed it.
    unsafe { *loader.cast::<bool>() = headers.iter().any(|header| header.p_type == libc::PT_INTERP) };
    1
}

/// Fills `stack` with the return addresses of the calls that led into this library, innermost first; null behind them.
pub(super) fn take(stack: &mut [Addr; DEPTH]) {
    let mut raw = [core::ptr::null_mut::<c_void>(); DEPTH + OWN];
    for (slot, frame) in stack.iter_mut().zip(unwind(&mut raw)) {
        *slot = Addr::of(*frame);
    }
}

/// The return addresses of the calls that led into this library, innermost first, as far as there is room for them and its own.
pub(crate) fn unwind(raw: &mut [*mut c_void]) -> &[*mut c_void] {
    // SAFETY: room for as many addresses as it is told.
    let got = unsafe { libc::backtrace(raw.as_mut_ptr(), raw.len() as c_int) };
    let got = raw.get(..got.max(0) as usize).unwrap_or_default();
    let skip = got.iter().take_while(|frame| is_own(frame.addr())).count();
    // Linked into the program, all of it is one module: then the stack is shown whole.
    got.get(skip..).filter(|rest| !rest.is_empty()).unwrap_or(got)
}

/// A loaded object.
pub(super) struct Module {
    /// What its file's addresses were moved by.
    pub(super) bias: usize,
    start: usize,
    end: usize,
    name: *const core::ffi::c_char,
}

/// The executable's range, or the library's, to be found by one of its addresses.
struct Search {
    at: usize,
    found: Module,
}

impl Module {
    /// The object that holds `at`; an empty one if none does.
    pub(super) fn of(at: Addr) -> Module {
        let found = Module { bias: 0, start: 0, end: 0, name: core::ptr::null() };
        let mut search = Search { at: at.0, found };
        // SAFETY: `look` gets our `search`, which outlives the call.
        unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
        search.found
    }

    /// The object's path; empty for the program's own file.
    pub(super) fn name(&self) -> &[u8] {
        if self.name.is_null() {
            return b"?";
        }
        // SAFETY: the loader's string, of an object that is loaded.
        unsafe { CStr::from_ptr(self.name) }.to_bytes()
    }
}

unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _: usize, search: *mut c_void) -> c_int {
    // SAFETY: the loader's record, for the time of this call.
    let info = unsafe { &*info };
    // SAFETY: `of` passed it.
    let search = unsafe { &mut *search.cast::<Search>() };
    // SAFETY: the object's program headers.
    let headers = unsafe { core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum as usize) };
    for header in headers.iter().filter(|header| header.p_type == libc::PT_LOAD) {
        let start = (info.dlpi_addr as usize).wrapping_add(header.p_vaddr as usize);
        let end = start.wrapping_add(header.p_memsz as usize);
        if (start..end).contains(&search.at) {
            search.found = Module { bias: info.dlpi_addr as usize, start, end, name: info.dlpi_name };
            return 1;
        }
    }
    0
}
