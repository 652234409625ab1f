// What is free and resident stays within the bound however many spans the heap has: those that have it are found among 5,000 that have
// nothing to give.
// env: HAKMEM_DECAY_MS=60000
// alone
#include "check.h"

enum { SIZE = 768, OTHERS = 1024 };
static char *blocks[128 * MIB / SIZE];
static void *others[5000 * 64];

int main(void) {
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(blocks[i] = malloc(SIZE));
        stamp(blocks[i], SIZE, (unsigned)i);
    }
    for (size_t i = 0; i < COUNT(others); i++) CHECK(others[i] = malloc(OTHERS)); // never touched
    long full = rss_mb();
    // One of a span stays, or two.
    for (size_t i = 0; i < COUNT(blocks); i++) {
        if (i % 64 == 0) continue;
        free(blocks[i]);
        blocks[i] = NULL;
    }
    // 41 MiB is the bound, and as much are holes that are not worth a call each.
    long left = rss_mb();
    NOTE("%ld MiB of %ld resident", left, full);
    CHECK(left < full - 30);
    for (size_t i = 0; i < COUNT(blocks); i++)
        CHECK(!blocks[i] || stamped(blocks[i], SIZE, (unsigned)i));
    return 0;
}
