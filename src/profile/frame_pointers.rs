//! Stacks by frame pointers (`HAKMEM_PROF_UNWIND=fp`): a load or two a frame where the unwinder reads tables, and through code that has none, such
//! as a just-in-time compiler's. The program, and what it calls, must keep frame pointers (`-fno-omit-frame-pointer`); where code does not, frames are
//! missing, and there may be wrong ones.
//!
//! The library itself keeps none: libgcc's unwinder goes through its few frames, and says what the program's frame pointer was at the call. From there
//! on each lies above the last, and all of them on the thread's stack, whose end is known: nothing is read but that stack.
//!
//! On another stack than the thread's own (a coroutine's, a signal's), and where the library is linked into the program, the unwinder does all of it.

use core::ffi::{CStr, c_int, c_void};
use core::mem::{MaybeUninit, transmute};
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::config;
use crate::os;
use crate::trace;

/// Frames that are kept of a stack.
pub(super) const DEPTH: usize = 64;

/// The frame pointer, as DWARF counts registers.
const REGISTER: c_int = if cfg!(target_arch = "aarch64") { 29 } else { 6 };
/// What the unwinder's callback says to go on, and to stop.
const ON: c_int = 0;
const STOP: c_int = 4;
/// How far the end of the first thread's stack may be away: nearer the kernel maps nothing else.
const REACH: usize = 128 << 20;
/// Where no code lies.
const LEAST: usize = 4096;

type Look = unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int;
type Backtrace = unsafe extern "C" fn(Look, *mut c_void) -> c_int;
type Read = unsafe extern "C" fn(*mut c_void) -> usize;
type ReadRegister = unsafe extern "C" fn(*mut c_void, c_int) -> usize;

/// Addresses of the unwinder's functions; the first is set last. 0: not found, or not asked for.
static BACKTRACE: AtomicUsize = AtomicUsize::new(0);
static AT: AtomicUsize = AtomicUsize::new(0);
static STACK: AtomicUsize = AtomicUsize::new(0);
static FRAME: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" {
    /// The end of the first thread's stack, as the loader found it.
    static __libc_stack_end: *mut c_void;
}

/// Finds the unwinder, if that is asked for. Allocates, and takes the loader's lock.
pub(super) fn load() {
    if config::get::prof_unwind() == 0 || !trace::is_apart() {
        return;
    }
    // SAFETY: a name; the library stays loaded.
    let library = unsafe { libc::dlopen(c"libgcc_s.so.1".as_ptr(), libc::RTLD_NOW) };
    // SAFETY: a library's handle, and a name.
    let find = |name: &CStr| unsafe { libc::dlsym(library, name.as_ptr()) }.addr();
    if library.is_null() {
        return;
    }
    let first = find(c"_Unwind_Backtrace");
    let others = [(&AT, find(c"_Unwind_GetIP")), (&STACK, find(c"_Unwind_GetCFA")), (&FRAME, find(c"_Unwind_GetGR"))];
    if first != 0 && others.iter().all(|(_, found)| *found != 0) {
        others.iter().for_each(|(at, found)| at.store(*found, Ordering::Relaxed));
        // Release pairs with the Acquire in `walk`.
        BACKTRACE.store(first, Ordering::Release);
    }
}

/// Where the program called the library.
#[derive(Default)]
struct Entry {
    at: usize,
    stack: usize,
    frame: usize,
}

/// Calls `look` with the return addresses of the calls that led into this library, innermost first. `false`: frame pointers are not asked for, or lead
/// nowhere.
// Its frame is not to lie in that of who goes on to the unwinder.
#[inline(never)]
pub(super) fn with(look: &mut dyn FnMut(&[usize])) -> bool {
    let mut chain = [0; DEPTH];
    walk(&mut chain).map(look).is_some()
}

fn walk(out: &mut [usize]) -> Option<&[usize]> {
    let backtrace = BACKTRACE.load(Ordering::Acquire);
    if backtrace == 0 {
        return None;
    }
    // SAFETY: the address of that function.
    let backtrace = unsafe { transmute::<*const c_void, Backtrace>(backtrace as *const c_void) };
    let mut entry = Entry::default();
    // SAFETY: `look` gets our `entry`, which outlives the call.
    unsafe { backtrace(look, (&raw mut entry).cast()) };
    let end = stack_end(entry.stack)?;
    let (mut at, mut frame, mut low, mut len) = (entry.at, entry.frame, entry.stack, 0);
    for slot in &mut *out {
        if at < LEAST {
            break;
        }
        (*slot, len) = (at, len + 1);
        // A record is two words, above all that the last frame has.
        if frame < low || frame % size_of::<usize>() != 0 || frame > end - 2 * size_of::<usize>() {
            break;
        }
        let record = frame as *const usize;
        // SAFETY: on the thread's stack, between where it is now and its end: mapped, and nobody else's.
        let (next, back) = unsafe { (record.read(), record.add(1).read()) };
        (low, at, frame) = (frame + 2 * size_of::<usize>(), back, next);
    }
    out.get(..len).filter(|frames| !frames.is_empty())
}

unsafe extern "C" fn look(context: *mut c_void, entry: *mut c_void) -> c_int {
    // SAFETY: the addresses of those functions, stored before `BACKTRACE`.
    let (at, stack, frame) = unsafe {
        (
            transmute::<*const c_void, Read>(AT.load(Ordering::Relaxed) as *const c_void),
            transmute::<*const c_void, Read>(STACK.load(Ordering::Relaxed) as *const c_void),
            transmute::<*const c_void, ReadRegister>(FRAME.load(Ordering::Relaxed) as *const c_void),
        )
    };
    // SAFETY: the unwinder's context, for the time of this call.
    let found = unsafe { at(context) };
    if trace::is_own(found) {
        return ON;
    }
    // SAFETY: as above; `walk` passed the entry.
    unsafe { *entry.cast::<Entry>() = Entry { at: found, stack: stack(context), frame: frame(context, REGISTER) } };
    STOP
}

/// The end of the calling thread's stack, if `at` is on it. May allocate.
fn stack_end(at: usize) -> Option<usize> {
    if os::thread::is_first() {
        // SAFETY: written by the loader, before anything ran.
        let end = unsafe { __libc_stack_end }.addr();
        return (at < end && end - at < REACH).then_some(end);
    }
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut base, mut bytes) = (core::ptr::null_mut(), 0);
    // SAFETY: room for what is asked; initialised by the first call, if that says 0.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut base, &raw mut bytes);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
    }
    let end = base.addr() + bytes;
    (base.addr() <= at && at < end).then_some(end)
}
