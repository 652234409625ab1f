// What is over the bound is looked for in all spans of a heap in turn: 5,000 of them, half of whose blocks are freed at random so that no page
// is free. Were some never looked at, what is freed in them would be over the bound for ever, and each free would look at the others.
// hakmem
// run: env -u HAKMEM_HARDENED -u HAKMEM_TRIM_THRESHOLD HAKMEM_DECAY_MS=60000 $RUN
#include "check.h"
#include "hakmem.h"

enum { SIZE = 512, BLOCKS = 5000 * 128, MOST = 200 };
static void *blocks[BLOCKS];

int main(void) {
    Random random = {7};
    for (size_t i = 0; i < BLOCKS; i++) CHECK(blocks[i] = malloc(SIZE));
    for (size_t i = BLOCKS - 1; i > 0; i--) {
        size_t other = random_between(&random, 0, i);
        void *block = blocks[i];
        blocks[i] = blocks[other];
        blocks[other] = block;
    }
    for (size_t i = 0; i < BLOCKS / 2; i++) free(blocks[i]);
    static struct hak_stats stats;
    CHECK(hak_stats_get(&stats, sizeof stats) == 0);
    NOTE("%d times over the bound", (int)stats.purges_over_bound);
    CHECK(stats.purges_over_bound < MOST);
    for (size_t i = BLOCKS / 2; i < BLOCKS; i++) free(blocks[i]);
    return 0;
}
