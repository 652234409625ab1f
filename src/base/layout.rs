//! `hak_layout`: where a reader outside of the process finds what, the one table that says it. The library exports it as a data symbol
//! (`abi/layout.rs`); the `hakmem` command reads it, and with it heaps, spans and large blocks, from a process that runs, sleeps, is stopped
//! or has deadlocked, or from a core file. Nothing in the process helps, so nothing here may need help: all records lie out of line and are
//! never unmapped, so whatever is read may be a moment old, but it is there.
//!
//! A reader finds the table by the symbol, or without any symbols by looking for `MAGIC` at a multiple of 8 in the data of the library or
//! program: where `this` is its own address, it is one. What follows are words of eight bytes in the order of the fields below. Of fields that
//! are not explained by their names:
//!
//! - a field ending in `_at` is an address in the process; all others are numbers: offsets into a record, unless they say what else;
//! - fields are only added, at the end, and `size` grows; `VERSION` changes when one means something else, and no reader may guess then.
//!
//! How they hang together:
//!
//! - `root_at` has a word for each 4 GiB of addresses, null or a leaf: `leaf_entries` entries of `entry_size` bytes, one for each granule,
//!   then the address of as many again, the spare, or null; then a word of four bytes for each page of entries, of which the lower 13
//!   bits count the entries in that page, and the next 13 those in the spare's. An entry is there on one side or the other.
//! - An entry's tag says what its granule is (`page_map::Tag`), its record where the span's or large block's record lies. Of a large block only
//!   its first granule has an entry. Other small tags are nobody's.
//! - A span's record is followed by its bitmap, a bit for each block from `base` on, set when the block is free *in the span*. Blocks in
//!   magazines, stocks, and batches on their way home are not, and the program holds none of those.
//! - Heaps are a list from the word at `heaps_at` on by `heap_next`. A heap begins with its bins, one for each class: a magazine is an array of
//!   addresses from `bin_base` to `bin_cur`. `heap_inbox` is the newest of a list of nodes by `node_next`; `heap_open` is an array of `heap_opens`
//!   records of `open_size` bytes, each with a node, or null, at `open_node`. Of a node's blocks, `node_len` at most, the first so many as the
//!   lower 31 bits of `node_word` say were taken already.
//! - With `HAKMEM_HARDENED=1` a span has claims, two bytes for each block: from 8 on the program holds it, and as many bytes are behind what it
//!   asked for.
//! - The pool's SuperSlabs are a table of chunks, `chunks` addresses, filled from the first on, each of `chunk_slabs` descriptors. Slots that
//!   are in use are the lower half of `slab_word`, those that are free with old bytes the upper; all ones: it is not in use, and perhaps not mapped.
#![forbid(unsafe_code)]

use core::mem::size_of;

pub(crate) const MAGIC: [u8; 16] = *b"hakmem layout\0\r\n";
pub(crate) const VERSION: usize = 1;

/// An address that is the process's business.
#[repr(transparent)]
pub(crate) struct At(pub(crate) *const ());

#[repr(C)]
pub(crate) struct Layout {
    pub(crate) magic: [u8; 16],
    pub(crate) version: usize,
    /// Bytes of the table.
    pub(crate) size: usize,
    /// Its own address.
    pub(crate) this_at: At,
    pub(crate) classes: Classes,
    pub(crate) page_map: PageMap,
    pub(crate) span: Span,
    pub(crate) large: Large,
    pub(crate) heap: Heap,
    pub(crate) node: Node,
    pub(crate) pool: Pool,
    pub(crate) profile: Profile,
    pub(crate) trace: Trace,
    /// One byte: whether the profiler counts.
    pub(crate) profile_on_at: At,
    /// Offset in a heap of a second set of bins, of blocks that are as free as those of the first: there once the profiler's tables are.
    pub(crate) heap_second_bins: usize,
    /// The tag of a large block's first granule, in use, of a hardened process.
    pub(crate) tag_fenced: usize,
}

#[repr(C)]
pub(crate) struct Classes {
    pub(crate) classes: usize,
    /// Bytes of a block, four bytes for each class.
    pub(crate) block_size_at: At,
    /// Granules of a span, a byte for each class.
    pub(crate) slots_at: At,
    /// Blocks of a span, four bytes for each class.
    pub(crate) capacity_at: At,
    /// What a class is multiplied by in a tag, and from one bin to the next.
    pub(crate) bin_stride: usize,
}

#[repr(C)]
pub(crate) struct PageMap {
    pub(crate) root_at: At,
    /// Words of the root.
    pub(crate) root_words: usize,
    /// Bytes of a granule.
    pub(crate) granule: usize,
    pub(crate) leaf_entries: usize,
    pub(crate) leaf_spare: usize,
    pub(crate) leaf_pages: usize,
    pub(crate) entry_size: usize,
    pub(crate) entry_tag: usize,
    pub(crate) entry_record: usize,
    /// The tag of a large block's first granule, in use; of one that is freed and waits; of the region of guarded blocks.
    pub(crate) tag_large: usize,
    pub(crate) tag_waits: usize,
    pub(crate) tag_guard: usize,
    /// The tag of a large block of the reserve, whose record is its size; and the lowest of the tags of granules with its blocks of a power of two.
    pub(crate) tag_reserve_large: usize,
    pub(crate) tag_reserve: usize,
}

#[repr(C)]
pub(crate) struct Span {
    pub(crate) base: usize,
    /// The heap's address.
    pub(crate) owner: usize,
    /// Four bytes each.
    pub(crate) free: usize,
    pub(crate) capacity: usize,
    pub(crate) block_size: usize,
    /// One byte.
    pub(crate) class: usize,
    /// The address of the claims, or null.
    pub(crate) claims: usize,
    pub(crate) bitmap: usize,
}

#[repr(C)]
pub(crate) struct Large {
    pub(crate) base: usize,
    /// Bytes that are the block's.
    pub(crate) bytes: usize,
    /// What the program may use.
    pub(crate) size: usize,
    /// Bytes of the mapping, of which the first are the block's, where the tag is `tag_fenced`.
    pub(crate) mapped: usize,
    /// Counters of eight bytes: bytes of all mappings, freed ones that are kept included; what is in use of those, granules in the lower four bytes.
    pub(crate) mapped_at: At,
    pub(crate) in_use_at: At,
    /// The words of freed blocks that wait as they are: granule in the upper half, granules in the lower.
    pub(crate) seats_at: At,
    pub(crate) seats: usize,
}

#[repr(C)]
pub(crate) struct Heap {
    pub(crate) heaps_at: At,
    /// Bytes of a heap.
    pub(crate) size: usize,
    pub(crate) next: usize,
    /// One byte: whether no thread has it.
    pub(crate) orphan: usize,
    /// An address in the memory of the thread that has it, its lowest bit aside; 0: not known.
    pub(crate) word: usize,
    pub(crate) bin_cur: usize,
    pub(crate) bin_base: usize,
    pub(crate) inbox: usize,
    pub(crate) inbox_bytes: usize,
    pub(crate) open: usize,
    pub(crate) opens: usize,
    pub(crate) open_size: usize,
    pub(crate) open_node: usize,
    /// Counters of eight bytes, `event_kinds` for each class, of which the second is blocks that refills brought, the sixth blocks sent home.
    pub(crate) events: usize,
    pub(crate) event_kinds: usize,
    /// The address of the heap of those that have none, and of that of sampled blocks; null until it is made.
    pub(crate) late_at: At,
    pub(crate) samples_at: At,
    /// The address of the baseline's state, or null.
    pub(crate) baseline: usize,
}

#[repr(C)]
pub(crate) struct Node {
    pub(crate) next: usize,
    pub(crate) word: usize,
    /// Four bytes.
    pub(crate) len: usize,
    pub(crate) blocks: usize,
    /// Bytes of a node.
    pub(crate) size: usize,
}

#[repr(C)]
pub(crate) struct Pool {
    pub(crate) chunks_at: At,
    pub(crate) chunks: usize,
    pub(crate) chunk_slabs: usize,
    /// Bytes of a descriptor.
    pub(crate) slab_size: usize,
    pub(crate) slab_word: usize,
    pub(crate) slab_base: usize,
    /// Four bytes: slots that do not exist.
    pub(crate) slab_absent: usize,
    /// Counters of eight bytes: slots that are free with old bytes, those of cached SuperSlabs included; bytes mapped.
    pub(crate) dirty_at: At,
    pub(crate) mapped_at: At,
}

#[repr(C)]
pub(crate) struct Profile {
    /// The addresses of the profiler's tables, and of the stacks that it unwinds on; null until they are made. And the bytes of each.
    pub(crate) tables_at: At,
    pub(crate) tables_bytes: usize,
    pub(crate) stacks_at: At,
    pub(crate) stacks_bytes: usize,
    /// In the tables: addresses of sampled blocks that are live, so many, and of each what is known.
    pub(crate) places: usize,
    pub(crate) samples: usize,
    pub(crate) sample_count: usize,
    pub(crate) sample_size: usize,
    /// Four bytes: the number of the site.
    pub(crate) sample_site: usize,
    /// In the tables: sites; `site_frames` says where among the words its frames begin, eight bits up, and in the lowest eight how many they are.
    pub(crate) sites: usize,
    pub(crate) site_size: usize,
    pub(crate) site_frames: usize,
    /// The thread's name, 16 bytes.
    pub(crate) site_name: usize,
    /// In the tables: return addresses.
    pub(crate) words: usize,
}

#[repr(C)]
pub(crate) struct Trace {
    /// The address of the tables of `HAKMEM_TRACE=1`, or null.
    pub(crate) tables_at: At,
    pub(crate) tables_bytes: usize,
}

const _: () = {
    let words = (size_of::<Layout>() - 16) / 8;
    assert!(words == 3 + 5 + 14 + 8 + 8 + 18 + 5 + 9 + 14 + 2 + 1 + 1 + 1, "words without a hole, and none taken away");
};
