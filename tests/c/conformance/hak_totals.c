// What the statistics say is live is what the program holds, to the byte: in total, by class, and after other threads
// allocated, freed and ended. Cached and free make up the rest of the spans.
// env: HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=0
// hakmem
// run: for v in TINY_HEAP_V2=1 TINY_HEAP_V2=0 TINY_HEAP_V2_CLASS_MASK=0xF REMOTE_NODES=0 DECAY_MS=0; do env HAKMEM_$v $RUN || exit 1; done
#include "check.h"
#include <hakmem.h>

static void *blocks[4][3000];
static struct hak_stats first;

static uint64_t held_bytes(uint64_t *count) {
    uint64_t bytes = 0;
    *count = 0;
    for (size_t row = 0; row < COUNT(blocks); row++)
        for (size_t i = 0; i < COUNT(blocks[0]); i++)
            if (blocks[row][i]) bytes += malloc_usable_size(blocks[row][i]), *count += 1;
    return bytes;
}

struct sums {
    uint64_t live, live_bytes, cached_bytes, free_bytes, last_size, entries;
};
static int sum_up(const struct hak_heap_class *entry, void *arg) {
    struct sums *sums = arg;
    CHECK(entry->size == sizeof *entry && entry->live + entry->cached + entry->free == entry->blocks);
    CHECK(entry->block_size ? entry->block_size > sums->last_size : entry->spans == 0);
    if (entry->block_size) {
        CHECK(entry->spans > 0 && entry->span_bytes >= entry->blocks * entry->block_size && entry->span_bytes >= entry->resident_bytes);
        CHECK(entry->live_bytes == entry->live * entry->block_size);
        sums->last_size = entry->block_size;
    }
    sums->live += entry->live, sums->live_bytes += entry->live_bytes, sums->entries++;
    sums->cached_bytes += entry->cached * entry->block_size, sums->free_bytes += entry->free * entry->block_size;
    return 0;
}

static void compare(void) {
    struct hak_stats stats;
    struct sums sums = {0};
    uint64_t count, bytes = held_bytes(&count);
    CHECK(hak_stats_get(&stats, sizeof stats) == 0);
    if (stats.live_bytes - first.live_bytes != bytes) NOTE("live %ld, held %ld bytes; blocks %ld, %ld", (long)(stats.live_bytes - first.live_bytes), (long)bytes, (long)(stats.live_blocks - first.live_blocks), (long)count);
    CHECK(stats.live_bytes - first.live_bytes == bytes && stats.live_blocks - first.live_blocks == count);
    CHECK(hak_heap_walk(sum_up, &sums) == 0 && sums.entries > 0);
    CHECK(sums.live == stats.live_blocks && sums.live_bytes == stats.live_bytes);
    CHECK(sums.cached_bytes == stats.cached_bytes && sums.free_bytes == stats.free_bytes);
    CHECK(stats.live_bytes + stats.cached_bytes + stats.free_bytes <= stats.mapped_bytes);
    CHECK(stats.mapped_bytes == stats.pool_mapped_bytes + stats.large_mapped_bytes && stats.mapped_bytes <= stats.peak_mapped_bytes);
    CHECK(stats.superslabs == stats.superslabs_full + stats.superslabs_partial + stats.superslabs_cached);
    CHECK(stats.pool_mapped_bytes == stats.superslabs * 2 * MIB);
    CHECK((stats.slots_active + stats.slots_empty + stats.slots_unused) * 64 * KIB <= stats.pool_mapped_bytes);
    CHECK(stats.slots_active * 64 * KIB + stats.large_mapped_bytes - stats.large_cached_bytes <= stats.peak_active_bytes);
    CHECK(stats.dirty_bytes <= stats.mapped_bytes && stats.resident_bytes <= stats.mapped_bytes + stats.metadata_bytes);
    CHECK(stats.purged_bytes == stats.pool_purged_bytes + stats.large_purged_bytes + stats.span_purged_bytes);
    CHECK(stats.span_absent_bytes <= stats.free_bytes && stats.heaps_orphaned < stats.heaps);
    CHECK(stats.minor_faults > 0 && stats.peak_rss_bytes > 0);
}

static void *fill(void *arg) {
    void **row = blocks[(size_t)arg];
    Random random = {(size_t)arg + 5};
    for (size_t i = 0; i < COUNT(blocks[0]); i++) {
        if (row[i]) free(row[i]), row[i] = NULL;
        size_t size = i % 100 == 0 ? random_between(&random, 0, 3 * MIB) : i % 10 ? random_between(&random, 0, 1024) : random_between(&random, 0, 70000);
        if (next_random(&random) >> 60) CHECK(row[i] = i % 7 ? malloc(size) : memalign(64, size));
        if (i % 50 == 0 && row[i]) CHECK(row[i] = realloc(row[i], random_between(&random, 1, 2 * MIB)));
    }
    return NULL;
}

static void in_threads(size_t shift) {
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++) threads[i] = start_thread(fill, (void *)(1 + (i + shift) % 3));
    for (size_t i = 0; i < 3; i++) join_thread(threads[i]);
}

int main(void) {
    fill((void *)0), hak_trim();
    for (size_t i = 0; i < COUNT(blocks[0]); i++) free(blocks[0][i]), blocks[0][i] = NULL;
    CHECK(hak_stats_get(&first, sizeof first) == 0);
    for (int round = 0; round < 4; round++) {
        fill((void *)0);
        compare();
        hak_thread_flush();
        compare();
    }
    in_threads(0); // ended: their heaps are orphans
    hak_thread_flush(); // what main freed of other threads' blocks is sent
    hak_trim();         // and taken in
    // What libc allocated for the threads stays: it keeps their stacks.
    struct hak_stats stats;
    uint64_t count, bytes = held_bytes(&count);
    CHECK(hak_stats_get(&stats, sizeof stats) == 0 && stats.remote_pending_bytes == 0);
    first.live_bytes = stats.live_bytes - bytes, first.live_blocks = stats.live_blocks - count;
    CHECK(first.live_blocks < 100);
    for (int round = 0; round < 2; round++) {
        in_threads((size_t)round + 1); // frees what another thread allocated
        for (size_t i = 0; i < COUNT(blocks[0]); i += 2) free(blocks[2][i]), blocks[2][i] = NULL;
        hak_thread_flush();
        hak_trim();
        compare();
    }
    for (size_t row = 0; row < 4; row++)
        for (size_t i = 0; i < COUNT(blocks[0]); i++) free(blocks[row][i]), blocks[row][i] = NULL;
    hak_trim();
    compare();
    CHECK(hak_stats_get(&stats, sizeof stats) == 0);
    CHECK(stats.dirty_bytes == 0 && stats.purged_bytes > 0 && stats.peak_active_bytes > 4 * MIB && stats.refills > 0);
    return 0;
}
