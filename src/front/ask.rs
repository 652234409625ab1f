//! What can be asked of a pointer. Each question is one exhaustive `match` over its `Kind`, and each arm the answer of the box whose block it is.
//!
//! | kind       | usable size      | resize             | expand         | cut       | free (`sink.rs`)              |
//! |------------|------------------|--------------------|----------------|-----------|-------------------------------|
//! | `NotOurs`  | none             | die                | die            | -         | die                           |
//! | `Large`    | its record's     | in place, or moved | in place       | -         | its box's                     |
//! | `Fenced`   | what was asked for | in place, or moved | in place     | its end   | checked, then its box's       |
//! | `Guarded`  | what was asked for | copied           | no             | its end   | its box's                     |
//! | `Reserve`  | its chunk's      | copied             | no             | -         | its box's, without the gate   |
//! | `Hardened` | what was asked for | in place         | in place       | its end   | checked, then by its form     |
//! | `Usual`    | its class's      | `stays`, or copied | no             | -         | magazine, batch, arena, span  |
#![forbid(unsafe_code)]

use super::grown;
use super::kind::Kind;
use crate::base::addr::{Addr, GRANULE};
use crate::guard;
use crate::hardened;
use crate::large;
use crate::os::{Defect, die};
use crate::reserve;
use crate::span;

/// Bytes of the smallest block: never too large for what is left in it.
const SMALLEST: usize = 16;

/// Usable bytes of the block that starts at `block`; `None` when none does. Any thread, for which the block stays meanwhile.
pub(crate) fn usable_size(block: *mut u8) -> Option<usize> {
    let at = Addr::of(block);
    usable(at, Kind::at(at))
}

#[inline(always)]
pub(super) fn usable(at: Addr, kind: Kind) -> Option<usize> {
    match kind {
        Kind::NotOurs => None,
        Kind::Large | Kind::Fenced => large::usable(at),
        Kind::Guarded => guard::usable(at),
        Kind::Reserve(tag) => reserve::usable(at, tag),
        Kind::Hardened(span) => hardened::usable(at, span.class()),
        Kind::Usual(span) => span::starts_block(at).then(|| span.class().block_size()),
    }
}

/// Whether a block starts at `block`, which may be any address. Any thread.
pub(crate) fn is_ours(block: *mut u8) -> bool {
    let at = Addr::of(block);
    match Kind::at(at) {
        // It starts the one granule that has its tag. Its record is its holder's.
        Kind::Large | Kind::Fenced => at.is_aligned(GRANULE),
        kind => usable(at, kind).is_some(),
    }
}

/// `usable_size` for who may have named anything; hardened, what is no block, or free, ends the process.
pub(crate) fn usable_size_or_0(block: *mut u8) -> usize {
    match usable_size(block) {
        Some(size) => size,
        None if hardened::is_on() && !block.is_null() => die(Defect::USABLE_FOREIGN, Addr::of(block)),
        None => 0,
    }
}

/// Whether a class's block of `old` bytes is to hold `size` of them where it is: above half of it, from 1 KiB on above 5/8. A smaller one
/// would be of the next class in half of the cases, and the copy not worth it.
#[inline(always)]
pub(super) fn stays(old: usize, size: usize) -> bool {
    // An eighth in multiples of 128 bytes: nothing, below 1 KiB.
    let eighth = (old / 8) & !127;
    size <= old && (size > old / 2 + eighth || old == SMALLEST)
}

/// Makes `block` (not null) hold `size` bytes (not 0) without a copy, where it is or by moving its pages; else says how many it holds, and it is
/// as before. What is no block ends the process. Any thread.
#[inline(always)]
pub(crate) fn resize(block: *mut u8, size: usize) -> Result<*mut u8, usize> {
    let at = Addr::of(block);
    let kind = Kind::at(at);
    match kind {
        Kind::NotOurs => die(Defect::REALLOC_FOREIGN, at),
        Kind::Large if large::stays(at, size) => Ok(grown::stays(at, size)),
        Kind::Large => grown::resize(at, size, large::resize),
        Kind::Fenced => grown::resize(at, size, hardened::fenced::resize),
        // Of the reserve always moved: what comes from there is to go back to it soon.
        Kind::Guarded | Kind::Reserve(_) => Err(usable(at, kind).unwrap_or_else(|| die(Defect::REALLOC_FOREIGN, at))),
        Kind::Hardened(span) => hardened::resize(at, span.class(), size).map(|()| block),
        Kind::Usual(_) if !span::starts_block(at) => die(Defect::REALLOC_INTERIOR, at),
        Kind::Usual(span) => match span.class().block_size() {
            old if stays(old, size) => Ok(block),
            old => Err(old),
        },
    }
}

/// Once more, of a block that `resize` could not make larger: now that all idle memory is given back there may be room where it stands.
pub(super) fn resize_again(at: Addr, size: usize) -> Option<*mut u8> {
    match Kind::at(at) {
        Kind::Large => grown::resize(at, size, large::resize).ok(),
        Kind::Fenced => grown::resize(at, size, hardened::fenced::resize).ok(),
        Kind::NotOurs | Kind::Guarded | Kind::Reserve(_) | Kind::Hardened(_) | Kind::Usual(_) => None,
    }
}

/// Makes the block at `at`, which starts there, hold `most` bytes where it stands, or `least`, more than the `held` that it holds. Says how many;
/// `None`: it can't, and is as before.
pub(super) fn expand(at: Addr, kind: Kind, held: usize, least: usize, most: usize) -> Option<usize> {
    match kind {
        Kind::Large => grown::expand(at, least.max(held + 1), most, large::expand),
        Kind::Fenced => grown::expand(at, least.max(held + 1), most, hardened::fenced::expand),
        Kind::Hardened(span) => hardened::expand(at, span.class(), least, most),
        // All that a block of a class can hold is the program's already.
        Kind::NotOurs | Kind::Guarded | Kind::Reserve(_) | Kind::Usual(_) => None,
    }
}

/// A block that is to hold fewer bytes where it stands: strict modes watch its new end, and compare the new size.
#[cold]
pub(crate) fn cut(at: Addr, size: usize) {
    match Kind::at(at) {
        Kind::Fenced => hardened::fenced::cut(at, size),
        Kind::Guarded => guard::cut(at, size),
        Kind::Hardened(span) => hardened::cut(at, span.class(), size),
        Kind::NotOurs | Kind::Large | Kind::Reserve(_) | Kind::Usual(_) => {}
    }
}
