//! Arenas: the part of `include/hakmem.h` that is theirs. It is made from this file too.

use core::ffi::{CStr, c_char, c_int, c_void};

use crate::arena;
use crate::base::addr::Addr;
use crate::front;

/// Bytes of an arena's name, its final null included.
pub const HAK_ARENA_NAME_MAX: usize = 32;

/// Any thread may use the arena, at the same time as others; without it, one thread at a time.
pub const HAK_ARENA_SHARED: u64 = 1;
/// Every block reads as zero when it is handed out.
pub const HAK_ARENA_ZEROED: u64 = 2;
/// Huge pages are to be asked for in the memory that the arena is given. Refused, that changes nothing but speed.
pub const HAK_ARENA_HUGE: u64 = 4;
/// There are to be no huge pages in it, also where the system gives them to all.
pub const HAK_ARENA_NO_HUGE: u64 = 8;

/// A heap of the program's own: its blocks can all be freed at once.
///
/// An arena is used by one thread at a time, unless it was made with HAK_ARENA_SHARED; which thread that is may change, by whatever the program
/// hands other things on with. Its blocks are the program's as malloc's are: any thread may use them, and `free` and `realloc`
/// take them. `realloc` gives a block of malloc's when it has to move one; `hak_arena_realloc` stays in the arena.
///
/// Null, where nothing is said of it, and an arena that was destroyed end the process with a line that says so; of a destroyed one that is certain with
/// HAKMEM_HARDENED, else only until the next arena is made.
#[allow(non_camel_case_types, reason = "a C name")]
pub struct hak_arena {
    _private: [u8; 0],
}

/// What an arena is to be. All zero but for `size` is a valid value.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "a C name")]
pub struct hak_arena_options {
    /// bytes of this struct; later versions add fields at the end
    pub size: u64,
    /// what reports call it, copied, at most HAK_ARENA_NAME_MAX - 1 bytes of it; null: it has no name
    pub name: *const c_char,
    /// bytes that its blocks may hold, as they are rounded, before a request is refused with ENOMEM; 0: no limit
    pub limit: u64,
    /// HAK_ARENA_SHARED, HAK_ARENA_ZEROED, added up; with `hak_arena_new_in` also one of HAK_ARENA_HUGE, HAK_ARENA_NO_HUGE
    pub flags: u64,
}

/// An arena's figures. Bytes are those that blocks can hold.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "a C name")]
pub struct hak_arena_figures {
    /// bytes of this struct that are filled in; later versions add fields at the end
    pub size: u64,
    /// blocks that the program holds
    pub live_bytes: u64,
    /// blocks that the program holds
    pub live_blocks: u64,
    /// address space for its blocks, in use or not
    pub held_bytes: u64,
    /// bytes that its blocks may hold; 0: no limit
    pub limit: u64,
    /// times that all was freed at once
    pub resets: u64,
    /// requests that were refused
    pub refused: u64,
    /// what it is called
    pub name: [c_char; HAK_ARENA_NAME_MAX],
}

/// Called by `hak_arena_walk` for one block, with the bytes that it can hold. Not 0 ends the walk. It may free that block, and use malloc; it must
/// not throw.
#[allow(non_camel_case_types, reason = "a C name")]
pub type hak_arena_visit = Option<unsafe extern "C" fn(block: *mut c_void, size: usize, arg: *mut c_void) -> c_int>;

/// A new arena; null, and ENOMEM, when there is no memory for its record, or EINVAL when `size` was not set, or `flags` has a bit that is not known.
///
/// `options` may be null: an arena for one thread at a time, without name or limit. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_arena_new(options: *const hak_arena_options) -> *mut hak_arena {
    // SAFETY: as the caller says.
    match unsafe { read(options) } {
        Some((options, None)) => make(options),
        _ => invalid(),
    }
}

/// A new arena whose blocks all lie in the `size` bytes from `base` on: shared memory, huge pages, memory of one NUMA node, a device's. They must be
/// readable and writable, the arena's alone until it is destroyed, and not malloc's; then they are the caller's again, as the last blocks left them.
/// Nothing of them is ever unmapped, given to the kernel or closed to access. What the arena notes about its blocks lies elsewhere.
///
/// Whole pieces of 64 KiB are used, at multiples of 64 KiB: what is before the first and behind the last one is not. Each size of blocks up to 1 KiB
/// that is asked for takes a piece, in a shared arena one for each thread; larger ones up to 16 pieces side by side; a block of more than 1 MiB as
/// many as it fills. A request for which there is no room left gets null, and ENOMEM. So 8 MiB or more serve a mix of sizes; 64 KiB serve one.
///
/// null, and EINVAL, when `base` is null, there is not one such piece, memory of malloc's or of another arena is among them, or `flags` has both HAK_ARENA_HUGE and
/// HAK_ARENA_NO_HUGE; ENOMEM when there is no memory for its records, a page for each 2 GiB among them. All else as `hak_arena_new`. Any thread.
///
/// After `fork` with memory that parent and child share, one of them may use the arena, and the other must neither use nor destroy it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_arena_new_in(
    base: *mut c_void,
    size: usize,
    options: *const hak_arena_options,
) -> *mut hak_arena {
    // SAFETY: as the caller says.
    let Some((options, huge)) = (unsafe { read(options) }) else { return invalid() };
    let memory = arena::Memory { base: Addr::of(base), bytes: size, huge };
    if base.is_null() || !arena::is_fit(&memory) {
        return invalid();
    }
    make(arena::Options { memory: Some(memory), ..options })
}

fn make(options: arena::Options) -> *mut hak_arena {
    let arena = arena::make(options);
    if arena.is_null() { front::out_of_memory().cast() } else { arena.cast() }
}

fn invalid() -> *mut hak_arena {
    errno::set_errno(errno::Errno(libc::EINVAL));
    core::ptr::null_mut()
}

/// At least `size` bytes, aligned as malloc's; null, and ENOMEM, when they can't be had or the limit forbids them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_arena_malloc(arena: *mut hak_arena, size: usize) -> *mut c_void {
    // SAFETY: as the caller says.
    unsafe { arena::alloc(arena.cast(), size) }.cast()
}

/// `count` times `size` bytes, all zero; else as `hak_arena_malloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_arena_calloc(arena: *mut hak_arena, count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: as the caller says.
        Some(bytes) => unsafe { arena::alloc_zeroed(arena.cast(), bytes) }.cast(),
        None => front::out_of_memory().cast(),
    }
}

/// At least `size` bytes at a multiple of `align`; null, and EINVAL, when that is no power of two; else as `hak_arena_malloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_arena_aligned_alloc(arena: *mut hak_arena, align: usize, size: usize) -> *mut c_void {
    if !align.is_power_of_two() {
        errno::set_errno(errno::Errno(libc::EINVAL));
        return core::ptr::null_mut();
    }
    // SAFETY: as the caller says.
    unsafe { arena::alloc_aligned(arena.cast(), size, align) }.cast()
}

/// As `realloc`, and the block is the arena's then: one of malloc's, or of another arena's, is moved into this one. Null makes a block; a size of 0
/// frees it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_arena_realloc(arena: *mut hak_arena, block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: as the caller says.
    unsafe { arena::realloc(arena.cast(), block.cast(), size) }.cast()
}

/// As `free`, for who may use the arena, and as fast as malloc's; null is nothing. `free` takes the block as well, from any thread, but gives it back under a lock.
/// A block that is not this arena's goes to whose it is, as by `free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_arena_free(arena: *mut hak_arena, block: *mut c_void) {
    // SAFETY: as the caller says.
    unsafe { arena::free(arena.cast(), block.cast()) };
}

/// Frees all blocks of the arena at once, whoever has them: the program must not use one any more. What it costs does not depend on how many
/// there are. Most of the memory is kept for the arena's next blocks.
///
/// The calling thread has the arena to itself meanwhile, also a shared one, and nobody frees one of its blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_arena_reset(arena: *mut hak_arena) {
    // SAFETY: as the caller says.
    unsafe { arena::reset(arena.cast()) };
}

/// Frees all blocks of the arena at once, and ends it; null is nothing. All else as `hak_arena_reset`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_arena_destroy(arena: *mut hak_arena) {
    if !arena.is_null() {
        // SAFETY: as the caller says.
        unsafe { arena::destroy(arena.cast()) };
    }
}

/// Fills in the arena's figures, as far as `size`, which is `sizeof(struct hak_arena_figures)`, has room. Fields that this library does not know are
/// set to 0.
///
/// Returns 0; EINVAL when `arena` or `figures` is null or `size` has no room for one; EAGAIN when a fork lasts too long. Any thread, while the arena is there;
/// what another thread does meanwhile may be in some of them and not in others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_arena_stats(arena: *mut hak_arena, figures: *mut hak_arena_figures, size: usize) -> c_int {
    if arena.is_null() || figures.is_null() || size < 2 * size_of::<u64>() {
        return libc::EINVAL;
    }
    // SAFETY: as the caller says.
    let Some(now) = (unsafe { arena::figures(arena.cast()) }) else { return libc::EAGAIN };
    let known = size.min(size_of::<hak_arena_figures>());
    let values = hak_arena_figures {
        size: known as u64,
        live_bytes: now.live_bytes,
        live_blocks: now.live_blocks,
        held_bytes: now.held_bytes,
        limit: now.limit,
        resets: now.resets,
        refused: now.refused,
        name: now.name.map(|byte| byte as c_char),
    };
    // SAFETY: `size` bytes at `figures` are the caller's to give (caller).
    unsafe { figures.cast::<u8>().write_bytes(0, size) };
    // SAFETY: as above; `known` is no more than either.
    unsafe { figures.cast::<u8>().copy_from_nonoverlapping((&raw const values).cast(), known) };
    0
}

/// The arena that the block at `block` belongs to; null when it is one of malloc's, or none. Any thread that may use the block.
#[unsafe(no_mangle)]
pub extern "C" fn hak_arena_of(block: *const c_void) -> *mut hak_arena {
    arena::of(block.cast_mut().cast()).cast()
}

/// Calls `visit` with `arg` for each block of the arena that the program holds. The calling thread has the arena to itself meanwhile, also a shared one.
///
/// Returns 0 after the last call; EINVAL when `arena` or `visit` is null; ENOMEM when there is no memory to note where they are; else what `visit`
/// returned that was not 0 and ended the walk.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hak_arena_walk(arena: *mut hak_arena, visit: hak_arena_visit, arg: *mut c_void) -> c_int {
    let Some(visit) = visit.filter(|_| !arena.is_null()) else { return libc::EINVAL };
    // SAFETY: as the caller says.
    let look = |block: Addr, size: usize| unsafe { visit(block.as_ptr(), size, arg) };
    // SAFETY: as the caller says.
    unsafe { arena::walk(arena.cast(), look) }.unwrap_or(libc::ENOMEM)
}

/// What is asked for, and of its memory whether huge pages are. `None`: with flags that are not known or go not together, or no size.
///
/// # Safety
/// `options` is null or as `hak_arena_new` says.
unsafe fn read(options: *const hak_arena_options) -> Option<(arena::Options, Option<bool>)> {
    let mut read =
        arena::Options { name: [0; HAK_ARENA_NAME_MAX], limit: usize::MAX, zeroed: false, shared: false, memory: None };
    if options.is_null() {
        return Some((read, None));
    }
    // SAFETY: the caller's, and its first field says how long it is.
    let size = unsafe { (&raw const (*options).size).read() } as usize;
    if size < size_of::<u64>() {
        return None;
    }
    let mut known = hak_arena_options { size: 0, name: core::ptr::null(), limit: 0, flags: 0 };
    // SAFETY: no more than either holds.
    unsafe {
        (&raw mut known)
            .cast::<u8>()
            .copy_from_nonoverlapping(options.cast(), size.min(size_of::<hak_arena_options>()));
    }
    if known.flags & !(HAK_ARENA_SHARED | HAK_ARENA_ZEROED | HAK_ARENA_HUGE | HAK_ARENA_NO_HUGE) != 0 {
        return None;
    }
    let huge = match (known.flags & HAK_ARENA_HUGE != 0, known.flags & HAK_ARENA_NO_HUGE != 0) {
        (true, true) => return None,
        (false, false) => None,
        (huge, _) => Some(huge),
    };
    if !known.name.is_null() {
        // SAFETY: a string (caller).
        let name = unsafe { CStr::from_ptr(known.name) }.to_bytes();
        for (to, from) in read.name.iter_mut().zip(name).take(HAK_ARENA_NAME_MAX - 1) {
            *to = *from;
        }
    }
    if known.limit != 0 {
        read.limit = known.limit as usize;
    }
    read.zeroed = known.flags & HAK_ARENA_ZEROED != 0;
    read.shared = known.flags & HAK_ARENA_SHARED != 0;
    Some((read, huge))
}

const _: () = assert!(HAK_ARENA_NAME_MAX == arena::NAME);
