// A small process stays small: 8 MB that were freed do not wait for a second until they go back, and small blocks that
// grow beyond all that was there take the place of what is idle. A working set that comes and goes is soon left alone.
#include "check.h"
#include <sys/resource.h>

static char *big[4];
static char *blocks[120000];

static long faults(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt;
}

static void swing(size_t bytes) {
    for (size_t i = 0; i < COUNT(big); i++) {
        CHECK(big[i] = malloc(bytes));
        memset(big[i], 1, bytes);
    }
    for (size_t i = 0; i < COUNT(big); i++) free(big[i]);
}

int main(void) {
    if (is_hardened()) SKIP("hardened, what is freed is closed");
    long before = rss_mb();
    swing(2 * MIB);
    NOTE("RSS %ld MB, %ld before", rss_mb(), before);
    CHECK(rss_mb() < before + 4);

    for (size_t i = 0; i < COUNT(blocks); i++) memset(blocks[i] = malloc(100), 1, 100);
    NOTE("with 13 MB of small blocks %ld MB", peak_mb());
    CHECK(peak_mb() < before + 18);
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);

    for (int i = 0; i < 4; i++) swing(4 * MIB);
    long start = faults();
    for (int i = 0; i < 20; i++) swing(4 * MIB);
    NOTE("%ld faults in 20 rounds", faults() - start);
    CHECK(faults() - start < 8000); // one round touches 4096 pages

    // A block that realloc cuts and lengthens in turn finds its end again.
    char *buffer = malloc(4 * MIB);
    start = faults();
    for (int i = 0; i < 100; i++) {
        size_t bytes = i % 2 ? 4 * MIB : 6 * MIB;
        CHECK(buffer = realloc(buffer, bytes));
        memset(buffer, 1, bytes);
    }
    NOTE("%ld faults in 100 turns", faults() - start);
    CHECK(faults() - start < 6000); // one turn lengthens it by 512 pages
    free(buffer);
    return 0;
}
