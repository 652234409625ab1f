//! Box `os` (L1): every system call, locks, the TLS word, fork handlers, the environment, and dying.
//! Owns: the TLS word, the count of mapped bytes.   Calls: base, libc.   Called by: all above.   Locks: defines them, holds none.
//! Threads: any.   Never: allocates, panics.

mod clock;
mod die;
mod elf;
pub(crate) mod env;
#[cfg(test)]
pub(crate) mod fake;
pub(crate) mod fault;
pub(crate) mod file;
pub(crate) mod fork;
mod futex;
pub(crate) mod gate;
pub(crate) mod lines;
mod linux;
#[cfg(any(test, all(feature = "override", optimised)))]
pub(crate) mod loaded;
pub(crate) mod lock;
pub(crate) mod lost;
pub(crate) mod names;
mod process;
pub(crate) mod quota;
mod random;
mod returns;
pub(crate) mod room;
pub(crate) mod shared;
mod sigaction;
pub(crate) mod signal;
mod sys;
pub(crate) mod thread;
pub(crate) mod thread_exit;
mod ticks;
pub(crate) mod tls;

use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::round_up;

pub(crate) use clock::{monotonic_ms, realtime_ms, realtime_ns};
#[cfg(feature = "paranoid")]
pub(crate) use die::require;
pub(crate) use die::{Misuse, Part, die, die_sized, report, set_witness, write_stderr};
#[cfg(feature = "paranoid")]
pub(crate) use linux::is_alone;
pub(crate) use linux::{page_size, resident};
pub(crate) use process::{Usage, enter_namespace, process_id, unshare, usage};
pub(crate) use random::random;
pub(crate) use returns::returns;
pub(crate) use ticks::{ticks, ticks_per_second};

/// Pages that are given back together with others; as the kernel has it (`iovec`).
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Range {
    pub(crate) at: Addr,
    pub(crate) len: usize,
}

/// Ranges that one call of `purge_all` takes.
pub(crate) const RANGES: usize = 64;

/// What became of a mapping that was to be resized in place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resize {
    Done,
    /// There is no room behind it: it may be moved.
    Blocked,
    /// Not this way: it is more than one mapping to the kernel, or the call is refused.
    Never,
}

/// What the allocator asks of the kernel about memory. A second implementation (`fake`) refuses the nth call.
trait Os {
    /// Zeroed, readable and writable pages; anywhere, or preferably at `hint`.
    fn map(hint: Addr, len: usize) -> Option<Addr>;
    /// Addresses anywhere, inaccessible: no memory is set aside for them.
    fn reserve(len: usize) -> Option<Addr>;
    /// Moves the mapping and its contents onto `to`, which is mapped and given up; `to_len >= from_len` bytes.
    fn move_onto(from: Addr, from_len: usize, to: Addr, to_len: usize) -> bool;
    /// Grows or shrinks a mapping where it stands.
    fn resize(at: Addr, old: usize, new: usize) -> Resize;
    /// Gives the pages back; they read as zero from now on.
    fn purge(at: Addr, len: usize) -> bool;
    /// The same of many ranges, `RANGES` at most, by one call if `together`: a bit for each that went.
    fn purge_all(ranges: &[Range], together: bool) -> u64;
    fn unmap(at: Addr, len: usize) -> bool;
    /// Asks for huge pages, or for none.
    fn advise_huge(at: Addr, len: usize, huge: bool) -> bool;
    /// Makes pages inaccessible: a guard. What they held is gone.
    fn forbid(at: Addr, len: usize) -> bool;
    /// Makes them readable and writable again, and zero.
    fn permit(at: Addr, len: usize) -> bool;
}

#[cfg(test)]
type Kernel = fake::Fake;
#[cfg(not(test))]
type Kernel = linux::Linux;

/// Maps `len` zeroed bytes (a page multiple) at a multiple of `align`, a power of two. `None`: the kernel refused.
///
/// A first try asks for no more than `len`: the kernel fills downwards, so one aligned mapping tends to follow another.
pub(crate) fn map_aligned(hint: Addr, len: usize, align: usize) -> Option<Addr> {
    charged(len, || place(len, align, |len| Kernel::map(hint, len), |len| Kernel::map(Addr::NULL, len)))
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

fn place(
    len: usize,
    align: usize,
    first: impl FnOnce(usize) -> Option<Addr>,
    wide: impl FnOnce(usize) -> Option<Addr>,
) -> Option<Addr> {
    let first = first(len)?;
    if first.is_aligned(align) {
        return Some(first);
    }
    Kernel::unmap(first, len);
    let wide_len = len.checked_add(align)?.checked_sub(page_size())?;
    let wide = wide(wide_len)?;
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

/// Sets addresses aside as the target of `move_onto` for a mapping of `from_len`, no more. Only the difference must fit in
/// the quota, for in the end only one of them is there; until then both are counted. The kernel counts it likewise.
pub(crate) fn map_target(len: usize, from_len: usize) -> Option<Addr> {
    let reserve = || place(len, GRANULE, Kernel::reserve, Kernel::reserve);
    let at = charged(len.saturating_sub(from_len), reserve)?;
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
