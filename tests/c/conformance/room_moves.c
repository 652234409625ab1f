// A thread whose magazines have all the room that it may have turns to other sizes: these get room from those that it no longer uses, and at
// once, not when that has lain idle for two decay times.
// alone
// env: HAKMEM_DECAY_MS=3600000
#include "../../../include/hakmem.h"
#include "check.h"
#include <dlfcn.h>

enum { BORDER = 32 * KIB, LAST = 64 * KIB, STEP = 4 * KIB, MOST = 1024, ROUNDS = 200 };

static int (*stats_get)(struct hak_stats *, size_t);

static void fill_and_empty(size_t size, int count) {
    static _Thread_local void *blocks[MOST];
    for (int i = 0; i < count; i++) CHECK(blocks[i] = malloc(size));
    for (int i = 0; i < count; i++) free(blocks[i]);
}

static void small_sizes(void) {
    for (int round = 0; round < 8; round++)
        for (size_t size = 16; size <= BORDER; size += size < 1024 ? 16 : size / 8)
            fill_and_empty(size, size < 1024 ? MOST : (int)(2 * 256 * KIB / size));
}

static int others(void) {
    int calls = 0;
    for (int round = 0; round < ROUNDS; round++)
        for (size_t size = BORDER + STEP; size <= LAST; size += STEP, calls += 2) fill_and_empty(size - 16, 2); // no more than the class has with a canary
    return calls;
}

static uint64_t refills(void) {
    struct hak_stats stats;
    CHECK(stats_get(&stats, sizeof stats) == 0);
    return stats.refills;
}

// The first thread has half of the budget, so this one gets a quarter.
static void *second(void *unused) {
    small_sizes();
    others();
    uint64_t before = refills();
    int calls = others();
    uint64_t missed = refills() - before;
    NOTE("%lu of %d calls found no block at hand", (unsigned long)missed, calls);
    CHECK(missed * 10 < (uint64_t)calls);
    return unused;
}

int main(void) {
    stats_get = (int (*)(struct hak_stats *, size_t))dlsym(RTLD_DEFAULT, "hak_stats_get");
    CHECK(stats_get);
    small_sizes();
    join_thread(start_thread(second, NULL));
    return 0;
}
