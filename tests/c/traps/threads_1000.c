// 1000 threads alive at once, each touching 20 sizes and freeing its neighbour's blocks: all works, and it stays cheap.
// (Owner ids of 8 bits break here.)
#include "check.h"

static pthread_barrier_t barrier;
static void *blocks[1000][20];

static size_t length(size_t i) { return (size_t)16 << (i / 2) | (i & 1 ? 5 : 0); }

static void *work(void *number) {
    size_t me = (size_t)number, other = (me + 77) % COUNT(blocks);
    for (size_t i = 0; i < 20; i++) {
        CHECK(blocks[me][i] = malloc(length(i)));
        stamp(blocks[me][i], length(i), (unsigned)(me + i));
    }
    pthread_barrier_wait(&barrier);
    if (me == 0) NOTE("RSS %ld MB with %ld live", rss_mb(), (long)(1000 * 2 * 16384 / MIB));
    pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < 20; i++) {
        CHECK(stamped(blocks[other][i], length(i), (unsigned)(other + i)));
        free(blocks[other][i]);
    }
    pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < 20; i++) free(malloc(length(i)));
    return NULL;
}

int main(void) {
    static pthread_t threads[COUNT(blocks)];
    CHECK(pthread_barrier_init(&barrier, NULL, COUNT(blocks)) == 0);
    for (size_t i = 0; i < COUNT(blocks); i++) threads[i] = start_thread(work, (void *)i);
    for (size_t i = 0; i < COUNT(blocks); i++) join_thread(threads[i]);
    return 0;
}
