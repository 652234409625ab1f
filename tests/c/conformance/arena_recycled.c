// An arena that may not allocate at all leaves nothing behind: the next one, which has its records, is as new.
// hakmem
// run: for e in A=1 HAKMEM_HARDENED=1 HAKMEM_TINY_HEAP_V2=0; do env $e $RUN || exit 1; done
#include "check.h"
#include <hakmem.h>

int main(void) {
    // Without its size nothing of it counts, which nobody means.
    hak_arena_options unsized_options = {.limit = 16};
    CHECK((errno = 0, hak_arena_new(&unsized_options)) == NULL && errno == EINVAL);
    for (int round = 0; round < 50; round++) {
        hak_arena_options options = {.size = sizeof options, .limit = 16};
        hak_arena *poor = hak_arena_new(&options);
        CHECK(poor);
        for (size_t size = 24; size < 100000; size = size * 5 / 4) CHECK(!hak_arena_malloc(poor, size) && errno == ENOMEM);
        hak_arena_destroy(poor);
        options = (hak_arena_options){.size = sizeof options, .flags = round % 2 ? HAK_ARENA_SHARED : 0};
        hak_arena *next = hak_arena_new(&options);
        CHECK(next);
        void *blocks[200];
        for (int i = 0; i < 200; i++) {
            CHECK((blocks[i] = hak_arena_malloc(next, 24 + i * 8)));
            memset(blocks[i], i, 24 + i * 8);
        }
        for (int i = 0; i < 200; i++) {
            CHECK(((unsigned char *)blocks[i])[23 + i * 8] == i && hak_arena_of(blocks[i]) == next);
            if (i % 3 == 0) free(blocks[i]);
        }
        hak_arena_destroy(next);
    }
    return 0;
}
