//! `Pen`: writes numbers, seven bits a byte, the lowest first (LEB128).

use crate::base::addr::Addr;

/// # Invariants
/// - N1: from `at` on there is room for what is still written: `new`'s caller counted an event's numbers.
pub(super) struct Pen {
    start: Addr,
    at: *mut u8,
}

impl Pen {
    /// # Safety
    /// At `at` is room for all numbers that are put: ten bytes each at most.
    #[inline(always)]
    pub(super) unsafe fn new(at: Addr) -> Pen {
        Pen { start: at, at: at.as_ptr() }
    }

    /// For tests: over room that is there.
    #[cfg(test)]
    pub(super) fn over(room: &mut [u8]) -> Pen {
        // SAFETY: the test's room is an event's.
        unsafe { Pen::new(Addr::of(room.as_mut_ptr())) }
    }

    #[inline(always)]
    pub(super) fn put(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    #[inline(always)]
    fn byte(&mut self, byte: u8) {
        // SAFETY: N1.
        unsafe { self.at.write(byte) };
        self.at = self.at.wrapping_add(1);
    }

    /// Bytes written.
    #[inline(always)]
    pub(super) fn written(&self) -> usize {
        Addr::of(self.at).since(self.start)
    }
}
