//! Mapping memory, giving it back, closing it: counted, and within the limit.
#![forbid(unsafe_code)]

#[cfg(test)]
use super::fake::Fake as Kernel;
use super::kernel::{Os, Range, Resize};
#[cfg(not(test))]
use super::linux::Linux as Kernel;
use super::linux::page_size;
use super::quota;
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::round_up;

/// Maps `len` zeroed bytes (a page multiple) at a multiple of `align`, a power of two. `None`: the kernel refused.
///
/// A first try asks for no more than `len`: the kernel fills downwards, so one aligned mapping tends to follow another.
pub(crate) fn map_aligned(hint: Addr, len: usize, align: usize) -> Option<Addr> {
    charged(len, || place(hint, len, align, Kernel::map))
}

/// What `make` maps, `len` bytes, if the quota has room for it.
fn charged(len: usize, make: impl FnOnce() -> Option<Addr>) -> Option<Addr> {
    if !quota::charge(len) {
        return None;
    }
    let made = make();
    if made.is_none() {
        quota::refund(len);
    }
    made
}

fn place(hint: Addr, len: usize, align: usize, map: impl Fn(Addr, usize) -> Option<Addr>) -> Option<Addr> {
    let first = map(hint, len)?;
    if first.is_aligned(align) {
        return Some(first);
    }
    Kernel::unmap(first, len);
    let wide_len = len.checked_add(align)?.checked_sub(page_size())?;
    let Some(wide) = map(Addr::NULL, wide_len) else {
        // Where no more than `len` is left (`RLIMIT_AS`), it has to be had at once. What lies below the first place is mostly free.
        let below = map(Addr(first.0 & !(align - 1)), len)?;
        let fits = below.is_aligned(align);
        if !fits {
            Kernel::unmap(below, len);
        }
        return fits.then_some(below);
    };
    let start = Addr(round_up(wide.0, align)?);
    let (head, tail) = (start.since(wide), wide_len - start.since(wide) - len);
    // A refused trim (map count) leaves untouched pages mapped: address space, not memory.
    if head > 0 {
        Kernel::unmap(wide, head);
    }
    if tail > 0 {
        Kernel::unmap(start.offset(len), tail);
    }
    Some(start)
}

/// Maps `len` zeroed bytes (a page multiple), page-aligned.
pub(crate) fn map(len: usize) -> Option<Addr> {
    charged(len, || Kernel::map(Addr::NULL, len))
}

/// The same, whatever the quota says: for the time of a call, and for little.
pub(crate) fn map_anyway(len: usize) -> Option<Addr> {
    let at = Kernel::map(Addr::NULL, len)?;
    quota::charge_anyway(len);
    Some(at)
}

/// Whether the kernel has room for `len` bytes more now: found out by trying. Not asked of the quota, where a move's two places are both counted
/// while it is on (`map_target`). Any thread.
pub(crate) fn could_map(len: usize) -> bool {
    let Some(len) = round_up(len, page_size()) else { return false };
    match Kernel::map(Addr::NULL, len) {
        Some(at) => {
            Kernel::unmap(at, len);
            true
        }
        None => false,
    }
}

/// Sets `len` bytes of addresses aside at a multiple of `align`, which nobody may touch: no memory, so the quota does not count them.
pub(crate) fn reserve(hint: Addr, len: usize, align: usize) -> Option<Addr> {
    place(hint, len, align, Kernel::reserve)
}

/// Sets `len` bytes of addresses aside at `at`, if nothing is there.
pub(crate) fn reserve_at(at: Addr, len: usize) -> bool {
    match Kernel::reserve(at, len) {
        Some(found) if found == at => true,
        Some(found) => {
            Kernel::unmap(found, len);
            false
        }
        None => false,
    }
}

/// Maps `len` zeroed bytes at a multiple of `align`, of which only the first `open` can be accessed, between `around` bytes at a multiple of which
/// neither can be: a multiple of `align`. These are not counted.
pub(crate) fn map_apart(len: usize, open: usize, align: usize, around: usize) -> Option<Addr> {
    let whole = len.checked_add(2 * around)?;
    charged(len, || {
        let start = reserve(Addr::NULL, whole, align)?;
        let at = start.offset(around);
        if open == 0 || Kernel::permit(at, open) {
            return Some(at);
        }
        unreserve(start, whole);
        None
    })
}

/// The same in addresses that are set aside already, those around included. `false`: refused.
pub(crate) fn map_within(at: Addr, len: usize, open: usize) -> bool {
    charged(len, || (open == 0 || Kernel::permit(at, open)).then_some(at)).is_some()
}

/// No longer counts what either made, all of which is closed again.
pub(crate) fn uncount(len: usize) {
    quota::refund(len);
}

/// Moves pages to `to`, closed addresses of the caller's. Where they were nothing is left; that can be accessed until it is closed. `false`: refused,
/// or the kernel does not know how (before Linux 5.7); of `to` nobody knows then whether it is still mapped, and nobody may use it again.
pub(crate) fn move_pages(from: Addr, len: usize, to: Addr) -> bool {
    Kernel::move_pages(from, len, to)
}

/// Ends what `map_apart` made around a mapping that is no longer there as it was.
pub(crate) fn unmap_around(at: Addr, len: usize, around: usize) {
    Kernel::unmap(Addr(at.0 - around), around);
    Kernel::unmap(at.offset(len), around);
}

/// Gives addresses back that `reserve` gave, all of whose pages are closed. `false`: refused (too many mappings).
pub(crate) fn unreserve(at: Addr, len: usize) -> bool {
    Kernel::unmap(at, len)
}

/// Makes reserved pages accessible; they read as zero. `false`: refused.
pub(crate) fn open(at: Addr, len: usize) -> bool {
    charged(len, || Kernel::permit(at, len).then_some(at)).is_some()
}

/// Makes pages inaccessible again that `open` opened; what they held is gone. `false`: refused, they are as before.
pub(crate) fn close(at: Addr, len: usize) -> bool {
    let done = Kernel::forbid(at, len);
    if done {
        quota::refund(len);
    }
    done
}

/// Sets addresses aside as the target of `move_onto` for a mapping of `from_len`, no more. Only the difference must fit in
/// the quota, for in the end only one of them is there; until then both are counted. The kernel counts it likewise.
pub(crate) fn map_target(len: usize, from_len: usize) -> Option<Addr> {
    let at = charged(len.saturating_sub(from_len), || reserve(Addr::NULL, len, GRANULE))?;
    quota::charge_anyway(len.min(from_len));
    Some(at)
}

/// Gives the pages back to the kernel but keeps the addresses; they read as zero. `false`: refused, nothing changed.
pub(crate) fn purge(at: Addr, len: usize) -> bool {
    Kernel::purge(at, len)
}

/// `purge` of up to `RANGES` ranges; `together`: by one call where the kernel has it, which interrupts the processors that run the
/// process once, not once for each. Returns a bit for each range that went.
pub(crate) fn purge_all(ranges: &[Range], together: bool) -> u64 {
    Kernel::purge_all(ranges, together)
}

/// Asks for huge pages, or that there be none where the system gives them to all. Refusal changes nothing but speed.
pub(crate) fn advise_huge(at: Addr, len: usize, huge: bool) {
    Kernel::advise_huge(at, len, huge);
}

/// Has pages made that will soon be written to, by one call instead of a fault each. Refused, each is a fault.
pub(crate) fn populate(at: Addr, len: usize) {
    Kernel::populate(at, len);
}

/// Ends a mapping. `false`: refused (too many mappings), nothing changed.
pub(crate) fn unmap(at: Addr, len: usize) -> bool {
    let done = Kernel::unmap(at, len);
    if done {
        quota::refund(len);
    }
    done
}

/// Resizes a mapping in place, or says why it stays as it is.
pub(crate) fn resize_in_place(at: Addr, old: usize, new: usize) -> Resize {
    let more = new.saturating_sub(old);
    if !quota::charge(more) {
        return Resize::Never;
    }
    let done = Kernel::resize(at, old, new);
    quota::refund(if done == Resize::Done { old.saturating_sub(new) } else { more });
    done
}

/// Moves the pages of a mapping, which must be one to the kernel, onto `to`, `to_len` bytes that the caller mapped for it.
/// `false`: refused, and kernels differ in whether `to` is still mapped: the caller must leave it alone. It is no longer
/// counted: at worst it is addresses that nobody ever uses.
pub(crate) fn move_onto(from: Addr, from_len: usize, to: Addr, to_len: usize) -> bool {
    let moved = Kernel::move_onto(from, from_len, to, to_len);
    quota::refund(if moved { from_len } else { to_len });
    moved
}

/// Makes pages inaccessible; what they held is gone. `false`: refused, which only loses the guard.
pub(crate) fn guard(at: Addr, len: usize) -> bool {
    Kernel::forbid(at, len)
}

/// Makes pages that were guarded accessible again; they read as zero. `false`: refused.
pub(crate) fn unguard(at: Addr, len: usize) -> bool {
    Kernel::permit(at, len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::fake::{Plan, with_plan};

    #[test]
    fn an_aligned_place_is_found_where_no_more_than_its_length_is_left() {
        for align in [1 << 21, 1 << 26] {
            let find = || {
                let room = Kernel::map(Addr::NULL, 2 * align)?;
                Kernel::unmap(room, 2 * align);
                let hint = room.offset(2 * align - GRANULE);
                // The first is there, and gone again; what is longer is refused.
                with_plan(Plan::RefuseNth(2), || place(hint, GRANULE, align, Kernel::map)).0
            };
            // Another thread's test may take some of that meanwhile.
            let found = (0..100).find_map(|_| find());
            assert!(found.is_some_and(|at| at.is_aligned(align) && Kernel::unmap(at, GRANULE)));
        }
    }
}
