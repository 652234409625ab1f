//! How large blocks really are, for who can use what rounding leaves; and growing one where it stands.
#![forbid(unsafe_code)]

use super::kind::Kind;
use super::source::Mode;
use super::{ask, recorded};
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::round_up;
use crate::class::ClassId;
use crate::hardened;
use crate::os::{Defect, die};

/// The most that may be asked for instead of `size` without its costing more memory. In strict modes `size`: what is behind it is watched.
pub(crate) fn good_size(size: usize) -> usize {
    if Mode::is_strict() {
        return size.max(1);
    }
    match ClassId::of(size) {
        Some(class) => class.block_size(),
        None => round_up(size, GRANULE).filter(|bytes| *bytes <= isize::MAX as usize).unwrap_or(size),
    }
}

/// Makes `block` (not null) hold `most` bytes where it stands, or at least `least`; what it holds then. `None`: that can't be, and it is as
/// before. What is no block ends the process. Any thread.
pub(crate) fn expand(block: *mut u8, least: usize, most: usize) -> Option<usize> {
    let at = Addr::of(block);
    let kind = Kind::at(at);
    let held = match (kind, ask::usable(at, kind)) {
        (Kind::NotOurs, _) => die(Defect::EXPAND_FOREIGN, at),
        (Kind::Hardened(span), None) => {
            // Its box may know better: the block's end may be what was written to.
            let _ = hardened::expand(at, span.class(), least, most);
            die(Defect::EXPAND_INTERIOR, at)
        }
        (_, None) => die(Defect::EXPAND_INTERIOR, at),
        (_, Some(held)) => held,
    };
    let most = most.max(least).min(isize::MAX as usize);
    if most <= held || least > most {
        return (least <= held).then_some(held);
    }
    let got = ask::expand(at, kind, held, least, most);
    if let Some(got) = got {
        recorded::resized(block, got, block);
    }
    got.or(Some(held)).filter(|got| least <= *got)
}
