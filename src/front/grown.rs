//! Large blocks that are to hold more, or less, and what else is due then.
#![forbid(unsafe_code)]

use errno::{errno, set_errno};

use super::source::out_of_memory;
use super::{paranoid, profiled, recorded};
use crate::base::addr::Addr;
use crate::large;
use crate::os::{Defect, die, gate};
use crate::reclaim;

/// Makes the block at `at` hold `size` bytes by `resize`, its box's: in place or with its pages moved. Its usable bytes when it has to be copied.
pub(super) fn resize(at: Addr, size: usize, resize: fn(Addr, usize) -> Option<Addr>) -> Result<*mut u8, usize> {
    let Some(old) = large::usable(at) else { die(Defect::REALLOC_INTERIOR, at) };
    if size > isize::MAX as usize {
        return Ok(out_of_memory());
    }
    let before = recorded::now();
    let resized = inside(old, size, || resize(at, size))?;
    profiled::resized(at, resized, size);
    if resized != at {
        recorded::moved(before, at, size, resized);
    }
    Ok(resized.as_ptr())
}

/// The large block at `at` holds `size` bytes from now on, as it is.
pub(super) fn stays(at: Addr, size: usize) -> *mut u8 {
    profiled::resized(at, at, size);
    at.as_ptr()
}

fn inside(old: usize, size: usize, resize: impl FnOnce() -> Option<Addr>) -> Result<Addr, usize> {
    let Some(_inside) = gate::enter_anew() else { return Err(old) };
    reclaim::apply_limits();
    let resized = resize().ok_or(old);
    if resized.is_ok() && size < old {
        // A run's end is idle now.
        let saved = errno();
        reclaim::after_free();
        set_errno(saved);
    }
    paranoid::after_slow_path();
    resized
}

/// Makes the block at `at` hold `most` bytes where it stands, or at least `least`, more than it holds, by `expand`, its box's. Says how many.
pub(super) fn expand(
    at: Addr,
    least: usize,
    most: usize,
    expand: fn(Addr, usize, usize) -> Option<usize>,
) -> Option<usize> {
    let got = {
        let _inside = gate::enter_anew()?;
        reclaim::apply_limits();
        let got = expand(at, least, most);
        paranoid::after_slow_path();
        got?
    };
    profiled::resized(at, at, got);
    Some(got)
}
