//! The library's table of offsets, word by word. What each means stands in `src/base/layout.rs`, in the same order.

use super::bytes::u64_at;

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
    profile_on_at heap_second_bins tag_fenced
}

impl Layout {
    /// Whether it can be what a library says of itself: a core file may be damaged anywhere, and what is read by it is believed.
    pub(super) fn is_sane(&self) -> bool {
        let counts = [
            (self.classes, 1, 4096),
            (self.bin_stride, 24, 256),
            (self.root_words, 1, 1 << 24),
            (self.granule, 4096, 1 << 24),
            (self.leaf_entries, 1, 1 << 20),
            (self.entry_size, 16, 256),
            (self.heap_opens, 1, 1024),
            (self.open_size, 8, 1024),
            (self.event_kinds, 6, 64),
            (self.node_size, 32, 1 << 16),
            (self.chunks, 1, 1 << 20),
            (self.chunk_slabs, 1, 4096),
            (self.slab_size, 16, 4096),
        ];
        let offsets = [
            (self.leaf_spare, 1 << 24),
            (self.leaf_pages, 1 << 24),
            (self.entry_tag, self.entry_size),
            (self.entry_record, self.entry_size),
            (self.tag_reserve, 4096),
            (self.span_base, 4096),
            (self.span_owner, 4096),
            (self.span_class, 4096),
            (self.span_claims, 4096),
            (self.span_bitmap, 4096),
            (self.large_base, 4096),
            (self.large_bytes, 4096),
            (self.large_size, 4096),
            (self.bin_cur, self.bin_stride),
            (self.bin_base, self.bin_stride),
            (self.open_node, self.open_size),
            (self.node_next, self.node_size),
            (self.node_word, self.node_size),
            (self.node_len, self.node_size),
            (self.node_blocks, self.node_size),
            (self.slab_word, self.slab_size),
            (self.slab_base, self.slab_size),
            (self.slab_absent, self.slab_size),
            (self.heap_next, 1 << 20),
            (self.heap_word, 1 << 20),
            (self.heap_orphan, 1 << 20),
            (self.heap_inbox, 1 << 20),
            (self.heap_inbox_bytes, 1 << 20),
            (self.heap_open, 1 << 20),
            (self.heap_events, 1 << 20),
            (self.heap_second_bins, 1 << 20),
        ];
        counts.iter().all(|&(value, least, most)| (least..=most).contains(&value))
            && offsets.iter().all(|&(offset, end)| offset < end)
    }
}
