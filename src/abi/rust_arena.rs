//! Arenas in Rust: what `hakmem.h` says of them by words, types say here.

use core::alloc::Layout;
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use super::rust::NATURAL;
use crate::arena;
use crate::base::addr::Addr;

/// A heap of its own, whose blocks are all freed at once: by [`reset`](Arena::reset), or when it is dropped.
///
/// It is made in one thread and may be handed to another (`Send`), but is one thread's at a time (not `Sync`). While anything borrows from it
/// it can't be reset, dropped or handed on, so no block outlives it:
///
/// ```
/// # fn main() -> Result<(), &'static str> {
/// let mut arena = hakmem::Arena::new().ok_or("no memory")?;
/// for request in 0..3 {
///     let words = arena.alloc_slice_copy(&[request; 1000]).ok_or("no memory")?;
///     let name = arena.alloc_str("a request").ok_or("no memory")?;
///     assert_eq!((words.len(), words[999], &*name), (1000, request, "a request"));
///     arena.reset();
/// }
/// std::thread::spawn(move || drop(arena)).join().unwrap();
/// # Ok(())
/// # }
/// ```
///
/// ```compile_fail
/// let mut arena = hakmem::Arena::new().unwrap();
/// let text = arena.alloc_str("gone").unwrap();
/// arena.reset();
/// assert_eq!(text, "gone"); // error: `arena` was borrowed
/// ```
///
/// ```compile_fail
/// let arena = hakmem::Arena::new().unwrap();
/// std::thread::scope(|scope| {
///     scope.spawn(|| arena.alloc_str("there").is_some()); // error: `Arena` can't be shared between threads
/// });
/// ```
///
/// With feature `allocator-api2`, or `nightly`, `&Arena` is an `Allocator` as well: `Vec::new_in(&arena)`.
#[derive(Debug)]
pub struct Arena {
    handle: Handle,
    /// One thread's at a time.
    not_sync: PhantomData<Cell<()>>,
}

// SAFETY: an owned arena goes from thread to thread, as long as it is one's at a time: nothing of it is bound to the thread that made it.
unsafe impl Send for Arena {}

/// An [`Arena`] that many threads may use at the same time (`Sync`), each without waiting for the others.
///
/// ```
/// # fn main() -> Result<(), &'static str> {
/// let mut arena = hakmem::ArenaOptions::new().name("frame").build_shared().ok_or("no memory")?;
/// for frame in 0..3 {
///     let parts: Vec<&mut [u64]> = std::thread::scope(|scope| {
///         let threads: Vec<_> = (0..2).map(|n| scope.spawn(|| arena.alloc_slice_copy(&[7; 100]))).collect();
///         threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
///     });
///     assert_eq!(parts.iter().map(|part| part.len()).sum::<usize>(), 200);
///     arena.reset();
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SharedArena {
    handle: Handle,
}

// SAFETY: it belongs to no thread.
unsafe impl Send for SharedArena {}
// SAFETY: an arena made to be shared: any threads may use it at the same time. What they may not, `reset` and the end, takes all of it.
unsafe impl Sync for SharedArena {}

/// An arena's word, which ends the arena when it is dropped.
///
/// # Invariants
/// - R1: whoever has a reference to it may use the arena, as its owner's kind says; whoever has it whole has all of its blocks.
pub(super) struct Handle(NonNull<u8>);

/// What an [`Arena`] is to be.
///
/// ```
/// let arena = hakmem::ArenaOptions::new().name("query").limit(1 << 20).build().unwrap();
/// assert!(arena.alloc_slice_copy(&[0u8; 500_000]).is_some());
/// assert!(arena.alloc_slice_copy(&[0u8; 900_000]).is_none(), "more than the limit");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ArenaOptions {
    name: [u8; arena::NAME],
    limit: usize,
    zeroed: bool,
    huge: Option<bool>,
}

impl Default for ArenaOptions {
    fn default() -> ArenaOptions {
        ArenaOptions::new()
    }
}

impl ArenaOptions {
    /// Without a name or a limit.
    pub const fn new() -> ArenaOptions {
        ArenaOptions { name: [0; arena::NAME], limit: usize::MAX, zeroed: false, huge: None }
    }

    /// What reports call it: the first 31 bytes of `name`.
    pub fn name(mut self, name: &str) -> ArenaOptions {
        self.name = [0; arena::NAME];
        for (to, from) in self.name.iter_mut().zip(name.bytes()).take(arena::NAME - 1) {
            *to = from;
        }
        self
    }

    /// Bytes that all blocks may hold, as they are rounded; beyond it there are none.
    pub const fn limit(mut self, bytes: usize) -> ArenaOptions {
        self.limit = bytes;
        self
    }

    /// Every block reads as zero when it is handed out, also the uninitialised ones of containers.
    pub const fn zeroed(mut self) -> ArenaOptions {
        self.zeroed = true;
        self
    }

    /// An arena for one thread at a time. `None`: out of memory.
    pub fn build(self) -> Option<Arena> {
        Some(Arena { handle: self.make(false)?, not_sync: PhantomData })
    }

    /// An arena for many threads at the same time. `None`: out of memory.
    pub fn build_shared(self) -> Option<SharedArena> {
        Some(SharedArena { handle: self.make(true)? })
    }

    /// Asks for huge pages in the memory that `build_in` is given, or says that there are to be none. Refused, that changes nothing but speed.
    pub const fn huge_pages(mut self, huge: bool) -> ArenaOptions {
        self.huge = Some(huge);
        self
    }

    /// An arena for one thread at a time, all of whose blocks lie in `memory`: shared memory, huge pages, memory of one NUMA node. `hakmem.h` tells of
    /// `hak_arena_new_in` how much a mix of sizes needs. `None`: there are not 64 KiB of it at a multiple of 64 KiB, some of it is this
    /// allocator's, or there is no memory for the arena's records.
    ///
    /// ```
    /// use std::ptr::NonNull;
    ///
    /// static mut MEMORY: [u8; 1 << 20] = [0; 1 << 20];
    /// let memory = NonNull::new(&raw mut MEMORY).unwrap();
    /// // SAFETY: nobody else uses it.
    /// let arena = unsafe { hakmem::ArenaOptions::new().build_in(memory) }.ok_or("too small")?;
    /// let text = arena.alloc_str("in there").ok_or("no memory")?;
    /// assert!((&raw const MEMORY).addr() <= text.as_ptr().addr() && text == "in there");
    /// assert!(arena.alloc_slice_copy(&[0u8; 2 << 20]).is_none(), "there is not so much");
    /// # Ok::<(), &'static str>(())
    /// ```
    ///
    /// # Safety
    /// All of `memory` can be read and written, and nobody else uses it until the arena is dropped.
    pub unsafe fn build_in(self, memory: NonNull<[u8]>) -> Option<Arena> {
        Some(Arena { handle: self.make_in(false, memory)?, not_sync: PhantomData })
    }

    /// The same for many threads at the same time.
    ///
    /// # Safety
    /// As for `build_in`.
    pub unsafe fn build_shared_in(self, memory: NonNull<[u8]>) -> Option<SharedArena> {
        Some(SharedArena { handle: self.make_in(true, memory)? })
    }

    fn make_in(self, shared: bool, memory: NonNull<[u8]>) -> Option<Handle> {
        let base = Addr::of(memory.as_ptr().cast::<u8>());
        let memory = arena::Memory { base, bytes: memory.len(), huge: self.huge };
        if arena::is_fit(&memory) { self.make_with(shared, Some(memory)) } else { None }
    }

    fn make(self, shared: bool) -> Option<Handle> {
        self.make_with(shared, None)
    }

    fn make_with(self, shared: bool, memory: Option<arena::Memory>) -> Option<Handle> {
        let ArenaOptions { name, limit, zeroed, .. } = self;
        NonNull::new(arena::make(arena::Options { name, limit, zeroed, shared, memory })).map(Handle)
    }
}

/// An arena's figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArenaStats {
    /// Bytes that the blocks in use can hold.
    pub live_bytes: u64,
    /// Blocks in use.
    pub live_blocks: u64,
    /// Address space for its blocks, in use or not.
    pub held_bytes: u64,
    /// Times that all was freed at once.
    pub resets: u64,
    /// Requests that were refused.
    pub refused: u64,
}

macro_rules! arena {
    ($type:ident) => {
        #[expect(clippy::mut_from_ref, reason = "each block is another one")]
        impl $type {
            /// Frees all blocks at once, at a cost by the memory used and not by the blocks. Most of the memory is kept for the next ones. What was
            /// placed by `alloc` is not dropped.
            pub fn reset(&mut self) {
                // SAFETY: R1, and nothing borrows from it.
                unsafe { arena::reset(self.handle.word()) };
            }

            /// Moves `value` into the arena. It is never dropped: its memory goes with the arena's. `Err`: there is no memory, and here it is.
            pub fn alloc<T>(&self, value: T) -> Result<&mut T, T> {
                match self.handle.place::<T>(1) {
                    // SAFETY: a fresh block for one, the caller's alone until nothing borrows from the arena.
                    Some(block) => Ok(unsafe { block.cast::<MaybeUninit<T>>().as_mut() }.write(value)),
                    None => Err(value),
                }
            }

            /// Copies `values` into the arena. `None`: there is no memory.
            pub fn alloc_slice_copy<T: Copy>(&self, values: &[T]) -> Option<&mut [T]> {
                let block = self.handle.place::<T>(values.len())?;
                // SAFETY: a fresh block for so many, which overlaps none in use.
                unsafe { block.as_ptr().copy_from_nonoverlapping(values.as_ptr(), values.len()) };
                // SAFETY: all of them were written, and they are the caller's alone until nothing borrows from the arena.
                Some(unsafe { core::slice::from_raw_parts_mut(block.as_ptr(), values.len()) })
            }

            /// Copies `text` into the arena. `None`: there is no memory.
            pub fn alloc_str(&self, text: &str) -> Option<&mut str> {
                let bytes = self.alloc_slice_copy(text.as_bytes())?;
                // SAFETY: a copy of a string's.
                Some(unsafe { core::str::from_utf8_unchecked_mut(bytes) })
            }

            /// Its figures. `None`: another thread forks, and that lasts.
            pub fn stats(&self) -> Option<ArenaStats> {
                // SAFETY: R1.
                let now = unsafe { arena::figures(self.handle.word()) }?;
                let arena::Figures { live_bytes, live_blocks, held_bytes, resets, refused, .. } = now;
                Some(ArenaStats { live_bytes, live_blocks, held_bytes, resets, refused })
            }

            #[cfg(any(feature = "allocator-api2", feature = "nightly"))]
            pub(super) fn handle(&self) -> &Handle {
                &self.handle
            }
        }
    };
}

arena!(Arena);
arena!(SharedArena);

impl Arena {
    /// An arena without a name or a limit. `None`: out of memory.
    pub fn new() -> Option<Arena> {
        ArenaOptions::new().build()
    }
}

impl SharedArena {
    /// An arena without a name or a limit. `None`: out of memory.
    pub fn new() -> Option<SharedArena> {
        ArenaOptions::new().build_shared()
    }
}

impl Handle {
    #[inline]
    pub(super) fn word(&self) -> *mut u8 {
        self.0.as_ptr()
    }

    /// Memory for `count` values. `None`: there is none.
    fn place<T>(&self, count: usize) -> Option<NonNull<T>> {
        let layout = Layout::array::<T>(count).ok()?;
        if layout.size() == 0 {
            return Some(NonNull::dangling());
        }
        NonNull::new(self.take(layout.size(), layout.align()).cast())
    }

    /// `size` bytes, not 0; null: there are none.
    #[inline]
    pub(super) fn take(&self, size: usize, align: usize) -> *mut u8 {
        if align <= NATURAL {
            // SAFETY: R1.
            unsafe { arena::alloc(self.word(), size) }
        } else {
            // SAFETY: R1.
            unsafe { arena::alloc_aligned(self.word(), size, align) }
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: R1, and nothing borrows from it any more.
        unsafe { arena::destroy(self.word()) };
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_")
    }
}
