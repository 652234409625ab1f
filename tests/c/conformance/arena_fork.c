// Arenas in fork's child go on: one that the parent uses at that time, one of another thread, and what is freed while a fork is on its way is freed
// once, also where a reset comes before that.
// hakmem
// run: for e in A=1 HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=1; do env $e $RUN || exit 1; done
#include "check.h"
#include <hakmem.h>
#include <sys/wait.h>

static ATOMIC(int) over;
static hak_arena *mine, *others, *both;

// One that two threads use at once: nobody resets it.
static void share(int rounds, int with) {
    static __thread unsigned char *blocks[300];
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < COUNT(blocks); i++) {
            CHECK((blocks[i] = hak_arena_malloc(both, i % 100 == 99 ? 2 * MIB : 16 + i)));
            memset(blocks[i], with, 16 + i);
        }
        for (size_t i = 0; i < COUNT(blocks); i++) CHECK(blocks[i][0] == with && blocks[i][15] == with), free(blocks[i]);
    }
}
static void use(hak_arena *arena, int rounds, int with) {
    static __thread unsigned char *blocks[500];
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < COUNT(blocks); i++) {
            CHECK((blocks[i] = hak_arena_malloc(arena, i % 50 == 49 ? 2 * MIB : 16 + i)));
            memset(blocks[i], with, 16 + i);
        }
        for (size_t i = 0; i < COUNT(blocks); i++) CHECK(blocks[i][0] == with && blocks[i][15] == with);
        for (size_t i = 0; i < COUNT(blocks); i += 1 + round % 5) i % 2 ? free(blocks[i]) : hak_arena_free(arena, blocks[i]);
        hak_arena_reset(arena);
    }
}
static void *churn(void *arg) {
    while (!over) use(others, 1, 3), share(1, 3);
    return NULL;
}

int main(void) {
    pthread_t thread;
    struct hak_arena_options shared = {.size = sizeof shared, .flags = HAK_ARENA_SHARED};
    mine = hak_arena_new(NULL), others = hak_arena_new(NULL), both = hak_arena_new(&shared);
    use(mine, 3, 1), share(1, 1);
    CHECK(pthread_create(&thread, NULL, churn, NULL) == 0);
    for (int n = 0; n < 60; n++) {
        unsigned char *kept = hak_arena_malloc(mine, 100);
        memset(kept, 9, 100);
        pid_t child = fork();
        if (child == 0) {
            CHECK(kept[0] == 9 && kept[99] == 9 && hak_arena_of(kept) == mine);
            use(mine, 3, 2);
            // The thread that had it is not there: this one has it now.
            hak_arena_reset(others);
            use(others, 3, 4);
            share(3, 6);
            hak_arena_reset(both);
            share(2, 7);
            hak_arena_destroy(mine), hak_arena_destroy(others), hak_arena_destroy(both);
            mine = hak_arena_new(NULL);
            use(mine, 2, 5);
            _exit(0);
        }
        int status;
        CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
        CHECK(kept[50] == 9);
        use(mine, 1, 1), share(1, 1);
    }
    over = 1;
    CHECK(pthread_join(thread, NULL) == 0);
    hak_arena_destroy(mine), hak_arena_destroy(others), hak_arena_destroy(both);
}
