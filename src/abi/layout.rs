//! `hak_layout`, the table that `base::layout` describes, filled in by each box.

use core::mem::size_of;

use crate::base::layout::{At, Layout, MAGIC, VERSION};
use crate::{class, hardened, heap, large, page_map, profile, span, superslab, trace};

/// Where the table is the same for all.
#[repr(transparent)]
pub struct Table(Layout);

// SAFETY: constant, and the addresses in it are for readers outside of the process.
unsafe impl Sync for Table {}

/// Not by that name where no C function is exported: two copies of the library may then be linked into one program. A reader finds
/// it by what it begins with.
#[used]
#[cfg_attr(all(feature = "override", not(test)), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "the name that C gives it")]
pub static hak_layout: Table = Table(Layout {
    magic: MAGIC,
    version: VERSION,
    size: size_of::<Layout>(),
    this_at: At((&raw const hak_layout).cast()),
    classes: class::LAYOUT,
    page_map: page_map::LAYOUT,
    span: span::LAYOUT,
    large: large::layout(hardened::fenced::MAPPED),
    heap: heap::LAYOUT,
    node: heap::NODE_LAYOUT,
    pool: superslab::LAYOUT,
    profile: profile::LAYOUT,
    trace: trace::LAYOUT,
    profile_on_at: profile::ON_AT,
    heap_second_bins: heap::SECOND_BINS,
    tag_fenced: page_map::Tag::FENCED.0 as usize,
});
