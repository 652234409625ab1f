// Hardened in either form a process never runs out of mappings: 1,000 threads at once, children of theirs, 32 GiB of blocks, and 24,576 at
// a multiple of 128 KiB. The same with few addresses (ulimit -v).
// run: for MODE in light 1; do HAKMEM_HARDENED=$MODE $RUN && (ulimit -v 3000000; HAKMEM_HARDENED=$MODE $RUN few) || exit 1; done
// env: HAKMEM_GUARD_RATE=0
#include "check.h"
#include <sys/wait.h>

enum { THREADS = 1000, EACH = 12, BLOCK = 2 * MIB, BLOCKS = 16384, ALIGNED = 24576 };
static pthread_t threads[THREADS];
static char *left[THREADS], *blocks[ALIGNED];
static pthread_barrier_t all_here;

static void *work(void *arg) {
    size_t me = (size_t)(uintptr_t)arg;
    char *mine[EACH];
    for (size_t i = 0; i < EACH; i++) {
        size_t size = (size_t)16 << (i + me) % 14;
        CHECK(mine[i] = malloc(size));
        mine[i][0] = mine[i][size - 1] = 1;
    }
    pthread_barrier_wait(&all_here);
    if (me % 250 == 0) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            use_sizes_up_to(300000, (unsigned)me);
            _exit(0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    left[me] = mine[0];
    for (int i = 1; i < EACH; i++) free(mine[i]);
    return NULL;
}

int main(int argc, char **argv) {
    (void)argv;
    int few = argc > 1, count = few ? 300 : THREADS;
    CHECK(pthread_barrier_init(&all_here, NULL, (unsigned)count) == 0);
    for (int i = 0; i < count; i++) threads[i] = start_thread(work, (void *)(uintptr_t)i);
    for (int i = 0; i < count; i++) join_thread(threads[i]);
    for (int i = 0; i < count; i++) free(left[i]);
    int got = 0;
    while (got < (few ? 500 : BLOCKS) && (blocks[got] = malloc(BLOCK - 100))) got++;
    CHECK(got == (few ? 500 : BLOCKS));
    NOTE("%ld mappings", mappings());
    CHECK(mappings() < 40000); // of 65,530
    use_all_sizes(1);
    for (int i = 0; i < got; i += 2) free(blocks[i]);
    CHECK(mappings() < 40000);
    for (int i = 0; i < got; i += 2) CHECK(blocks[i] = malloc(BLOCK - 5000));
    for (int i = 0; i < got; i++) free(blocks[i]);
    use_all_sizes(2);
    for (got = 0; got < (few ? 500 : ALIGNED); got++) {
        CHECK(blocks[got] = aligned_alloc(128 * KIB, 140000));
        blocks[got][0] = 1;
    }
    CHECK(mappings() < 30000);
    for (int i = 0; i < got; i += 2) CHECK(blocks[i] = realloc(blocks[i], 210000));
    for (int i = 0; i < got; i++) free(blocks[i]);
    use_all_sizes(3);
    return 0;
}
