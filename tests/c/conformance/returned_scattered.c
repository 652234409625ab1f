// Blocks that another thread freed go out again in no order: in ascending order the other thread's processor takes them for an array, and
// asks for lines that this one is about to write.
#include "check.h"

enum { SIZE = 256, BLOCKS = 4096 };
static char *blocks[BLOCKS];

static void *free_all(void *unused) {
    for (size_t i = 0; i < BLOCKS; i++) free(blocks[i]);
    return unused;
}

// Of the blocks, how many lie beside the one before.
static int neighbours(void) {
    int beside = 0;
    for (size_t i = 1; i < BLOCKS; i++) beside += blocks[i] == blocks[i - 1] + SIZE || blocks[i] == blocks[i - 1] - SIZE;
    return beside;
}

static void allocate_all(void) {
    for (size_t i = 0; i < BLOCKS; i++) CHECK(blocks[i] = malloc(SIZE));
}

int main(void) {
    allocate_all();
    int fresh = neighbours();
    pthread_t other;
    CHECK(pthread_create(&other, NULL, free_all, NULL) == 0 && pthread_join(other, NULL) == 0);
    allocate_all();
    int returned = neighbours();
    NOTE("%d and %d of %d", fresh, returned, BLOCKS);
    CHECK(returned < BLOCKS / 2);
    return 0;
}
