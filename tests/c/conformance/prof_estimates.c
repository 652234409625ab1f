// Known loads come out of the heap profile within their standard errors: small, large, zeroed, aligned, short-lived, grown by realloc, freed by
// another thread; of one thread and of eight; with a sample each 4 KiB, 512 KiB, and of everything.
// hakmem
// run: command -v python3 >/dev/null || { echo "there is no python3"; exit 77; }; for RATE in 4096 524288 1; do for MODE in HAKMEM_LEARN=1 HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=1 HAKMEM_GUARD_RATE=9; do env HAKMEM_PROF_RATE=$RATE $MODE $RUN $TMP/a.pb >$TMP/said && python3 $here/pprof.py $TMP/a.pb <$TMP/said >$TMP/out || { echo "with $MODE, rate $RATE"; cat $TMP/out; exit 1; }; done; done
#include "check.h"
#include <hakmem.h>

// A function in a section of its own: the linker says where it begins and ends.
#define SITE(name, result, ...) \
    extern char __start_at_##name[], __stop_at_##name[]; \
    __attribute__((noinline, section("at_" #name))) static result name(__VA_ARGS__)
#define SAY(name, size, allocated, live) \
    printf(#name " %zx %zx %zu %zu %zu\n", (size_t)__start_at_##name, (size_t)__stop_at_##name, (size_t)(size), (size_t)(allocated), (size_t)(live))

enum { BLOCKS = 20000, THREADS = 8 };
static void *kept[10][BLOCKS];
static volatile int never;

// Not the last call in its function, or the frame would be gone.
#define KEEP(call) void *block = call; CHECK(block || never); *(volatile char *)block = 1; return block
SITE(tiny, void *, void) { KEEP(malloc(16)); }
SITE(small, void *, void) { KEEP(malloc(1000)); }
SITE(mid, void *, void) { KEEP(malloc(40000)); }
SITE(big, void *, void) { KEEP(malloc(300000)); }
SITE(large, void *, void) { KEEP(malloc(4 * MIB)); }
SITE(zeroed, void *, void) { KEEP(calloc(10, 64)); }
SITE(aligned, void *, void) { KEEP(aligned_alloc(64, 128)); }
SITE(gone, void *, void) { KEEP(malloc(320)); }
SITE(passed, void *, void) { KEEP(malloc(512)); }
SITE(grown, void *, void *old, size_t size) { KEEP(realloc(old, size)); }
// Chains of realloc: each step ends what the last one made.
SITE(chain_begun, void *, void) { KEEP(realloc(NULL, 48)); }
SITE(chain_grown, void *, void *old) { KEEP(realloc(old, 480)); }
SITE(chain_ended, void *, void *old) { KEEP(realloc(old, 4800)); }

static void fill(int row, void *(*site)(void), int count) {
    for (int i = 0; i < count; i++) kept[row][i] = site();
}
static void *work(void *arg) {
    for (int i = 0; i < BLOCKS / 4; i++) free(gone());
    for (int i = 0; i < 1000; i++) kept[9][(intptr_t)arg * 1000 + i] = passed();
    return NULL;
}
static void *free_passed(void *arg) {
    for (int i = 0; i < THREADS * 500; i++) free(kept[9][i]);
    return arg;
}

int main(int argc, char **argv) {
    CHECK(hak_prof_dump(argv[1]) == ENODATA && argc == 2);
    CHECK(hak_prof_start() == 0);
    fill(0, tiny, BLOCKS), fill(1, small, BLOCKS / 2), fill(2, mid, 300), fill(3, big, 60), fill(4, large, 20);
    fill(5, zeroed, BLOCKS / 2), fill(6, aligned, BLOCKS / 2);
    for (int i = 0; i < BLOCKS; i += 2) free(kept[0][i]);
    for (int i = 0; i < 10; i++) free(kept[4][i]);
    pthread_t thread[THREADS + 1];
    for (intptr_t i = 0; i < THREADS; i++) CHECK(pthread_create(&thread[i], NULL, work, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_join(thread[i], NULL) == 0);
    CHECK(pthread_create(&thread[THREADS], NULL, free_passed, NULL) == 0 && pthread_join(thread[THREADS], NULL) == 0);
    void *block = NULL;
    for (size_t size = 64; size <= 16 * MIB; size *= 2) block = grown(block, size);
    for (int i = 0; i < BLOCKS / 8; i++) kept[7][i] = chain_ended(chain_grown(chain_begun()));
    for (int i = 0; i < BLOCKS / 8; i += 2) free(kept[7][i]);
    CHECK(hak_prof_dump(argv[1]) == 0);
    hak_prof_stop();
    // Not counted any more, and what was sampled is still known when it is freed.
    for (int i = 0; i < 1000; i++) free(mid());
    for (int i = 1; i < BLOCKS; i += 2) free(kept[0][i]);
    free(block);
    CHECK(hak_prof_dump(argv[1]) == 0);
    SAY(tiny, 16, BLOCKS, 0), SAY(small, 1000, BLOCKS / 2, BLOCKS / 2), SAY(mid, 40000, 300, 300), SAY(big, 300000, 60, 60);
    SAY(large, 4 * MIB, 20, 10), SAY(zeroed, 640, BLOCKS / 2, BLOCKS / 2), SAY(aligned, 128, BLOCKS / 2, BLOCKS / 2);
    SAY(gone, 320, THREADS * (BLOCKS / 4), 0), SAY(passed, 512, THREADS * 1000, THREADS * 500);
    SAY(chain_begun, 48, BLOCKS / 8, 0), SAY(chain_grown, 480, BLOCKS / 8, 0), SAY(chain_ended, 4800, BLOCKS / 8, BLOCKS / 16);
    return 0;
}
