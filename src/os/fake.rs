//! The `Os` of unit tests: Linux, but the calling thread can have its nth request refused, and the process have fewer addresses.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::kernel::{Os, Range, Resize};
use super::linux::Linux;
use crate::base::addr::Addr;

pub(super) struct Fake;

/// How the calling thread's requests are refused.
#[derive(Clone, Copy)]
pub(crate) enum Plan {
    Serve,
    /// Refuse request number n (from 0), serve all others.
    RefuseNth(u64),
    /// Refuse every request from number n on.
    RefuseFrom(u64),
}

thread_local! {
    static PLAN: Cell<Plan> = const { Cell::new(Plan::Serve) };
    static SEEN: Cell<u64> = const { Cell::new(0) };
}

/// Runs `work` under `plan`; returns its result and how many requests it made. Within it another may run, uncounted.
pub(crate) fn with_plan<R>(plan: Plan, work: impl FnOnce() -> R) -> (R, u64) {
    let outer = (PLAN.replace(plan), SEEN.replace(0));
    let result = work();
    PLAN.set(outer.0);
    (result, SEEN.replace(outer.1))
}

fn refused() -> bool {
    let n = SEEN.get();
    SEEN.set(n + 1);
    match PLAN.get() {
        Plan::Serve => false,
        Plan::RefuseNth(at) => n == at,
        Plan::RefuseFrom(at) => n >= at,
    }
}

/// Where the process's addresses end, and below which the next are to be had; 0: as this machine has it.
static END: AtomicUsize = AtomicUsize::new(0);
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// From now on the process has addresses of so many bits: what it maps lies below, the first of it at their very end.
pub(crate) fn narrow(bits: u32) {
    END.store(1 << bits, Ordering::Relaxed);
    NEXT.store(1 << bits, Ordering::Relaxed);
}

/// Whether there are addresses up to `end`.
pub(crate) fn reaches(end: usize) -> bool {
    let last = END.load(Ordering::Relaxed);
    last == 0 || end <= last
}

/// Maps where there are addresses. Where the kernel has more of them for who asks for them (52 bits of arm64, 57 of x86-64), a hint from beyond
/// those it gave asks: there must be none.
fn map_below(hint: Addr, len: usize) -> Option<Addr> {
    assert!(reaches(hint.0 + len), "a hint beyond all addresses: {:x}", hint.0);
    let found = Linux::map(hint, len)?;
    if reaches(found.0 + len) {
        return Some(found);
    }
    Linux::unmap(found, len);
    loop {
        let end = NEXT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |end| end.checked_sub(len)).ok()?;
        let found = Linux::map(Addr(end - len), len)?;
        if found.0 == end - len {
            return Some(found);
        }
        Linux::unmap(found, len);
    }
}

impl Os for Fake {
    fn map(hint: Addr, len: usize) -> Option<Addr> {
        if refused() { None } else { map_below(hint, len) }
    }
    fn reserve(hint: Addr, len: usize) -> Option<Addr> {
        if refused() {
            None
        } else if END.load(Ordering::Relaxed) == 0 {
            Linux::reserve(hint, len)
        } else {
            map_below(hint, len).filter(|&at| Linux::forbid(at, len))
        }
    }
    fn move_onto(from: Addr, from_len: usize, to: Addr, to_len: usize) -> bool {
        !refused() && Linux::move_onto(from, from_len, to, to_len)
    }
    fn move_pages(from: Addr, len: usize, to: Addr) -> bool {
        !refused() && Linux::move_pages(from, len, to)
    }
    fn resize(at: Addr, old: usize, new: usize) -> Resize {
        if refused() {
            Resize::Never
        } else if !reaches(at.0 + new) {
            Resize::Blocked
        } else {
            Linux::resize(at, old, new)
        }
    }
    fn purge(at: Addr, len: usize) -> bool {
        !refused() && Linux::purge(at, len)
    }
    fn purge_all(ranges: &[Range], _: bool) -> u64 {
        let gone = |(index, range): (usize, &Range)| (Self::purge(range.at, range.len) as u64) << index;
        ranges.iter().enumerate().map(gone).sum()
    }
    fn unmap(at: Addr, len: usize) -> bool {
        !refused() && Linux::unmap(at, len)
    }
    fn populate(at: Addr, len: usize) -> bool {
        !refused() && Linux::populate(at, len)
    }
    fn advise_huge(at: Addr, len: usize, huge: bool) -> bool {
        !refused() && Linux::advise_huge(at, len, huge)
    }
    fn forbid(at: Addr, len: usize) -> bool {
        !refused() && Linux::forbid(at, len)
    }
    fn permit(at: Addr, len: usize) -> bool {
        !refused() && Linux::permit(at, len)
    }
}
