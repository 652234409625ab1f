// Blocks that another thread freed go out again in no order: in ascending order the other thread's processor takes them for an array, and
// asks for lines that this one is about to write. Not so where much is in use: what comes back is in nobody's cache, and goes out as it lies.
#include "check.h"

enum { SIZE = 256, BLOCKS = 2048, MANY = 16384 };
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

// Likewise after the other thread has freed them and this one has allocated as many.
static int neighbours_returned(void) {
    pthread_t other;
    CHECK(pthread_create(&other, NULL, free_all, NULL) == 0 && pthread_join(other, NULL) == 0);
    allocate_all();
    return neighbours();
}

int main(void) {
    allocate_all();
    int fresh = neighbours(), few = neighbours_returned();
    for (size_t i = 0; i < MANY; i++) CHECK(malloc(SIZE));
    allocate_all();
    int many = neighbours_returned();
    NOTE("%d, %d and %d of %d", fresh, few, many, BLOCKS);
    // Hardened, also fresh ones go out in no order.
    CHECK(few < BLOCKS / 2 && (many > BLOCKS * 3 / 4 || fresh < BLOCKS / 2));
    return 0;
}
