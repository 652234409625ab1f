// What decay takes goes in bounded steps, whoever comes by: no single call gives more than some MiB back, also where calls are too few to pay within a
// quarter of the decay time what is due then. What is left of one quarter goes in the next ones.
// hakmem
// env: HAKMEM_DECAY_MS=400
// stderr: any
// run: for e in A=1 HAKMEM_TINY_HEAP_V2=0; do env $e $RUN || exit 1; done
#include "check.h"
#include <hakmem.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void) {
    static void *held[64];
    long before = rss_mb(), most = 0;
    hak_arena *arena = hak_arena_new(NULL);
    for (size_t bytes = 0; bytes < 256 * MIB; bytes += 64) {
        char *p = hak_arena_malloc(arena, 64);
        CHECK(p), *p = 1;
    }
    hak_arena_destroy(arena);
    if (getenv("HAKMEM_HARDENED")) return 0; // closed, all of it
    CHECK(rss_mb() > before + 240);
    uint64_t state = 88172645463325252u;
    double end = now() + 1.5;
    for (int calls = 0; calls < 300 || now() < end; calls++, usleep(4000)) // a busy machine takes longer for as many
        for (int n = 0; n < 16; n++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            void **at = &held[state % COUNT(held)];
            long full = rss_mb();
            if (*at) free(*at), *at = NULL;
            else *at = malloc(30000 + (state >> 32) % 30000);
            if (full - rss_mb() > most) most = full - rss_mb();
        }
    fprintf(stderr, "note: %ld MiB at most by one call, %ld are left\n", most, rss_mb() - before);
    CHECK(most <= 24 && rss_mb() < before + 50);
    return 0;
}
