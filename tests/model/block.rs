//! A block in use, which knows what it is to hold.

use std::alloc::{GlobalAlloc, Layout};

use hakmem::HakMem;

/// A block in use. Its contents follow from its address and length.
#[derive(Clone, Copy)]
pub(crate) struct Block {
    pub(crate) at: *mut u8,
    pub(crate) layout: Layout,
    pub(crate) home: Home,
}

/// Whose a block is: an arena's of this number, perhaps that, if `realloc` did not move it, or nobody's.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Home {
    Malloc,
    Arena(usize),
    Perhaps(usize),
}

// SAFETY: whoever has the value owns the block.
unsafe impl Send for Block {}

/// The bytes of a block that are written and checked: all near its ends, one in 512 between.
pub(crate) fn offsets(size: usize) -> impl Iterator<Item = usize> {
    let near = size.min(64);
    let far = size.saturating_sub(64).max(near);
    (0..near).chain((near..far).step_by(512)).chain(far..size)
}

pub(crate) fn byte(at: *mut u8, size: usize, offset: usize) -> u8 {
    let mix = (at.addr() ^ size.rotate_left(20) ^ offset).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mix >> 56) as u8 | 1
}

impl Block {
    /// Allocates and checks what can be said of a block alone.
    pub(crate) fn new(layout: Layout, zeroed: bool) -> Block {
        // SAFETY: the size is not zero.
        let at = unsafe { if zeroed { HakMem.alloc_zeroed(layout) } else { HakMem.alloc(layout) } };
        assert!(!at.is_null(), "out of memory: {layout:?}");
        assert!(at.addr() % layout.align().max(16) == 0, "{at:p} {layout:?}");
        if zeroed {
            // SAFETY: a fresh block, initialised.
            let bytes = unsafe { std::slice::from_raw_parts(at, layout.size()) };
            assert!(bytes.chunks(4096).all(|chunk| *chunk == [0; 4096][..chunk.len()]), "not zero: {at:p} {layout:?}");
        }
        let block = Block { at, layout, home: Home::Malloc };
        block.fill();
        block
    }

    /// One of an arena's, just made.
    pub(crate) fn of(arena: usize, at: *mut u8, size: usize) -> Block {
        let block = Block { at, layout: Layout::from_size_align(size, 1).unwrap(), home: Home::Arena(arena) };
        block.fill();
        block
    }

    pub(crate) fn fill(&self) {
        for offset in offsets(self.layout.size()) {
            // SAFETY: below the block's size.
            unsafe { self.at.add(offset).write(byte(self.at, self.layout.size(), offset)) };
        }
    }

    pub(crate) fn check(&self) {
        self.check_first(self.at, self.layout.size(), self.layout.size());
    }

    /// That the first `held` bytes are those of a block that was filled at `at` with `size`.
    pub(crate) fn check_first(&self, at: *mut u8, size: usize, held: usize) {
        for offset in offsets(size).filter(|&offset| offset < held) {
            // SAFETY: below the block's size.
            let found = unsafe { self.at.add(offset).read() };
            assert_eq!(found, byte(at, size, offset), "byte {offset} of {:p} {:?}", self.at, self.layout);
        }
    }

    pub(crate) fn free(self) {
        self.check();
        // SAFETY: allocated with this layout, and owned.
        unsafe { HakMem.dealloc(self.at, self.layout) };
    }
}

pub(crate) fn natural(size: usize) -> Layout {
    Layout::from_size_align(size, 8).unwrap()
}

pub(crate) fn realloc(old: Block, size: usize) -> Block {
    old.check();
    // SAFETY: allocated with this layout, and owned; the new size is not zero.
    let at = unsafe { HakMem.realloc(old.at, old.layout, size) };
    assert!(!at.is_null() && at.addr() % old.layout.align().max(16) == 0, "{at:p} {:?}", old.layout);
    let home = match old.home {
        Home::Malloc => Home::Malloc,
        Home::Arena(arena) | Home::Perhaps(arena) => Home::Perhaps(arena),
    };
    let block = Block { at, layout: Layout::from_size_align(size, old.layout.align()).unwrap(), home };
    block.check_first(old.at, old.layout.size(), size.min(old.layout.size()));
    block.fill();
    block
}
