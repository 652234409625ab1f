// mallopt says 1 where what glibc's manual tells of a parameter holds here, and 0 where not. M_TRIM_THRESHOLD does what it says: so much free
// memory stays, whatever its age, and what is more goes at once.
// env: HAKMEM_DECAY_MS=100 HAKMEM_GUARD_RATE=0
#include "check.h"

enum { BLOCKS = 300000 }; // of 500 bytes: 150 MB, more than the cache of whole 2 MiB holds
static void *blocks[BLOCKS], *large[10];

static void fill_and_free(void) {
    for (size_t i = 0; i < BLOCKS; i++) memset(blocks[i] = malloc(500), 1, 500);
    for (size_t i = 0; i < COUNT(large); i++) memset(large[i] = malloc(3 * MIB), 1, 3 * MIB);
    for (size_t i = 0; i < COUNT(large); i++) free(large[i]);
    for (size_t i = 0; i < BLOCKS; i++) free(blocks[i]);
}

// So that somebody looks at the clock: slow paths only do.
static void be_busy(long ms) {
    for (long passed = 0; passed < ms; passed += 10) {
        for (int i = 0; i < 100; i++) free(launder(malloc(2 * MIB)));
        sleep_ms(10);
    }
}

int main(void) {
    CHECK(mallopt(M_TOP_PAD, 64 * 1024) == 1 && mallopt(M_TOP_PAD, 2 << 20) == 1);
    CHECK(mallopt(M_TOP_PAD, 64 << 20) == 0 && mallopt(M_TOP_PAD, -1) == 0);
    CHECK(mallopt(M_MMAP_THRESHOLD, 64 * 1024) == 1 && mallopt(M_MMAP_THRESHOLD, 32 << 20) == 1);
    CHECK(mallopt(M_MMAP_THRESHOLD, 4096) == 0 && mallopt(M_MMAP_THRESHOLD, -1) == 0);
    CHECK(mallopt(M_MMAP_MAX, 0) == 1 && mallopt(M_MMAP_MAX, 1000) == 0);
    CHECK(mallopt(M_CHECK_ACTION, 1) == 1 && mallopt(M_CHECK_ACTION, 3) == 1);
    CHECK(mallopt(M_PERTURB, 0) == 1 && mallopt(M_PERTURB, 42) == 0);
    CHECK(mallopt(M_ARENA_MAX, 2) == 0 && mallopt(M_ARENA_TEST, 2) == 0 && mallopt(M_MXFAST, 0) == 0 && mallopt(12345, 1) == 0);
    use_all_sizes(1);

    CHECK(mallopt(M_TRIM_THRESHOLD, -1) == 1); // never
    malloc_trim(0);
    long before = rss_mb();
    fill_and_free();
    be_busy(300);
    NOTE("-1: %ld MB of 180 stay", rss_mb() - before);
    CHECK(rss_mb() - before > 120);

    CHECK(mallopt(M_TRIM_THRESHOLD, 64 << 20) == 1);
    NOTE("64 MiB: %ld MB", rss_mb() - before);
    CHECK(rss_mb() - before < 75);
    fill_and_free();
    be_busy(300);
    NOTE("64 MiB, filled again: %ld MB", rss_mb() - before);
    CHECK(rss_mb() - before > 45 && rss_mb() - before < 90);

    CHECK(mallopt(M_TRIM_THRESHOLD, 128 * 1024) == 1); // counts as 1 MiB
    be_busy(500);
    NOTE("128 KiB: %ld MB", rss_mb() - before);
    CHECK(rss_mb() - before < 10);
    use_all_sizes(2);
    return 0;
}
