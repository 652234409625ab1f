// Free pages between live blocks, each run too short to be worth a call while others come and go, go back once nobody used them for two decay times:
// the background thread does not fall asleep over them, though no count of idle bytes has them, nor over what an arena's reset left.
// hakmem
// run: env -u HAKMEM_HARDENED HAKMEM_BACKGROUND=1 HAKMEM_DECAY_MS=100 $RUN && env -u HAKMEM_HARDENED HAKMEM_BACKGROUND=1 HAKMEM_DECAY_MS=100 $RUN arena
#include "check.h"
#include <hakmem.h>

enum { SIZE = 200, STEP = 100 }; // five pages: one or two are shared, and stay
static char *blocks[64 * MIB / SIZE];

static void fill(hak_arena *arena) {
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(blocks[i] = arena ? hak_arena_malloc(arena, SIZE) : malloc(SIZE));
        memset(blocks[i], 1, SIZE);
    }
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        hak_arena *arena = hak_arena_new(NULL);
        CHECK(arena);
        fill(arena);
        hak_arena_reset(arena);
    } else {
        fill(NULL);
        for (size_t i = 0; i < COUNT(blocks); i++)
            if (i % STEP != 0) free(blocks[i]);
    }
    sleep_ms(1500);
    NOTE("RSS %ld MB", rss_mb());
    CHECK(rss_mb() < 28);
    return 0;
}
