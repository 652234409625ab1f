// What a destroyed arena leaves is given back by decay, in steps, and not by who destroys it: that asks the kernel for nothing. A decay time after, while the
// program goes on or its background thread looks, no more is resident than the contract allows. Without decay it goes at once, and hardened, too, for there
// free memory is zero.
// hakmem
// run: for e in A=1 HAKMEM_BACKGROUND=1 HAKMEM_DECAY_MS=0 HAKMEM_TINY_HEAP_V2=0; do env $e $RUN || exit 1; done
#include "check.h"
#include <hakmem.h>

static struct hak_stats stats(void) {
    struct hak_stats s;
    CHECK(hak_stats_get(&s, sizeof s) == 0);
    return s;
}

int main(void) {
    const char *sleeps = getenv("HAKMEM_BACKGROUND"), *decay = getenv("HAKMEM_DECAY_MS"), *hardened = getenv("HAKMEM_HARDENED");
    long before = rss_mb();
    for (int round = 0; round < 2; round++) {
        hak_arena *arena = hak_arena_new(NULL);
        for (size_t bytes = 0; bytes < 192 * MIB; bytes += 64) {
            char *p = hak_arena_malloc(arena, 64);
            CHECK(p), *p = 1;
        }
        struct hak_stats full = stats(), left;
        CHECK(rss_mb() > before + 180);
        hak_arena_destroy(arena);
        left = stats();
        if (!decay && !hardened) CHECK(left.purge_calls == full.purge_calls && left.superslabs == full.superslabs && left.dirty_bytes > 180 * MIB);
        // On a machine with more to do than it can, the second of a thread that is not let run is longer.
        for (int i = 0; !decay && (i < 13 || (i < 33 && rss_mb() >= before + 34)); i++) {
            usleep(100000);
            // A little of everything, so that slow paths come by.
            for (int n = 0; n < 2000 && !sleeps; n++) free(malloc(3 * MIB)), free(malloc(70000));
        }
        CHECK(rss_mb() < before + 34);
    }
    return 0;
}
