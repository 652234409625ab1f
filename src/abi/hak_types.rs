//! The constants and structs of `include/hakmem.h`.

use core::ffi::{c_int, c_void};

use crate::{config, report};

/// The version this header belongs to; `hak_version_number` gives that of the library in use.
pub const HAKMEM_VERSION_MAJOR: c_int = 0;
pub const HAKMEM_VERSION_MINOR: c_int = 2;
pub const HAKMEM_VERSION_PATCH: c_int = 0;

/// Bytes that hold any option's value with its final null.
#[allow(dead_code, reason = "an assertion uses it, which Rust 1.85 does not count")]
pub const HAKMEM_OPTION_MAX: usize = 256;

/// Figures of the whole process. What ends in `_bytes` or `_blocks` is in that unit, else it is a number of what it names.
/// "Each time" and "times" count from the process's start and never fall; the others rise and fall.
///
/// Later versions add fields at the end, and take none out. docs/STATISTICS.md explains the words.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "a C name")]
pub struct hak_stats {
    /// bytes of this struct that are filled in
    pub size: u64,
    /// blocks that the program holds, each with all the bytes it can hold
    pub live_bytes: u64,
    /// blocks that the program holds; one freed by another thread counts until its owner takes it back
    pub live_blocks: u64,
    /// free blocks in magazines, and in the calling thread's baseline caches
    pub cached_bytes: u64,
    /// free blocks in spans
    pub free_bytes: u64,
    /// free memory that a purge may give back: slots, cached mappings, blocks freed in spans since the last look
    pub dirty_bytes: u64,
    /// address space for blocks: SuperSlabs and large mappings
    pub mapped_bytes: u64,
    /// memory given back to the kernel, each time it was
    pub purged_bytes: u64,
    /// memory for the allocator's own records: their chunks, and the pages of the page map that are in use
    pub metadata_bytes: u64,
    /// estimate from above of what of blocks and records is resident: pages never touched count as if they were
    pub resident_bytes: u64,
    /// the most mapped_bytes ever was
    pub peak_mapped_bytes: u64,
    /// the most that spans and large blocks held at one time
    pub peak_active_bytes: u64,
    /// heaps: one for each thread that allocates, and those that ended threads left
    pub heaps: u64,
    /// heaps without a thread, to be adopted by new ones
    pub heaps_orphaned: u64,
    /// times a magazine or FastCache was filled from spans
    pub refills: u64,
    /// blocks that refills brought
    pub refilled_blocks: u64,
    /// times a magazine or cache was emptied into spans
    pub flushes: u64,
    /// blocks that went back into spans, those freed by other threads included
    pub flushed_blocks: u64,
    /// full batches of blocks sent to the heap that owns them
    pub remote_sends: u64,
    /// blocks in those batches
    pub remote_sent_blocks: u64,
    /// blocks sent that their owner has not taken in yet, about; they count as live
    pub remote_pending_bytes: u64,
    /// times a magazine's capacity was doubled
    pub magazine_grows: u64,
    /// frees by other threads that found no batch node and took the owner's lock
    pub nodes_ran_dry: u64,
    /// tiny allocations through T-HEAP, at least: blocks that refills brought and no magazine holds
    pub tiny_allocs: u64,
    /// of those, the ones that met a filled magazine
    pub tiny_hits: u64,
    /// mid allocations, at least, likewise
    pub mid_allocs: u64,
    /// of those, the ones that met a filled magazine
    pub mid_hits: u64,
    /// spans that heaps own
    pub spans: u64,
    /// spans taken from the shared pool
    pub span_acquires: u64,
    /// spans given back to the shared pool
    pub span_releases: u64,
    /// blocks freed in spans and not looked through for whole free pages since
    pub span_dirty_bytes: u64,
    /// whole free pages given back inside spans
    pub span_purged_bytes: u64,
    /// bytes of pages in spans that went back, or that blocks longer than a page never used, and not handed out since
    pub span_absent_bytes: u64,
    /// SuperSlabs that are mapped: full, partial and cached
    pub superslabs: u64,
    /// SuperSlabs without a free slot
    pub superslabs_full: u64,
    /// SuperSlabs in use that have a free slot
    pub superslabs_partial: u64,
    /// SuperSlabs without a slot in use, kept for reuse
    pub superslabs_cached: u64,
    /// slots (64 KiB each) held by spans and large blocks
    pub slots_active: u64,
    /// free slots with old bytes in them, cached SuperSlabs' included
    pub slots_empty: u64,
    /// free slots without memory, in SuperSlabs in use
    pub slots_unused: u64,
    /// address space of SuperSlabs
    pub pool_mapped_bytes: u64,
    /// slots given back to the kernel, each time they were
    pub pool_purged_bytes: u64,
    /// slabs acquired from the lists of slots that their class used last (stage 1)
    pub slabs_stage1: u64,
    /// slabs acquired from a SuperSlab in use (stage 2)
    pub slabs_stage2: u64,
    /// slabs acquired from a cached or new SuperSlab (stage 3)
    pub slabs_stage3: u64,
    /// slabs released
    pub slabs_released: u64,
    /// list entries for free slots dropped for want of a node
    pub slot_hints_dropped: u64,
    /// large blocks that the program holds: above 1 MiB, or grown by realloc; in hardened mode above 64 KiB
    pub large_live_blocks: u64,
    /// bytes that those can hold
    pub large_live_bytes: u64,
    /// mappings of large blocks above 1 MiB, freed ones that are kept included
    pub large_mapped_bytes: u64,
    /// freed mappings kept for reuse
    pub large_cached_bytes: u64,
    /// freed mappings given back to the kernel
    pub large_purged_bytes: u64,
    /// times that too much memory was dirty and some was purged
    pub purges_over_bound: u64,
    /// times that a decay time was over and what nobody used was purged
    pub purges_by_decay: u64,
    /// times that all was purged: by malloc_trim, hak_trim, or before a request fails
    pub purges_of_all: u64,
    /// memory that went by itself, and that the program took anew soon after
    pub refault_bytes: u64,
    /// page faults of the process that needed no I/O
    pub minor_faults: u64,
    /// page faults of the process that needed I/O
    pub major_faults: u64,
    /// the most memory the process ever had resident, whoever mapped it
    pub peak_rss_bytes: u64,
    /// calls that gave pages back to the kernel and kept their addresses
    pub purge_calls: u64,
    /// ranges of pages in those
    pub purge_ranges: u64,
    /// mappings that closed pages take, hardened: at most a quarter of vm.max_map_count
    pub closed_mappings: u64,
    /// SuperSlabs and large blocks, hardened, that got no closed pages for want of room
    pub closed_missing: u64,
}

/// The blocks of one size, or all large ones.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "a C name")]
pub struct hak_heap_class {
    /// bytes of this struct; later versions add fields at the end
    pub size: u64,
    /// bytes of a block; 0: large blocks, of any size
    pub block_size: u64,
    /// pieces of memory that were carved into such blocks; 0 for large ones
    pub spans: u64,
    /// address space of those, in bytes
    pub span_bytes: u64,
    /// blocks in them: live, cached and free
    pub blocks: u64,
    /// blocks that the program holds
    pub live: u64,
    /// free blocks that threads keep at hand
    pub cached: u64,
    /// free blocks in spans
    pub free: u64,
    /// bytes that the live blocks can hold
    pub live_bytes: u64,
    /// bytes of the spans that are in memory, as the kernel says; where it refuses to say, and for large blocks, all of them
    pub resident_bytes: u64,
}

/// Called by `hak_heap_walk` for one class. Not 0 ends the walk. It may allocate and free, and call any function of this
/// header; it must not throw.
#[allow(non_camel_case_types, reason = "a C name")]
pub type hak_heap_visit = Option<unsafe extern "C" fn(entry: *const hak_heap_class, arg: *mut c_void) -> c_int>;

const _: () = {
    assert!(
        size_of::<hak_stats>() == size_of::<u64>() * (report::ROWS + 1),
        "a field for each row of the table, and the size"
    );
    assert!(HAKMEM_OPTION_MAX > config::TEXT_MAX, "any text with its null");
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_version() {
        let numbers = format!("{HAKMEM_VERSION_MAJOR}.{HAKMEM_VERSION_MINOR}.{HAKMEM_VERSION_PATCH}");
        assert_eq!(numbers, env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn the_struct_is_the_table() {
        let source = include_str!("hak_types.rs");
        let start = source.find("pub size: u64,").unwrap();
        let fields = &source[start..start + source[start..].find('}').unwrap()];
        let lines: Vec<&str> = fields.lines().skip(1).map(str::trim).collect();
        let written: Vec<(&str, &str)> =
            lines.chunks(2).filter(|pair| pair.len() == 2).map(|pair| (pair[0], pair[1])).collect();
        let table: Vec<(String, String)> =
            report::rows().map(|(name, help)| (format!("/// {help}"), format!("pub {name}: u64,"))).collect();
        assert!(
            written.iter().copied().eq(table.iter().map(|(help, name)| (help.as_str(), name.as_str()))),
            "{written:#?}\n{table:#?}"
        );
    }
}
