// Threads end and leave blocks of all sizes; these keep their content, others free and realloc them, and the memory is
// used again by later threads.
#include "check.h"

static void *blocks[16][COUNT(all_sizes)];

static void *leave(void *index) {
    void **row = blocks[(size_t)index];
    for (size_t i = 0; i < COUNT(all_sizes); i++) {
        CHECK(row[i] = malloc(all_sizes[i]));
        stamp(row[i], all_sizes[i], (unsigned)i);
    }
    return NULL;
}

static void *take(void *index) {
    void **row = blocks[((size_t)index + 5) % COUNT(blocks)];
    for (size_t i = 0; i < COUNT(all_sizes); i++) {
        size_t n = all_sizes[i];
        CHECK(stamped(row[i], n, (unsigned)i));
        if (i % 3 == 0) {
            CHECK(row[i] = realloc(row[i], n + 5000));
            CHECK(stamped(row[i], n, (unsigned)i));
        }
        free(row[i]);
    }
    return NULL;
}

int main(void) {
    for (int round = 0; round < 6; round++) {
        pthread_t threads[COUNT(blocks)];
        for (size_t i = 0; i < COUNT(blocks); i++) threads[i] = start_thread(leave, (void *)i);
        for (size_t i = 0; i < COUNT(blocks); i++) join_thread(threads[i]);
        if (round % 2) {
            for (size_t i = 0; i < COUNT(blocks); i++) take((void *)i);
            continue;
        }
        for (size_t i = 0; i < COUNT(blocks); i++) threads[i] = start_thread(take, (void *)i);
        for (size_t i = 0; i < COUNT(blocks); i++) join_thread(threads[i]);
    }
    return 0;
}
