// Four threads fill and empty tens of megabytes of mid blocks in turn, with trims between: memory is unmapped and mapped
// again under everybody's feet. (A lock-free list still holding a slot of an unmapped SuperSlab is a SEGV.)
#include "check.h"

static ATOMIC(void *) exchange[256];

static void *work(void *seed) {
    Random random = {(uintptr_t)seed + 1};
    static __thread void *blocks[600];
    for (int round = 0; round < 40; round++) {
        size_t size = (size_t)1 << random_between(&random, 10, 15), count = 12 * MIB / size;
        if (count > COUNT(blocks)) count = COUNT(blocks);
        for (size_t i = 0; i < count; i++) {
            CHECK(blocks[i] = malloc(size));
            *(size_t *)blocks[i] = size;
        }
        for (size_t i = 0; i < count; i++) {
            CHECK(*(size_t *)blocks[i] == size);
            void *p = blocks[i];
            if (i % 8 == 0) p = atomic_exchange(&exchange[random_between(&random, 0, COUNT(exchange) - 1)], p); // some change owner
            free(p);
        }
        if (round % 6 == (int)(uintptr_t)seed) malloc_trim(0);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[4];
    for (uintptr_t i = 0; i < COUNT(threads); i++) threads[i] = start_thread(work, (void *)i);
    for (size_t i = 0; i < COUNT(threads); i++) join_thread(threads[i]);
    for (size_t i = 0; i < COUNT(exchange); i++) free(exchange[i]);
    malloc_trim(0);
    NOTE("RSS %ld MB", rss_mb());
    return 0;
}
