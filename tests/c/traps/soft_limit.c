// Above HAKMEM_SOFT_LIMIT what is free goes back at the next slow path, not at the next decay time, and a program that lives
// above it is not purged at every free, and with HAKMEM_DECAY_MS=-1 too.
// run: export HAKMEM_SUPERSLAB_CACHE=64 HAKMEM_DECAY_MS=-1; $RUN && env HAKMEM_SOFT_LIMIT=100M $RUN below && env HAKMEM_SOFT_LIMIT=40m HAKMEM_DECAY_MS=1000 $RUN above
// cflags: -O1
#include "check.h"
#include <sys/resource.h>

static void *blocks[200000], *others[100];

static long faults(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt;
}

int main(int argc, char **argv) {
    int below = argc > 1 && argv[1][0] == 'b', above = argc > 1 && argv[1][0] == 'a';
    for (size_t i = 0; i < COUNT(blocks); i++) memset(blocks[i] = malloc(500), 1, 500);
    if (above) { // 100 MB live, the limit is 40: the same few MiB come and go, and mostly stay
        for (int round = 0; round < 5; round++) {
            for (size_t i = 0; i < COUNT(others); i++) memset(others[i] = malloc(50000), 1, 50000);
            for (size_t i = 0; i < COUNT(others); i++) free(others[i]);
        }
        long before = faults();
        for (int round = 0; round < 1000; round++) {
            for (size_t i = 0; i < COUNT(others); i++) memset(others[i] = malloc(50000), 1, 50000);
            for (size_t i = 0; i < COUNT(others); i++) free(others[i]);
        }
        long each = (faults() - before) / 1000;
        NOTE("%ld faults a round of 1220 pages", each);
        CHECK(each < 600);
        return 0;
    }
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    NOTE("RSS %ld MB", rss_mb());
    if (!below) {
        CHECK(rss_mb() > 90); // nothing goes
        return 0;
    }
    sleep_ms(150);
    for (size_t i = 0; i < 20; i++) memset(others[i] = malloc(3 * MIB), 1, 1000); // mappings of their own: 160 MB in all
    for (size_t i = 0; i < 20; i++) free(others[i]);
    NOTE("RSS %ld MB", rss_mb());
    CHECK(rss_mb() < 60);
    return 0;
}
