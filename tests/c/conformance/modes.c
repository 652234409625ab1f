// Every mode that a variable selects serves all sizes in several threads, and each of these variables is known.
// run: for v in TINY_HEAP_V2=0 TINY_HEAP_V2_CLASS_MASK=0xF TINY_SLL_DRAIN_INTERVAL=16 LEARN=0 REMOTE_NODES=0 HARDENED=1 HARDENED=light GUARD_RATE=3 SLOT_NODES=0 SUPERSLAB_CACHE=0 BACKGROUND=1 SOFT_LIMIT=1M HARD_LIMIT=1G PRESSURE=always THP=always THP=never; do env HAKMEM_$v $RUN || exit 1; done; env HAKMEM_HARDENED=1 HAKMEM_QUARANTINE=0 HAKMEM_GUARD_RATE=1 HAKMEM_TRACE=1 $RUN && env HAKMEM_TINY_HEAP_V2=0 HAKMEM_TINY_FRONT_DIRECT=1 $RUN
#include "check.h"

static void *blocks[4][2000];

static void *fill(void *row) {
    for (size_t i = 0; i < COUNT(blocks[0]); i++) {
        CHECK(blocks[(size_t)row][i] = i % 3 ? malloc(i) : calloc(1, i));
        stamp(blocks[(size_t)row][i], i, (unsigned)i);
    }
    use_all_sizes(1);
    return NULL;
}
static void *empty(void *row) {
    for (size_t i = 0; i < COUNT(blocks[0]); i++) {
        CHECK(stamped(blocks[(size_t)row][i], i, (unsigned)i));
        free(blocks[(size_t)row][i]);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[4];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 4; i++) threads[i] = start_thread(fill, (void *)i);
        for (size_t i = 0; i < 4; i++) join_thread(threads[i]);
        for (size_t i = 0; i < 4; i++) threads[i] = start_thread(empty, (void *)((i + round) % 4));
        for (size_t i = 0; i < 4; i++) join_thread(threads[i]);
    }
    return 0;
}
