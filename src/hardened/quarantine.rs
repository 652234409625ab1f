//! `Quarantine`: a thread's freed blocks, held back in the order of their frees, bounded in number and bytes.

use crate::base::addr::Addr;
use crate::class::{self, BIN_STRIDE, ClassId};
use crate::config;
use crate::meta;

/// Blocks held at most: a ring is one record of meta.
const RING: usize = 2048;

/// A freed block in one word: its class in the top byte, whether it is this heap's own in the lowest bit, between them
/// the address, a multiple of 16 below 2^56.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Freed(u64);

impl Freed {
    pub(super) fn new(at: Addr, class: ClassId, own: bool) -> Freed {
        Freed(at.0 as u64 | (class.index() as u64) << 56 | own as u64)
    }

    pub(super) fn at(self) -> Addr {
        Addr((self.0 & ((1 << 56) - 16)) as usize)
    }

    pub(super) fn class(self) -> ClassId {
        ClassId::from_index((self.0 >> 56) as usize)
    }

    #[inline(always)]
    pub(super) fn bytes(self) -> usize {
        class::block_size_at((self.0 >> 56) as usize * BIN_STRIDE)
    }

    pub(super) fn is_own(self) -> bool {
        self.0 & 1 == 1
    }
}

/// # Invariants
/// - Q1: `ring[(first + n) % RING]` for `n < len` are freed blocks, oldest first, and their bytes sum up to `bytes`.
pub(super) struct Quarantine {
    /// Null while there is none.
    ring: Addr,
    first: usize,
    pub(super) len: usize,
    bytes: usize,
    /// Bytes that are held back at least, once there were as many.
    bound: usize,
    /// Most bytes. What is more than `bound` leaves together: whether one or three have to for the next was foreseen by no processor.
    most: usize,
}

impl Quarantine {
    pub(super) fn new() -> Quarantine {
        let bound = config::get::quarantine() as usize;
        // Without memory for the ring blocks are not held back.
        let ring = if bound > 0 { meta::alloc(RING * size_of::<Freed>()) } else { None };
        Quarantine { ring: ring.unwrap_or(Addr::NULL), first: 0, len: 0, bytes: 0, bound, most: bound + bound / 32 }
    }

    /// Whether a block of `class` is held back, and nothing has to leave for that.
    #[inline]
    pub(super) fn has_room(&self, class: ClassId) -> bool {
        !self.ring.is_null() && self.len < RING && self.bytes + class.block_size() <= self.most
    }

    /// Whether, where it has not, more has to leave.
    #[inline]
    pub(super) fn is_over(&self, class: ClassId) -> bool {
        self.ring.is_null() || self.len == RING || self.bytes + class.block_size() > self.bound
    }

    /// The oldest block, which stays.
    #[inline]
    pub(super) fn oldest(&self) -> Option<Freed> {
        // SAFETY: as in `push`; by Q1 it was filled.
        (self.len > 0).then(|| unsafe { *self.ring.as_ptr::<Freed>().add(self.first % RING) })
    }

    /// Holds `freed` back. Whatever no longer fits, perhaps `freed` itself, goes to `leave`, oldest first.
    #[inline]
    pub(super) fn push(&mut self, freed: Freed, mut leave: impl FnMut(Freed)) {
        let bytes = freed.bytes();
        if self.ring.is_null() || bytes > self.bound {
            return leave(freed);
        }
        while self.len == RING || self.bytes + bytes > self.bound {
            match self.pop() {
                Some(oldest) => leave(oldest),
                None => break,
            }
        }
        self.keep(freed);
    }

    /// Holds `freed` back, for which there is room.
    #[inline]
    pub(super) fn keep(&mut self, freed: Freed) {
        // SAFETY: a ring, and reduced to its length.
        unsafe { *self.ring.as_ptr::<Freed>().add((self.first + self.len) % RING) = freed };
        self.len += 1;
        self.bytes += freed.bytes();
    }

    /// The oldest block.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Freed> {
        let oldest = self.oldest()?;
        self.first = (self.first + 1) % RING;
        self.len -= 1;
        self.bytes -= oldest.bytes();
        Some(oldest)
    }

    /// Blocks of `class` held, this heap's own only.
    pub(super) fn held(&self, class: ClassId) -> usize {
        self.all().filter(|freed| freed.is_own() && freed.class() == class).count()
    }

    /// All blocks, oldest first.
    pub(super) fn all(&self) -> impl Iterator<Item = Freed> {
        (0..self.len).map(|n| {
            // SAFETY: as in `pop`.
            unsafe { *self.ring.as_ptr::<Freed>().add((self.first + n) % RING) }
        })
    }

    /// Gives the ring back; it holds nothing.
    pub(super) fn close(&mut self) {
        if !self.ring.is_null() {
            meta::free(core::mem::replace(&mut self.ring, Addr::NULL), RING * size_of::<Freed>());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_first_in_first_out_and_bounded_in_number_and_bytes() {
        let (small, big) = (ClassId::from_index(0), ClassId::from_index(67));
        let mut quarantine = Quarantine::new();
        let mut left = std::vec::Vec::new();
        for n in 1..=RING + 100 {
            quarantine.push(Freed::new(Addr(n * 16), small, n % 2 == 0), |freed| left.push(freed.at().0 / 16));
        }
        assert_eq!(quarantine.len, RING);
        assert!(left.drain(..).eq(1..=100));
        assert_eq!(quarantine.held(small), RING / 2);
        assert!(!quarantine.has_room(small) && quarantine.oldest().is_some_and(|freed| freed.at().0 == 101 * 16));
        quarantine.push(Freed::new(Addr(1 << 55), big, true), |freed| left.push(freed.at().0 / 16));
        assert!(quarantine.bytes <= quarantine.bound && left.len() == 1);
        for _ in 0..4 {
            quarantine.push(Freed::new(Addr(1 << 40), big, false), |_| {});
        }
        assert!(quarantine.bytes == quarantine.bound && quarantine.len == 4 && !quarantine.has_room(big));
        assert!(quarantine.is_over(small) && quarantine.has_room(small));
        assert!(
            quarantine.pop().is_some_and(|freed| freed.class() == big && !freed.is_own() && freed.at().0 == 1 << 40)
        );
        assert!(quarantine.has_room(big));
        while quarantine.pop().is_some() {}
        assert!(quarantine.bytes == 0);
        quarantine.close();
    }
}
