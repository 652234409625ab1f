//! Large blocks that are made and freed again and again: what `large` keeps for the thread that freed it. No lock; where anything
//! else is due, the slow path serves.
#![forbid(unsafe_code)]

use errno::{errno, set_errno};

use super::{late, paranoid, requests};
use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::large::warm::{self, Freed};
use crate::os::gate::{self, Inside};
use crate::reclaim;

/// A block of at least `size` bytes, more than the classes have, that waits for the calling thread.
///
/// What a slow path does now and then is not due here: it was when the block was freed.
#[inline(always)]
pub(super) fn alloc(size: usize) -> Option<Block> {
    if reclaim::wants_background() {
        return None;
    }
    // Mostly none waits, and a turn at the gate would be for nothing: the slow path enters it again.
    let waiting = warm::find(size, gate::home())?;
    let _inside = gate::enter_at_once()?;
    let block = warm::alloc(waiting);
    paranoid::after_slow_path();
    block
}

/// Frees the block at `at`, whose granule is tagged LARGE, if it can wait. `false`: nothing was done.
#[inline(always)]
pub(super) fn free(at: Addr) -> bool {
    let Some(inside) = gate::enter_at_once() else { return false };
    match warm::free(at, inside.place()) {
        None => return false,
        Some(Freed::Waits) if !reclaim::is_unsettled() => {
            if reclaim::beat() {
                now_and_then(inside);
            } else {
                paranoid::after_slow_path();
            }
        }
        Some(freed) => settle(freed, inside),
    }
    true
}

/// What is due however little changes. Keeps errno.
#[cold]
#[inline(never)]
fn now_and_then(inside: Inside) {
    let saved = errno();
    late::take_in();
    reclaim::look_round();
    drop(inside);
    requests::answer();
    set_errno(saved);
}

/// What a slow path that frees does besides. Keeps errno.
#[cold]
#[inline(never)]
fn settle(freed: Freed, inside: Inside) {
    let saved = errno();
    if let Freed::Homeless(range) = freed {
        warm::into_cache(range);
    }
    reclaim::settle();
    paranoid::after_slow_path();
    drop(inside);
    set_errno(saved);
}
