// A reset gives back what was taken, whatever became of it: round after round the same memory serves, and blocks that others freed, batches of other
// heaps that wait and frees of the round before are neither lost nor taken for double ones. A GiB of 64-byte blocks goes within what its spans cost.
// hakmem
// run: for e in A=1 HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=1; do env $e $RUN || exit 1; done
#include "check.h"
#include <hakmem.h>

static void *blocks[20000];

static void *free_some(void *arg) {
    for (size_t i = (size_t)arg; i < COUNT(blocks); i += 3) free(blocks[i]);
    return NULL;
}
static uint64_t held(hak_arena *arena) {
    struct hak_arena_figures f;
    CHECK(hak_arena_stats(arena, &f, sizeof f) == 0);
    return f.held_bytes;
}
static int compare(const void *a, const void *b) { return *(char *const *)a < *(char *const *)b ? -1 : *(char *const *)a > *(char *const *)b; }

int main(void) {
    hak_arena *arena = hak_arena_new(NULL);
    uint64_t before = 0;
    for (int round = 0; round < 30; round++) {
        for (size_t i = 0; i < COUNT(blocks); i++) {
            size_t size = 16 + i % 31 * 16;
            CHECK((blocks[i] = hak_arena_malloc(arena, size)));
            memset(blocks[i], round, size);
        }
        pthread_t thread;
        if (round % 3) { // what this thread frees waits wherever its frees wait
            CHECK(pthread_create(&thread, NULL, free_some, (void *)(size_t)1) == 0 && pthread_join(thread, NULL) == 0);
            if (round % 2) free_some((void *)(size_t)2);
        }
        hak_arena_reset(arena);
        if (round == 4) before = held(arena);
        if (round > 4) CHECK(held(arena) <= before + 2 * MIB);
    }
    // No block is handed out twice after all that.
    for (size_t i = 0; i < COUNT(blocks); i++) CHECK((blocks[i] = hak_arena_malloc(arena, 16 + i % 31 * 16)));
    qsort(blocks, COUNT(blocks), sizeof *blocks, compare);
    for (size_t i = 1; i < COUNT(blocks); i++) CHECK(blocks[i] != blocks[i - 1]);
    hak_arena_destroy(arena);

    // Rounds that fit in the magazines: the same blocks, in the same order.
    arena = hak_arena_new(NULL);
    void *first[200];
    for (int round = 0; round < 1000; round++) {
        for (size_t i = 0; i < COUNT(first); i++) {
            void *p = hak_arena_malloc(arena, 16 + i % 32 * 16);
            if (round == 10) first[i] = p;
            if (round > 10 && !getenv("HAKMEM_TINY_HEAP_V2") && !getenv("HAKMEM_HARDENED")) CHECK(first[i] == p);
        }
        hak_arena_reset(arena);
    }
    hak_arena_destroy(arena);

    // What a reset leaves empty a trim gives back, however many spans it is.
    arena = hak_arena_new(NULL);
    for (size_t i = 0; i < 64 * KIB; i++) CHECK(hak_arena_malloc(arena, KIB));
    CHECK(held(arena) >= 64 * MIB);
    hak_arena_reset(arena);
    malloc_trim(0);
    CHECK(held(arena) < 2 * MIB);
    hak_arena_destroy(arena);
}
