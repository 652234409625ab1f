// A program that fills 64 MiB and frees all of it, over and over, each time with other sizes: what it took again at once stays for the next time, and
// the first time what is beyond the bound goes at once, for it may have been the last.
// env: HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=0 HAKMEM_DECAY_MS=10000
// cflags: -O1
#include "check.h"
#include <sys/resource.h>

enum { WAVE = 64 * MIB, WAVES = 12 };
static char *blocks[WAVE / 64];

static long faults(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt;
}

static void wave(size_t size) {
    size_t count = WAVE / size;
    for (size_t i = 0; i < count; i++) {
        CHECK(blocks[i] = malloc(size));
        for (size_t at = 0; at < size; at += 4096) blocks[i][at] = 1;
    }
    for (size_t i = 0; i < count; i++) free(blocks[i]);
}

int main(void) {
    memset(blocks, 0, sizeof blocks);
    wave(64);
    long once = rss_mb();
    wave(128);
    long before = faults();
    for (int i = 2; i < WAVES; i++) wave((size_t)64 << i); // to 128 KiB
    long each = (faults() - before) / (WAVES - 2);
    NOTE("%ld MB after the first, %ld faults a wave of %d pages, %ld MB at most", once, each, WAVE / 4096, peak_mb());
    CHECK(once < 48 && each < WAVE / 4096 / 16 && peak_mb() < 96);
}
