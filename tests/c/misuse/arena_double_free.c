// Two frees of an arena's block by a thread that only has the block are reported, also behind a reset and after another thread's frees.
// hakmem
// expect-signal: 6
// expect-stderr: ^hakmem: free: block is already free \(double free\) \(0x[0-9a-f]+\)$
#include "check.h"
#include <hakmem.h>

static void *free_it(void *p) {
    free(p);
    return NULL;
}

int main(void) {
    hak_arena *arena = hak_arena_new(NULL);
    pthread_t thread;
    for (int round = 0; round < 3; round++) {
        CHECK(pthread_create(&thread, NULL, free_it, hak_arena_malloc(arena, 100)) == 0 && pthread_join(thread, NULL) == 0);
        hak_arena_reset(arena);
    }
    char *p = hak_arena_malloc(arena, 100);
    CHECK(pthread_create(&thread, NULL, free_it, p) == 0 && pthread_join(thread, NULL) == 0);
    free(launder(p));
    CHECK(!"a second free that nobody noticed");
}
