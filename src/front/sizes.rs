//! How large blocks really are, for who can use what rounding leaves; and growing one where it stands.
#![forbid(unsafe_code)]

use super::{paranoid, profiled, recorded, slow, usable_size};
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::round_up;
use crate::class::ClassId;
use crate::hardened;
use crate::large;
use crate::os::{die, gate};
use crate::page_map::{self, Tag};
use crate::reclaim;

const FOREIGN: &str = "hak_expand: not a block of this allocator, or free already";
const INTERIOR: &str = "hak_expand: pointer into a block, not to its start";

/// The most that may be asked for instead of `size` without its costing more memory. In strict modes `size`: what is behind it is watched.
pub(crate) fn good_size(size: usize) -> usize {
    if slow::strict().is_some() {
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
    let tag = page_map::tag(at);
    if tag == Tag::NONE || tag == Tag::WAITS {
        die(FOREIGN, at);
    }
    let Some(held) = usable_size(block) else { die(INTERIOR, at) };
    let most = most.max(least).min(isize::MAX as usize);
    if most <= held || least > most {
        return (least <= held).then_some(held);
    }
    let got = match tag {
        Tag::LARGE => expand_large(at, least.max(held + 1), most),
        Tag::GUARD => None,
        tag if tag.is_reserve() => None,
        tag if hardened::is_on() => hardened::expand(at, ClassId::from_index(tag.class_index()), least, most),
        // All that a block of a class can hold is the program's already.
        _ => None,
    };
    if let Some(got) = got {
        recorded::resized(block, got, block);
    }
    got.or(Some(held)).filter(|got| least <= *got)
}

fn expand_large(at: Addr, least: usize, most: usize) -> Option<usize> {
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
