//! Large blocks that are to hold more, or less, and what else is due then.
#![forbid(unsafe_code)]

use errno::{errno, set_errno};

use super::source::out_of_memory;
use super::{paranoid, profiled, recorded};
use crate::base::addr::Addr;
use crate::large;
use crate::os::{Defect, die, gate};
use crate::reclaim;

/// Makes the block at `at` hold `size` bytes, in place or with its pages moved; its usable bytes when it has to be copied.
pub(super) fn resize(at: Addr, size: usize) -> Result<*mut u8, usize> {
    let Some(old) = large::usable(at) else { die(Defect::REALLOC_INTERIOR, at) };
    if size > isize::MAX as usize {
        return Ok(out_of_memory());
    }
    let before = recorded::now();
    let resized = inside(at, old, size)?;
    profiled::resized(at, resized, size);
    if resized != at {
        recorded::moved(before, at, size, resized);
    }
    Ok(resized.as_ptr())
}

fn inside(at: Addr, old: usize, size: usize) -> Result<Addr, usize> {
    let Some(_inside) = gate::enter() else { return Err(old) };
    reclaim::apply_limits();
    let resized = large::resize(at, size).ok_or(old);
    if resized.is_ok() && size < old {
        // A run's end is idle now.
        let saved = errno();
        reclaim::after_free();
        set_errno(saved);
    }
    paranoid::after_slow_path();
    resized
}

/// Makes the block at `at` hold `most` bytes where it stands, or at least `least`, more than it holds. Says how many.
pub(super) fn expand(at: Addr, least: usize, most: usize) -> Option<usize> {
    let got = {
        let _inside = gate::enter()?;
        reclaim::apply_limits();
        let got = large::expand(at, least, most);
        paranoid::after_slow_path();
        got?
    };
    profiled::resized(at, at, got);
    Some(got)
}
