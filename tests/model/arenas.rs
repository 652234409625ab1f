//! The arenas of the model.

use std::ptr::NonNull;

use hakmem::{Arena, ArenaOptions, SharedArena};

pub(crate) enum AnyArena {
    Owned(Arena),
    Shared(SharedArena),
}

/// The owned one, the shared one, and one in memory of the program's, which may be full.
pub(crate) const ARENAS: usize = 3;
pub(crate) const SHARED: usize = 1;
pub(crate) const GIVEN: usize = 2;
pub(crate) static mut MEMORY: [u8; 9 << 20] = [0; 9 << 20];

impl AnyArena {
    pub(crate) fn new(which: usize) -> AnyArena {
        let options = ArenaOptions::new().name("model");
        match which {
            SHARED => options.build_shared().map(AnyArena::Shared),
            // SAFETY: one case at a time has such an arena, and only one.
            GIVEN => unsafe { options.build_in(NonNull::new(&raw mut MEMORY).unwrap()) }.map(AnyArena::Owned),
            _ => options.build().map(AnyArena::Owned),
        }
        .unwrap()
    }

    pub(crate) fn alloc(&self, size: usize) -> Option<*mut u8> {
        let bytes = vec![1u8; size];
        match self {
            AnyArena::Owned(arena) => arena.alloc_slice_copy(&bytes),
            AnyArena::Shared(arena) => arena.alloc_slice_copy(&bytes),
        }
        .map(|block| block.as_mut_ptr())
    }

    /// Says how many blocks it had.
    pub(crate) fn reset(&mut self) -> u64 {
        let figures = |stats: Option<hakmem::ArenaStats>| stats.map_or(0, |stats| stats.live_blocks);
        let (before, after) = match self {
            AnyArena::Owned(arena) => (figures(arena.stats()), (arena.reset(), figures(arena.stats())).1),
            AnyArena::Shared(arena) => (figures(arena.stats()), (arena.reset(), figures(arena.stats())).1),
        };
        assert_eq!(after, 0);
        before
    }
}
