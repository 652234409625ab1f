// With HAKMEM_HARDENED=1 addresses that held blocks of one size never hold others, whatever is freed and trimmed meanwhile; those of that size lie there again.
// env: HAKMEM_HARDENED=1 HAKMEM_GUARD_RATE=0
#include "check.h"

enum { BLOCKS = 20000 };
static void *blocks[BLOCKS];
static uintptr_t slots[BLOCKS];
static size_t used;

static int held(void *p) {
    for (size_t i = 0; i < used; i++)
        if (slots[i] == (uintptr_t)p >> 16) return 1;
    return 0;
}

static void fill(size_t size, int count) {
    for (int i = 0; i < count; i++) {
        CHECK(blocks[i] = malloc(size));
        memset(blocks[i], 1, size);
    }
}

static void empty(int count) {
    for (int i = 0; i < count; i++) free(blocks[i]);
    malloc_trim(0);
}

int main(void) {
    fill(96, BLOCKS);
    for (int i = 0; i < BLOCKS; i++)
        if (!held(blocks[i])) slots[used++] = (uintptr_t)blocks[i] >> 16;
    empty(BLOCKS);
    for (size_t size = 16; size < 400000; size += size / 3) {
        if (size > 80 && size <= 104) continue;
        int count = size < 1000 ? 2000 : 100;
        fill(size, count);
        for (int i = 0; i < count; i++) CHECK(!held(blocks[i]));
        empty(count);
    }
    fill(96, BLOCKS);
    int again = 0;
    for (int i = 0; i < BLOCKS; i++) again += held(blocks[i]);
    CHECK(again > BLOCKS / 8); // of all places that are the size's, those had five eighths
    return 0;
}
