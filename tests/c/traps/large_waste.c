// Large blocks waste at most one page of memory each, and an eighth of their addresses and a granule of 64 KiB: a block
// just above a size that fits exactly, each page of it touched.
#include "check.h"
#include <malloc.h>

enum { BLOCKS = 200 };

static long statm(int field) {
    long values[2];
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%ld %ld", &values[0], &values[1]) == 2);
    fclose(file);
    return values[field] * 4096;
}

static void waste(size_t size) {
    static char *blocks[BLOCKS];
    free(malloc(size)); // what only the first one costs, the library's own pages among it
    statm(0);
    long addresses = statm(0), resident = statm(1);
    for (int i = 0; i < BLOCKS; i++) {
        CHECK(blocks[i] = malloc(size));
        for (size_t at = 0; at < size; at += 4096) blocks[i][at] = 1;
    }
    addresses = statm(0) - addresses - BLOCKS * (long)size;
    resident = statm(1) - resident - BLOCKS * (long)size;
    NOTE("%ld bytes: %ld KB of addresses and %ld bytes of memory over a block", (long)size, addresses / BLOCKS / 1024, resident / BLOCKS);
    CHECK(resident <= BLOCKS * (4096 + 128) + 128 * 1024); // a page and the record each, and what the library touches once
    CHECK(addresses / BLOCKS <= (long)(size / 8) + 65536 + 4096);
    for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
    malloc_trim(0); // so that the next size starts from nothing
}

int main(void) {
    if (is_hardened()) SKIP("hardened, a block has closed addresses around it, and its canary may be a page more");
    waste(65537);
    waste(5 * 65536 + 1);
    waste((1 << 20) + 1);
    waste((2 << 20) + 1);
    waste((5 << 20) + 4095);
    return 0;
}
