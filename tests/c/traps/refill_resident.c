// Free blocks in pages that are resident come before those in pages that were given back: no page fault is taken for a block
// that was to be had without one.
#include "check.h"
#include <sys/resource.h>

enum { SIZE = 256, PAGES = 8192, PER_PAGE = 16 };
static char *blocks[PAGES * PER_PAGE];

static long faults(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

int main(void) {
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(blocks[i] = malloc(SIZE));
        stamp(blocks[i], SIZE, (unsigned)i);
    }
    // Every second page empty, of the others every second block.
    size_t spare = 0;
    for (size_t i = 0; i < COUNT(blocks); i++) {
        uintptr_t page = (uintptr_t)blocks[i] / 4096, slot = (uintptr_t)blocks[i] / SIZE;
        if (page % 2 == 0 || slot % 2 == 0) {
            spare += page % 2;
            free(blocks[i]);
            blocks[i] = NULL;
        }
    }
    malloc_trim(0);
    long before = faults();
    size_t taken = 0;
    for (size_t i = 0; i < COUNT(blocks) && taken < spare / 2; i++)
        if (!blocks[i]) {
            CHECK(blocks[i] = malloc(SIZE));
            stamp(blocks[i], SIZE, (unsigned)i);
            taken++;
        }
    long after = faults();
    NOTE("%zu blocks, %ld faults", taken, after - before);
    CHECK(taken > 10000 && after - before < (long)taken / 50);
    for (size_t i = 0; i < COUNT(blocks); i++)
        if (blocks[i]) {
            CHECK(stamped(blocks[i], SIZE, (unsigned)i));
            free(blocks[i]);
        }
    return 0;
}
