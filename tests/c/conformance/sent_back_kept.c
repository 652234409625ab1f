// Blocks above 64 KiB that another thread freed serve the next calls for their size from where they are: they do not go to the pool of all sizes and back
// hakmem
#include "check.h"
#include "hakmem.h"

enum { SIZE = 256 * KIB, BLOCKS = 4 };
static void *blocks[BLOCKS];

static void *free_all(void *unused) {
    (void)unused;
    for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
    return NULL;
}

static unsigned acquires(void) {
    hak_stats stats;
    CHECK(hak_stats_get(&stats, sizeof stats) == 0);
    return (unsigned)stats.span_acquires;
}

int main(void) {
    if (is_hardened()) SKIP("hardened, the next block is to lie anywhere");
    for (int i = 0; i < BLOCKS; i++) CHECK(blocks[i] = malloc(SIZE));
    unsigned most = 0;
    for (int round = 0; round < 8; round++) {
        pthread_t other;
        CHECK(pthread_create(&other, NULL, free_all, NULL) == 0 && pthread_join(other, NULL) == 0);
        unsigned before = acquires();
        for (int i = 0; i < BLOCKS; i++) CHECK(blocks[i] = malloc(SIZE));
        unsigned more = acquires() - before;
        if (more > most) most = more;
    }
    NOTE("%u of %d", most, BLOCKS);
    CHECK(most <= 1);
    return 0;
}
