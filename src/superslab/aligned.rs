//! Where a run of slots at a multiple of more than a granule is to be had. Whoever asks for such blocks often asks for many of one kind:
//! the search goes on where the last one ended, and ends after some SuperSlabs, so that its time does not grow with the heap.
#![forbid(unsafe_code)]

use super::slab::{SLOTS, SUPERSLAB};
use super::table::{self, SuperSlab};
use crate::base::addr::GRANULE;
use crate::base::bits::run_starts;

/// SuperSlabs looked at before a new one is taken instead.
const LOOKS: u32 = 256;
/// The largest alignment served here: so much is mapped at once for it, as SuperSlabs that serve others too.
pub(super) const ALIGN_MAX: usize = 64 << 20;

/// Number and first slot of a free run of `len` slots at a multiple of `align` (a power of two), in SuperSlabs below `high`. `turn`
/// is where to begin, and to go on next time.
pub(super) fn find(turn: &mut u32, high: u32, len: u32, align: usize) -> Option<(u32, u32)> {
    for look in 0..high.min(LOOKS) {
        let id = if *turn + look < high { *turn + look } else { *turn + look - high };
        if let Some(first) = table::get(id).and_then(|super_slab| find_in(super_slab, len, align)) {
            *turn = id;
            return Some((id, first));
        }
    }
    *turn = (*turn + LOOKS) % high.max(1);
    None
}

/// The first slot of such a run in one SuperSlab, resident ones before fresh ones.
pub(super) fn find_in(super_slab: &SuperSlab, len: u32, align: usize) -> Option<u32> {
    let slots = super_slab.word.look()?;
    // Short ones, got under `ulimit -v`, lie anywhere.
    if super_slab.kind().is_some() || !super_slab.base().is_aligned(align.max(SUPERSLAB)) {
        return None;
    }
    let at = places(align);
    let first = |free: u32| Some(run_starts(free, len) & at).filter(|&starts| starts != 0).map(u32::trailing_zeros);
    first(slots.empty).or_else(|| first(!slots.active))
}

/// The slots that lie at a multiple of `align` in a SuperSlab that does.
fn places(align: usize) -> u32 {
    let step = (align / GRANULE).clamp(1, SLOTS as usize);
    (0..SLOTS).step_by(step).fold(0, |mask, slot| mask | 1 << slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_at_multiples() {
        assert_eq!((places(GRANULE), places(2 * GRANULE)), (u32::MAX, 0x5555_5555));
        assert_eq!((places(1 << 20), places(2 << 20), places(64 << 20)), (0x0001_0001, 1, 1));
    }
}
