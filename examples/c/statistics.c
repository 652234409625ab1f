/* What HAKMEM holds for this program, before and after it gives something up.
 *
 *     cc -Iinclude examples/c/statistics.c -Ltarget/release -lhakmem -Wl,-rpath,$PWD/target/release -o statistics && ./statistics
 */
#include <hakmem.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int show_class(const struct hak_heap_class *entry, void *arg) {
    unsigned *shown = arg;
    if (entry->live == 0) return 0; /* go on */
    printf("  %6" PRIu64 " bytes: %" PRIu64 " of %" PRIu64 " blocks live, %" PRIu64 " KiB resident\n", entry->block_size, entry->live,
           entry->blocks, entry->resident_bytes / 1024);
    *shown += 1;
    return 0;
}

static void show(const char *when) {
    struct hak_stats stats;
    unsigned shown = 0;
    if (hak_stats_get(&stats, sizeof stats) != 0) exit(1);
    printf("%s: live %" PRIu64 " bytes in %" PRIu64 " blocks, free %" PRIu64 ", dirty %" PRIu64 ", mapped %" PRIu64 "\n", when,
           stats.live_bytes, stats.live_blocks, stats.cached_bytes + stats.free_bytes, stats.dirty_bytes, stats.mapped_bytes);
    hak_heap_walk(show_class, &shown);
    if (shown == 0) exit(1);
}

int main(void) {
    static void *blocks[10000];
    char delay[HAKMEM_OPTION_MAX];
    size_t i;

    printf("%s, header %d.%d.%d\n", hak_version(), HAKMEM_VERSION_MAJOR, HAKMEM_VERSION_MINOR, HAKMEM_VERSION_PATCH);
    for (i = 0; i < 10000; i++) blocks[i] = malloc(1000);
    if (!hak_is_ours(blocks[0]) || hak_usable_size(blocks[0]) < 1000) return 1; /* another malloc serves this program */
    show("10000 blocks of 1000 bytes");
    for (i = 0; i < 10000; i++) free(blocks[i]);
    printf("given back: %zu bytes\n", hak_trim());
    show("all freed");

    if (hak_option_get("HAKMEM_DECAY_MS", delay, sizeof delay) != 0) return 1;
    printf("idle memory stays %s ms", delay);
    if (hak_option_set("HAKMEM_DECAY_MS", "250") != 0) return 1;
    printf(", from now on 250 ms\n");
    return 0;
}
