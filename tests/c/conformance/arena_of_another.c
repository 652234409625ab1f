// hak_arena_free of a block that is another arena's, a shared one's or malloc's gives it to whose it is: it is served from there again, and of the arena that was
// named nothing has changed; and what was freed so twice is reported.
// hakmem
// stderr: any
// run: for s in 24 3000 100000 3000000; do $RUN $s || exit 1; for t in 1 2 3; do ! $RUN $s $t 2>err && grep -q '^hakmem: [a-z_]*free: ' err || { cat err; exit 1; }; done; done
#include "check.h"
#include <hakmem.h>

static size_t used(hak_arena *arena) {
    struct hak_arena_figures figures;
    CHECK(hak_arena_stats(arena, &figures, sizeof figures) == 0);
    return figures.live_blocks;
}

int main(int argc, char **argv) {
    size_t size = (size_t)atol(argv[1]);
    int twice = argc > 2 ? atoi(argv[2]) : 0;
    hak_arena *named = hak_arena_new(NULL), *other = hak_arena_new(NULL);
    struct hak_arena_options for_all = { .size = sizeof for_all, .flags = HAK_ARENA_SHARED };
    hak_arena *shared = hak_arena_new(&for_all);
    void *kept = hak_arena_malloc(named, size), *block = NULL;
    CHECK(kept && shared);
    for (int i = 0; i < 300; i++) {
        hak_arena *from[] = { other, shared, NULL };
        for (size_t k = 0; k < COUNT(from); k++) {
            CHECK((block = from[k] ? hak_arena_malloc(from[k], size) : malloc(size)));
            memset(block, 1, size);
            hak_arena_free(named, block);
            CHECK(used(named) == 1 && (!from[k] || used(from[k]) == 0));
            if (twice == (int)k + 1) hak_arena_free(named, block), flush_everything(size);
        }
    }
    hak_arena_free(named, kept);
    CHECK(used(named) == 0);
    return 0;
}
