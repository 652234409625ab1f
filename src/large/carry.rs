//! A block that is to grow and is several mappings to the kernel, which moves them only one by one, where the limit has no room for a copy beside
//! it: copied in steps, each of which gives the old pages back. So it may grow as far as one that is moved.

use super::cache::Range;
use super::counts::{FRESH_BYTES, grown};
use super::keep::unmap;
use super::record::Large;
use crate::base::addr::Addr;
use crate::os;
use crate::os::names::{self, Name};
use crate::page_map;
use crate::stats::level::IN_USE;
use crate::superslab;

/// Bytes of a step: what is resident twice.
const STEP: usize = 1 << 20;

/// Moves the block to a new mapping of `wanted` bytes, more than it has. `None`: there is no room, all as before.
#[cold]
#[inline(never)] // for the stack
pub(super) fn carry(large: &mut Large, wanted: usize) -> Option<Addr> {
    let old = Range { base: large.base, bytes: large.bytes };
    let to = os::map_target(wanted, old.bytes)?;
    if !page_map::prepare(to, 1) || !os::unguard(to, wanted) {
        os::unmap(to, wanted);
        return None;
    }
    names::give(to, wanted, Name::Large);
    superslab::advise_large(to, wanted);
    for done in (0..old.bytes).step_by(STEP) {
        let (from, len) = (old.base.offset(done), STEP.min(old.bytes - done));
        // SAFETY: the first is of the block, which the caller holds, the second of the new mapping, open and as long at least; they are apart.
        unsafe { to.offset(done).as_ptr::<u8>().copy_from_nonoverlapping(from.as_ptr(), len) };
        os::purge(from, len);
    }
    grown(wanted);
    FRESH_BYTES.add(wanted as u64);
    IN_USE.resize_mapping(old.bytes, wanted);
    page_map::enter(to, 1, page_map::tag(old.base), page_map::record(old.base));
    page_map::strike(old.base, 1);
    (large.base, large.bytes) = (to, wanted);
    unmap(old);
    Some(to)
}
