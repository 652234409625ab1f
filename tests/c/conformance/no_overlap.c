// Live blocks never overlap, over their whole usable size, while random sizes come and go.
#include "check.h"

typedef struct {
    unsigned char *at;
    size_t size;
} Block;
static Block blocks[6000], sorted[6000];

static int by_address(const void *a, const void *b) {
    uintptr_t x = (uintptr_t)((const Block *)a)->at, y = (uintptr_t)((const Block *)b)->at;
    return x < y ? -1 : x > y;
}

int main(void) {
    Random random = {7};
    for (int round = 0; round < 12; round++) {
        for (size_t i = 0; i < COUNT(blocks); i++) {
            if (blocks[i].at && next_random(&random) % 2) continue;
            CHECK(!blocks[i].at || stamped(blocks[i].at, blocks[i].size, (unsigned)i));
            free(blocks[i].at);
            size_t limit = (size_t)1 << random_between(&random, 4, 17);
            size_t size = random_between(&random, 0, limit);
            unsigned char *p = malloc(size);
            CHECK(p);
            blocks[i].at = p;
            blocks[i].size = malloc_usable_size(p);
            CHECK(blocks[i].size >= size);
            stamp(p, blocks[i].size, (unsigned)i);
        }
        memcpy(sorted, blocks, sizeof blocks);
        qsort(sorted, COUNT(sorted), sizeof *sorted, by_address);
        for (size_t i = 1; i < COUNT(sorted); i++) CHECK(sorted[i - 1].at + sorted[i - 1].size <= sorted[i].at);
    }
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(stamped(blocks[i].at, blocks[i].size, (unsigned)i));
        free(blocks[i].at);
    }
    return 0;
}
