//! Box `region` (L3): memory that the program gave for an arena, or that hardened large blocks share, handed out by the granule.
//! Owns: for each region a bitmap of its free granules, out of line.   Calls: base, os.   Called by: span, heap, large, hardened, arena.
//! Locks: each its own, a leaf.   Threads: any.
//! Never: gives a page to the kernel, closes or moves one, or writes to it: it may be others' memory too.

use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::round_up;
use crate::os;
use crate::os::lock::Mutex;

/// It stays where it is while anything lies in it.
pub(crate) struct Region {
    /// A multiple of `GRANULE`.
    base: Addr,
    granules: usize,
    free: Mutex<Free>,
}

/// # Invariants
/// - G1: the mapping at `bits` has a bit for each granule, set if nobody has it, and none behind those.
/// - G2: no bit below `first` is set.
/// - G3: no run of `none` bits, or of more, is set.
struct Free {
    bits: Addr,
    first: usize,
    none: usize,
}

/// What of `bytes` bytes from `base` on a region can use: where its first granule lies, and how many it has. `None`: not one.
pub(crate) fn extent(base: Addr, bytes: usize) -> Option<(Addr, usize)> {
    let first = round_up(base.0, GRANULE)?;
    let end = base.0.checked_add(bytes)? & !(GRANULE - 1);
    let granules = end.checked_sub(first)? / GRANULE;
    (granules > 0).then_some((Addr(first), granules))
}

impl Region {
    /// Of what `extent` said, which is the program's to give. `None`: no memory for its bitmap.
    pub(crate) fn new((base, granules): (Addr, usize)) -> Option<Region> {
        let bits = os::map(map_bytes(granules)?)?;
        let region = Region { base, granules, free: Mutex::new(Free { bits, first: 0, none: usize::MAX }) };
        region.free.lock().fill(0, granules, true);
        Some(region)
    }

    /// Gives back what it has of its own. Nothing lies in it any more.
    pub(crate) fn end(&self) {
        let free = self.free.lock();
        os::unmap(free.bits, map_bytes(self.granules).unwrap_or(0));
    }

    /// Whether any of these granules is one of its own.
    pub(crate) fn has_any_of(&self, first: Addr, granules: usize) -> bool {
        let end = |first: Addr, granules: usize| first.0 + granules * GRANULE;
        first.0 < end(self.base, self.granules) && self.base.0 < end(first, granules)
    }

    /// Asks for huge pages there, or that there be none.
    pub(crate) fn advise_huge(&self, huge: bool) {
        os::advise_huge(self.base, self.granules * GRANULE, huge);
    }

    /// Takes `granules` granules side by side, the first ones that are free, at a multiple of `align` bytes, a power of two. What lies in them is
    /// what lay there before. `None`: there are none.
    pub(crate) fn acquire(&self, granules: usize, align: usize) -> Option<Addr> {
        let mut free = self.free.lock();
        if granules >= free.none {
            return None;
        }
        let Some(first) = self.find(&free, granules, align) else {
            if align <= GRANULE {
                free.none = granules;
            }
            return None;
        };
        free.fill(first, granules, false);
        if first == free.first {
            free.first = first + granules;
        }
        Some(self.base.offset(first * GRANULE))
    }

    /// Takes the `more` granules from `at` on, if they are free.
    pub(crate) fn acquire_at(&self, at: Addr, more: usize) -> bool {
        let mut free = self.free.lock();
        let first = at.since(self.base) / GRANULE;
        let fits = first + more <= self.granules && free.next(first, first + more, false) == first + more;
        if fits {
            free.fill(first, more, false);
        }
        fits
    }

    /// Takes back granules that `acquire` or `acquire_at` gave.
    pub(crate) fn release(&self, at: Addr, granules: usize) {
        let mut free = self.free.lock();
        let first = at.since(self.base) / GRANULE;
        free.fill(first, granules, true);
        free.first = free.first.min(first);
        free.none = usize::MAX;
    }

    fn find(&self, free: &Free, granules: usize, align: usize) -> Option<usize> {
        let mut at = free.first;
        loop {
            at = free.next(at, self.granules, true);
            let start = round_up(self.base.0 + at * GRANULE, align.max(GRANULE))?;
            let first = (start - self.base.0) / GRANULE;
            let end = first.checked_add(granules).filter(|&end| end <= self.granules)?;
            let stop = free.next(first, end, false);
            if stop == end {
                return Some(first);
            }
            at = stop;
        }
    }
}

/// Bytes of a bitmap's mapping.
fn map_bytes(granules: usize) -> Option<usize> {
    round_up(granules.div_ceil(64) * size_of::<u64>(), os::page_size())
}

impl Free {
    fn word(&self, index: usize) -> *mut u64 {
        self.bits.offset(index * size_of::<u64>()).as_ptr()
    }

    /// The first place from `at` on and below `end` whose bit is `set`, or `end`.
    fn next(&self, at: usize, end: usize, set: bool) -> usize {
        let mut at = at;
        while at < end {
            // SAFETY: `end` is no more than the granules (caller), each of which has a bit in the mapping (G1).
            let word = unsafe { self.word(at / 64).read() };
            let sought = if set { word } else { !word } >> (at % 64);
            if sought != 0 {
                return end.min(at + sought.trailing_zeros() as usize);
            }
            at = (at / 64 + 1) * 64;
        }
        end
    }

    /// Sets or clears the bits `first .. first + len`.
    fn fill(&mut self, first: usize, len: usize, set: bool) {
        let (mut at, end) = (first, first + len);
        while at < end {
            let stop = end.min((at / 64 + 1) * 64);
            let mask = (u64::MAX >> (64 - (stop - at))) << (at % 64);
            let word = self.word(at / 64);
            // SAFETY: as in `next`, and ours alone: `self` is behind the lock.
            let old = unsafe { word.read() };
            // SAFETY: as above.
            unsafe { word.write(if set { old | mask } else { old & !mask }) };
            at = stop;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    #[test]
    fn an_extent_is_whole_granules() {
        let extent = |at, bytes| super::extent(Addr(at), bytes).map(|(first, granules)| (first.0, granules));
        assert_eq!(extent(GRANULE, 3 * GRANULE), Some((GRANULE, 3)));
        assert_eq!(extent(GRANULE + 1, 3 * GRANULE), Some((2 * GRANULE, 2)));
        assert_eq!(extent(GRANULE + 1, 2 * GRANULE - 2), None);
        assert_eq!(extent(GRANULE + 1, 2 * GRANULE - 1), Some((2 * GRANULE, 1)));
        assert_eq!((extent(usize::MAX - 5, 3), extent(GRANULE, usize::MAX)), (None, None));
    }

    /// Against a list of who has which granule.
    #[test]
    fn no_granule_has_two_holders_and_what_fits_is_found() {
        let mut x = 0x9E37_79B9_7F4A_7C15u64;
        let mut draw = move |below: usize| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x as usize % below
        };
        for granules in [1, 5, 63, 64, 65, 200, 1000] {
            let base = Addr(13 * GRANULE);
            let region = Region::new((base, granules)).expect("a page of bits");
            let (mut taken, mut held) = (vec![false; granules], vec::Vec::new());
            for _ in 0..3000 {
                let (len, align) = (1 + draw(1 + granules / 3), GRANULE << draw(4));
                let fits = |first: usize| {
                    (base.0 + first * GRANULE) % align == 0
                        && taken.get(first..first + len).is_some_and(|run| run.iter().all(|&taken| !taken))
                };
                if draw(3) > 0 {
                    let first = (0..granules).find(|&first| fits(first));
                    let got = region.acquire(len, align);
                    let at = first.map(|first| base.0 + first * GRANULE);
                    assert_eq!(got.map(|got| got.0), at, "{len} of {granules}");
                    if let Some(first) = first {
                        taken[first..first + len].fill(true);
                        held.push((first, len));
                    }
                } else if !held.is_empty() {
                    let (first, len) = held.swap_remove(draw(held.len()));
                    let end = first + len;
                    if end < granules && region.acquire_at(base.offset(end * GRANULE), 1) {
                        assert!(!core::mem::replace(&mut taken[end], true));
                        held.push((first, len + 1));
                    } else {
                        assert!(end == granules || taken[end]);
                        region.release(base.offset(first * GRANULE), len);
                        taken[first..end].fill(false);
                    }
                }
            }
            region.end();
        }
    }
}
