//! The library's table of offsets, word by word. What each means stands in `src/base/layout.rs`, in the same order.

use super::u64_at;

/// What the table begins with.
pub(super) const MAGIC: [u8; 16] = *b"hakmem layout\0\r\n";
/// What this program understands.
pub(super) const VERSION: u64 = 1;

macro_rules! words {
    ($($name:ident)*) => {
        #[derive(Clone, Debug)]
        #[allow(dead_code, reason = "all of the table, whoever reads what of it")]
        pub(crate) struct Layout {
            $(pub(crate) $name: u64,)*
        }

        /// Bytes of the table as this program knows it.
        pub(super) const SIZE: usize = MAGIC.len() + 8 * [$(stringify!($name)),*].len();

        impl Layout {
            pub(super) fn parse(bytes: &[u8]) -> Option<Layout> {
                if bytes.len() < SIZE || !bytes.starts_with(&MAGIC) {
                    return None;
                }
                let mut at = MAGIC.len();
                $(let $name = u64_at(bytes, at); at += 8;)*
                let _ = at;
                Some(Layout { $($name,)* })
            }
        }
    };
}

words! {
    version size this_at
    classes block_size_at slots_at capacity_at bin_stride
    root_at root_words granule leaf_entries leaf_spare leaf_pages entry_size entry_tag entry_record
    tag_large tag_waits tag_guard tag_reserve_large tag_reserve
    span_base span_owner span_free span_capacity span_block_size span_class span_claims span_bitmap
    large_base large_bytes large_size large_mapped large_mapped_at large_in_use_at seats_at seats
    heaps_at heap_size heap_next heap_orphan heap_word bin_cur bin_base heap_inbox heap_inbox_bytes
    heap_open heap_opens open_size open_node heap_events event_kinds late_at samples_at heap_baseline
    node_next node_word node_len node_blocks node_size
    chunks_at chunks chunk_slabs slab_size slab_word slab_base slab_absent pool_dirty_at pool_mapped_at
    profile_at profile_bytes profile_stacks_at profile_stacks_bytes profile_places profile_samples sample_count sample_size sample_site
    profile_sites site_size site_frames site_name profile_words trace_at trace_bytes
    profile_on_at
}
