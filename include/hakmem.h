/* HAKMEM's own functions; malloc and its family are declared in <stdlib.h> and <malloc.h>. Made by build.rs. */

#ifndef HAKMEM_H
#define HAKMEM_H

#include <stddef.h>
#include <stdint.h>

/*
 Options of the program's own, if it defines this: `decay_ms=100,thp=never`, the names of docs/OPTIONS.md without their prefix; with a `;`
 in it that parts them instead of the commas. Read once, before the first block is made, so a constant string and not set later. The
 environment overrides it; what can't be read is named on stderr and left out.
 */
#ifdef __cplusplus
extern "C" {
#endif
extern const char *hak_options;
#ifdef __cplusplus
}
#endif

/*
 The version this header belongs to; `hak_version_number` gives that of the library in use.
 */
#define HAKMEM_VERSION_MAJOR 0

#define HAKMEM_VERSION_MINOR 2

#define HAKMEM_VERSION_PATCH 0

/*
 Bytes that hold any option's value with its final null.
 */
#define HAKMEM_OPTION_MAX 256

/*
 Bytes of an arena's name, its final null included.
 */
#define HAK_ARENA_NAME_MAX 32

/*
 Any thread may use the arena, at the same time as others; without it, one thread at a time.
 */
#define HAK_ARENA_SHARED 1

/*
 Every block reads as zero when it is handed out.
 */
#define HAK_ARENA_ZEROED 2

/*
 Huge pages are to be asked for in the memory that the arena is given. Refused, that changes nothing but speed.
 */
#define HAK_ARENA_HUGE 4

/*
 There are to be no huge pages in it, also where the system gives them to all.
 */
#define HAK_ARENA_NO_HUGE 8

/*
 A heap of the program's own: its blocks can all be freed at once.

 An arena is used by one thread at a time, unless it was made with HAK_ARENA_SHARED; which thread that is may change, by whatever the program
 hands other things on with. Its blocks are the program's as malloc's are: any thread may use them, and `free` and `realloc`
 take them. `realloc` gives a block of malloc's when it has to move one; `hak_arena_realloc` stays in the arena.

 Null, where nothing is said of it, and an arena that was destroyed end the process with a line that says so; of a destroyed one that is certain with
 HAKMEM_HARDENED, else only until the next arena is made.
 */
typedef struct hak_arena hak_arena;

/*
 Figures of the whole process. What ends in `_bytes` or `_blocks` is in that unit, else it is a number of what it names.
 "Each time" and "times" count from the process's start and never fall; the others rise and fall.

 Later versions add fields at the end, and take none out. docs/STATISTICS.md explains the words.
 */
typedef struct hak_stats {
  /*
   bytes of this struct that are filled in
   */
  uint64_t size;
  /*
   blocks that the program holds, each with all the bytes it can hold
   */
  uint64_t live_bytes;
  /*
   blocks that the program holds; one freed by another thread counts until its owner takes it back
   */
  uint64_t live_blocks;
  /*
   free blocks in magazines, and in the calling thread's baseline caches
   */
  uint64_t cached_bytes;
  /*
   free blocks in spans
   */
  uint64_t free_bytes;
  /*
   free memory that a purge may give back: slots, cached mappings, blocks freed in spans since the last look
   */
  uint64_t dirty_bytes;
  /*
   address space for blocks: SuperSlabs and large mappings
   */
  uint64_t mapped_bytes;
  /*
   memory given back to the kernel, each time it was
   */
  uint64_t purged_bytes;
  /*
   memory for the allocator's own records: their chunks, and the pages of the page map that are in use
   */
  uint64_t metadata_bytes;
  /*
   estimate from above of what of blocks and records is resident: pages never touched count as if they were
   */
  uint64_t resident_bytes;
  /*
   the most mapped_bytes ever was
   */
  uint64_t peak_mapped_bytes;
  /*
   the most that spans and large blocks held at one time
   */
  uint64_t peak_active_bytes;
  /*
   heaps: one for each thread that allocates, and those that ended threads left
   */
  uint64_t heaps;
  /*
   heaps without a thread, to be adopted by new ones
   */
  uint64_t heaps_orphaned;
  /*
   times a magazine or FastCache was filled from spans
   */
  uint64_t refills;
  /*
   blocks that refills brought
   */
  uint64_t refilled_blocks;
  /*
   times a magazine or cache was emptied into spans
   */
  uint64_t flushes;
  /*
   blocks that went back into spans, those freed by other threads included
   */
  uint64_t flushed_blocks;
  /*
   full batches of blocks sent to the heap that owns them
   */
  uint64_t remote_sends;
  /*
   blocks in those batches
   */
  uint64_t remote_sent_blocks;
  /*
   blocks sent that their owner has not taken in yet, about; they count as live
   */
  uint64_t remote_pending_bytes;
  /*
   times a magazine's capacity was doubled
   */
  uint64_t magazine_grows;
  /*
   frees by other threads that found no batch node and took the owner's lock
   */
  uint64_t nodes_ran_dry;
  /*
   tiny allocations through T-HEAP, at least: blocks that refills brought and no magazine holds
   */
  uint64_t tiny_allocs;
  /*
   of those, the ones that met a filled magazine
   */
  uint64_t tiny_hits;
  /*
   mid allocations, at least, likewise
   */
  uint64_t mid_allocs;
  /*
   of those, the ones that met a filled magazine
   */
  uint64_t mid_hits;
  /*
   spans that heaps own
   */
  uint64_t spans;
  /*
   spans taken from the shared pool
   */
  uint64_t span_acquires;
  /*
   spans given back to the shared pool
   */
  uint64_t span_releases;
  /*
   blocks freed in spans and not looked through for whole free pages since
   */
  uint64_t span_dirty_bytes;
  /*
   whole free pages given back inside spans
   */
  uint64_t span_purged_bytes;
  /*
   bytes of pages in spans that went back, or that blocks longer than a page never used, and not handed out since
   */
  uint64_t span_absent_bytes;
  /*
   SuperSlabs that are mapped: full, partial and cached
   */
  uint64_t superslabs;
  /*
   SuperSlabs without a free slot
   */
  uint64_t superslabs_full;
  /*
   SuperSlabs in use that have a free slot
   */
  uint64_t superslabs_partial;
  /*
   SuperSlabs without a slot in use, kept for reuse
   */
  uint64_t superslabs_cached;
  /*
   slots (64 KiB each) held by spans and large blocks
   */
  uint64_t slots_active;
  /*
   free slots with old bytes in them, cached SuperSlabs' included
   */
  uint64_t slots_empty;
  /*
   free slots without memory, in SuperSlabs in use
   */
  uint64_t slots_unused;
  /*
   address space of SuperSlabs
   */
  uint64_t pool_mapped_bytes;
  /*
   slots given back to the kernel, each time they were
   */
  uint64_t pool_purged_bytes;
  /*
   slabs acquired from the lists of slots that their class used last (stage 1)
   */
  uint64_t slabs_stage1;
  /*
   slabs acquired from a SuperSlab in use (stage 2)
   */
  uint64_t slabs_stage2;
  /*
   slabs acquired from a cached or new SuperSlab (stage 3)
   */
  uint64_t slabs_stage3;
  /*
   slabs released
   */
  uint64_t slabs_released;
  /*
   list entries for free slots dropped for want of a node
   */
  uint64_t slot_hints_dropped;
  /*
   large blocks that the program holds: above 1 MiB, or grown by realloc; in hardened mode above 64 KiB
   */
  uint64_t large_live_blocks;
  /*
   bytes that those can hold
   */
  uint64_t large_live_bytes;
  /*
   mappings of large blocks above 1 MiB, freed ones that are kept included
   */
  uint64_t large_mapped_bytes;
  /*
   freed mappings kept for reuse
   */
  uint64_t large_cached_bytes;
  /*
   freed mappings given back to the kernel
   */
  uint64_t large_purged_bytes;
  /*
   times that too much memory was dirty and some was purged
   */
  uint64_t purges_over_bound;
  /*
   times that a decay time was over and what nobody used was purged
   */
  uint64_t purges_by_decay;
  /*
   times that all was purged: by malloc_trim, hak_trim, or before a request fails
   */
  uint64_t purges_of_all;
  /*
   memory that went by itself, and that the program took anew soon after
   */
  uint64_t refault_bytes;
  /*
   page faults of the process that needed no I/O
   */
  uint64_t minor_faults;
  /*
   page faults of the process that needed I/O
   */
  uint64_t major_faults;
  /*
   the most memory the process ever had resident, whoever mapped it
   */
  uint64_t peak_rss_bytes;
  /*
   calls that gave pages back to the kernel and kept their addresses
   */
  uint64_t purge_calls;
  /*
   ranges of pages in those
   */
  uint64_t purge_ranges;
  /*
   mappings that closed pages take, hardened: at most a quarter of vm.max_map_count
   */
  uint64_t closed_mappings;
  /*
   SuperSlabs and large blocks, hardened, that got no closed pages for want of room
   */
  uint64_t closed_missing;
} hak_stats;

/*
 The blocks of one size, or all large ones.
 */
typedef struct hak_heap_class {
  /*
   bytes of this struct; later versions add fields at the end
   */
  uint64_t size;
  /*
   bytes of a block; 0: large blocks, of any size
   */
  uint64_t block_size;
  /*
   pieces of memory that were carved into such blocks; 0 for large ones
   */
  uint64_t spans;
  /*
   address space of those, in bytes
   */
  uint64_t span_bytes;
  /*
   blocks in them: live, cached and free
   */
  uint64_t blocks;
  /*
   blocks that the program holds
   */
  uint64_t live;
  /*
   free blocks that threads keep at hand
   */
  uint64_t cached;
  /*
   free blocks in spans
   */
  uint64_t free;
  /*
   bytes that the live blocks can hold
   */
  uint64_t live_bytes;
  /*
   bytes of the spans that are in memory, as the kernel says; where it refuses to say, and for large blocks, all of them
   */
  uint64_t resident_bytes;
} hak_heap_class;

/*
 Called by `hak_heap_walk` for one class. Not 0 ends the walk. It may allocate and free, and call any function of this
 header; it must not throw.
 */
typedef int (*hak_heap_visit)(const struct hak_heap_class *entry, void *arg);

/*
 What an arena is to be. All zero but for `size` is a valid value.
 */
typedef struct hak_arena_options {
  /*
   bytes of this struct; later versions add fields at the end
   */
  uint64_t size;
  /*
   what reports call it, copied, at most HAK_ARENA_NAME_MAX - 1 bytes of it; null: it has no name
   */
  const char *name;
  /*
   bytes that its blocks may hold, as they are rounded, before a request is refused with ENOMEM; 0: no limit
   */
  uint64_t limit;
  /*
   HAK_ARENA_SHARED, HAK_ARENA_ZEROED, added up; with `hak_arena_new_in` also one of HAK_ARENA_HUGE, HAK_ARENA_NO_HUGE
   */
  uint64_t flags;
} hak_arena_options;

/*
 An arena's figures. Bytes are those that blocks can hold.
 */
typedef struct hak_arena_figures {
  /*
   bytes of this struct that are filled in; later versions add fields at the end
   */
  uint64_t size;
  /*
   blocks that the program holds
   */
  uint64_t live_bytes;
  /*
   blocks that the program holds
   */
  uint64_t live_blocks;
  /*
   address space for its blocks, in use or not
   */
  uint64_t held_bytes;
  /*
   bytes that its blocks may hold; 0: no limit
   */
  uint64_t limit;
  /*
   times that all was freed at once
   */
  uint64_t resets;
  /*
   requests that were refused
   */
  uint64_t refused;
  /*
   what it is called
   */
  char name[HAK_ARENA_NAME_MAX];
} hak_arena_figures;

/*
 Called by `hak_arena_walk` for one block, with the bytes that it can hold. Not 0 ends the walk. It may free that block, and use malloc; it must
 not throw.
 */
typedef int (*hak_arena_visit)(void *block, size_t size, void *arg);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The allocator's name and version, "hakmem X.Y.Z": a constant string. Any thread.
 */
const char *hak_version(void);

/*
 Prints what was learned, in the form that the environment variable `HAKMEM_POLICY` takes, to stderr: one line, empty
 behind the `=` when everything is at its default. Any thread.
 */
void hak_policy_print(void);

/*
 The version as one number, major * 1000000 + minor * 1000 + patch. Any thread.
 */
int hak_version_number(void);

/*
 Fills in the figures of the whole process, as far as `size`, which is `sizeof(struct hak_stats)`, has room. Fields that
 this library does not know yet are set to 0; `stats->size` says how many bytes it knows.

 Returns 0, or EINVAL when `stats` is null or `size` has no room for one figure; then nothing is written.
 Any thread, at any time but in a signal handler. Of what other threads keep at hand the figures are right to a block or two each.
 It looks at every heap and every 2 MiB of memory: microseconds in a small process, milliseconds at many GiB.
 `stats` is null or points to `size` writable bytes.
 */
int hak_stats_get(struct hak_stats *stats,
                  size_t size);

/*
 Prints the statistics as text to stderr. Any thread, at any time but in a signal handler.
 */
void hak_stats_print(void);

/*
 Writes the statistics as text, as `snprintf` writes: up to `size` bytes with a final null at `buffer`, which may be null
 when `size` is 0. A null `buffer` counts as one of no size.

 Returns the length of the whole text, without the null. It was cut short if that is not below `size`. The text grows and
 shrinks with the figures: a buffer for a second call should have some hundred bytes to spare.
 Any thread, at any time but in a signal handler. Nothing is allocated.
 `buffer` is null or points to `size` writable bytes.
 */
size_t hak_stats_text(char *buffer,
                      size_t size);

/*
 Writes the statistics as one JSON object; docs/STATISTICS.md lists its keys. All else as `hak_stats_text`.
 */
size_t hak_stats_json(char *buffer,
                      size_t size);

/*
 Writes the statistics in Prometheus's text format, version 0.0.4. All else as `hak_stats_text`.
 */
size_t hak_stats_prometheus(char *buffer, size_t size);

/*
 Gives all idle memory back to the kernel: the free blocks that the calling thread keeps at hand, memory kept for reuse, and
 whole free pages between blocks in use. What other threads keep at hand stays. Returns the bytes given back, 0 if there were none.
 Any thread, at any time but in a signal handler; milliseconds where much is idle.
 */
size_t hak_trim(void);

/*
 Hands back the free blocks that the calling thread keeps at hand: they become usable by others, and what it freed of other threads' is
 sent to them. For a thread that is about to sleep for long. A thread that ends does so by itself. No memory goes back to
 the kernel by this; `hak_trim` does both. Any thread, at any time but in a signal handler.
 */
void hak_thread_flush(void);

/*
 1 if a block of this allocator starts at `block`, which may be any address, else 0; null is none. Of a block that was freed
 the answer may be either. Any thread.
 */
int hak_is_ours(const void *block);

/*
 Bytes that the block at `block` can hold, all of which the program may use; 0 if none of this allocator's starts there.
 It stays the same until the block is freed or reallocated. Any thread.
 */
size_t hak_usable_size(const void *block);

/*
 The most bytes that may be asked for instead of `size` without its costing more memory: `size`, rounded up as malloc rounds it. `size` itself
 where so much can't be had, and where HAKMEM_HARDENED or HAKMEM_GUARD_RATE watch what is behind it. Any thread.
 */
size_t hak_good_size(size_t size);

/*
 As `malloc`, and says how many bytes the block holds, all of which the program may use: `*got`, `size` at least, 0 when null is
 returned. `got` may be null. Any thread.
 */
void *hak_malloc_at_least(size_t size,
                          size_t *got);

/*
 Makes the block at `block` hold `most` bytes where it stands, or else as many as can be had there, if those are `least` or more. Its bytes
 stay as they are, and it is never moved or cut.

 Returns the bytes that it holds then, or 0 if it would hold fewer than `least`: it is as before, and `realloc` is what is left. 0 too
 when `block` is null. What is no block's start is reported as by `realloc`. Any thread.
 */
size_t hak_expand(void *block,
                  size_t least,
                  size_t most);

/*
 As `free`, for who knows the size: what was asked for, or what `hak_malloc_at_least`, `hak_expand` or `hak_usable_size` said last. It is
 what C23 calls `free_sized`. HAKMEM_HARDENED and HAKMEM_GUARD_RATE compare it with the block's own, and report what differs. Any thread.
 */
void hak_free_sized(void *block,
                    size_t size);

/*
 Writes the value of an option, named as in the environment ("HAKMEM_DECAY_MS"), as one would set it there, with a final
 null. Numbers are decimal, sizes in bytes. `HAKMEM_OPTION_MAX` bytes are always enough.

 Returns 0; EINVAL when `name` or `value` is null; ENOENT when there is no such option; ERANGE when `size` is too small: then
 `value` is an empty string, if it has room for one. Any thread.
 `name` is null or a string; `value` is null or points to `size` writable bytes.
 */
int hak_option_get(const char *name,
                   char *value,
                   size_t size);

/*
 Changes an option while the program runs, named and written as in the environment. HAKMEM_HELP=1 and docs/OPTIONS.md
 say for which that can be done.

 Returns 0; EINVAL when `name` or `value` is null or the option takes no such value; ENOENT when there is no such option; EPERM
 when it can be set by the environment only. But for 0 nothing is changed. Any thread.
 */
int hak_option_set(const char *name,
                   const char *value);

/*
 Starts the heap profiler, in all threads: from now on one allocation in about `HAKMEM_PROF_RATE` bytes is sampled, with its stack. Where
 it was started before, that profile goes on.

 Returns 0; ENOMEM when there is no memory for its tables; ENOSYS in a program that is wholly static, whose stacks can't be taken.
 Any thread, at any time but in a signal handler. The first call loads libc's unwinder, which allocates.
 */
int hak_prof_start(void);

/*
 Stops sampling, in all threads. What was sampled is known until it is freed, and `hak_prof_dump` still writes it.
 Any thread, at any time but in a signal handler.
 */
void hak_prof_stop(void);

/*
 Writes the profile as it is now to the file `path`, or, if that is null, to the one that `HAKMEM_PROF_FILE` names. In either `%p` stands
 for the process's number and `%n` for the number of this profile. As folded stacks if the name ends in ".folded", as a list of what is live if it ends in ".txt", else in
 pprof's form.
 The file replaces one of that name, and only its owner can read it.

 Returns 0; ENODATA when the profiler was never started; EBUSY while another thread writes one; EPERM in a set-user-ID program; EEXIST when
 something other than a file has that name; else the errno of the call that failed. Then there is no new file.
 Any thread, at any time but in a signal handler. `path` is null or a string.
 */
int hak_prof_dump(const char *path);

/*
 Calls `visit` with `arg` for each block size in use, the smallest first, then once for all large blocks if there are any.
 The figures are taken before the first call, and no lock is held during any.

 Returns 0 after the last call; EINVAL when `visit` is null; else what `visit` returned that was not 0 and ended the walk.
 Any thread, at any time but in a signal handler. The kernel is asked about all memory in use: a millisecond for each few hundred MiB.
 */
int hak_heap_walk(hak_heap_visit visit,
                  void *arg);

/*
 A new arena; null, and ENOMEM, when there is no memory for its record, or EINVAL when `size` was not set, or `flags` has a bit that is not known.

 `options` may be null: an arena for one thread at a time, without name or limit. Any thread.
 */
struct hak_arena *hak_arena_new(const struct hak_arena_options *options);

/*
 A new arena whose blocks all lie in the `size` bytes from `base` on: shared memory, huge pages, memory of one NUMA node, a device's. They must be
 readable and writable, the arena's alone until it is destroyed, and not malloc's; then they are the caller's again, as the last blocks left them.
 Nothing of them is ever unmapped, given to the kernel or closed to access. What the arena notes about its blocks lies elsewhere.

 Whole pieces of 64 KiB are used, at multiples of 64 KiB: what is before the first and behind the last one is not. Each size of blocks up to 1 KiB
 that is asked for takes a piece, in a shared arena one for each thread; larger ones up to 16 pieces side by side; a block of more than 1 MiB as
 many as it fills. A request for which there is no room left gets null, and ENOMEM. So 8 MiB or more serve a mix of sizes; 64 KiB serve one.

 null, and EINVAL, when `base` is null, there is not one such piece, memory of malloc's or of another arena is among them, or `flags` has both HAK_ARENA_HUGE and
 HAK_ARENA_NO_HUGE; ENOMEM when there is no memory for its records, a page for each 2 GiB among them. All else as `hak_arena_new`. Any thread.

 After `fork` with memory that parent and child share, one of them may use the arena, and the other must neither use nor destroy it.
 */
struct hak_arena *hak_arena_new_in(void *base,
                                   size_t size,
                                   const struct hak_arena_options *options);

/*
 At least `size` bytes, aligned as malloc's; null, and ENOMEM, when they can't be had or the limit forbids them.
 */
void *hak_arena_malloc(struct hak_arena *arena,
                       size_t size);

/*
 `count` times `size` bytes, all zero; else as `hak_arena_malloc`.
 */
void *hak_arena_calloc(struct hak_arena *arena, size_t count, size_t size);

/*
 At least `size` bytes at a multiple of `align`; null, and EINVAL, when that is no power of two; else as `hak_arena_malloc`.
 */
void *hak_arena_aligned_alloc(struct hak_arena *arena,
                              size_t align,
                              size_t size);

/*
 As `realloc`, and the block is the arena's then: one of malloc's, or of another arena's, is moved into this one. Null makes a block; a size of 0
 frees it.
 */
void *hak_arena_realloc(struct hak_arena *arena,
                        void *block,
                        size_t size);

/*
 As `free`, for who may use the arena, and as fast as malloc's; null is nothing. `free` takes the block as well, from any thread, but gives it back under a lock.
 A block that is not this arena's goes to whose it is, as by `free`.
 */
void hak_arena_free(struct hak_arena *arena,
                    void *block);

/*
 Frees all blocks of the arena at once, whoever has them: the program must not use one any more. What it costs does not depend on how many
 there are. Most of the memory is kept for the arena's next blocks.

 The calling thread has the arena to itself meanwhile, also a shared one, and nobody frees one of its blocks.
 */
void hak_arena_reset(struct hak_arena *arena);

/*
 Frees all blocks of the arena at once, and ends it; null is nothing. All else as `hak_arena_reset`.
 */
void hak_arena_destroy(struct hak_arena *arena);

/*
 Fills in the arena's figures, as far as `size`, which is `sizeof(struct hak_arena_figures)`, has room. Fields that this library does not know are
 set to 0.

 Returns 0; EINVAL when `arena` or `figures` is null or `size` has no room for one; EAGAIN when a fork lasts too long. Any thread, while the arena is there;
 what another thread does meanwhile may be in some of them and not in others.
 */
int hak_arena_stats(struct hak_arena *arena,
                    struct hak_arena_figures *figures,
                    size_t size);

/*
 The arena that the block at `block` belongs to; null when it is one of malloc's, or none. Any thread that may use the block.
 */
struct hak_arena *hak_arena_of(const void *block);

/*
 Calls `visit` with `arg` for each block of the arena that the program holds. The calling thread has the arena to itself meanwhile, also a shared one.

 Returns 0 after the last call; EINVAL when `arena` or `visit` is null; ENOMEM when there is no memory to note where they are; else what `visit`
 returned that was not 0 and ended the walk.
 */
int hak_arena_walk(struct hak_arena *arena,
                   hak_arena_visit visit,
                   void *arg);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* HAKMEM_H */
