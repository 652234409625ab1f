// Threads that hardly allocate cost hardly anything: 400 alive with one block each, then with ten of ten sizes, their stacks included. What two
// of them got first shares no line of the cache, and one that goes on gets all there is to have.
// env: HAKMEM_TINY_HEAP_V2=1 HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=0
#include "check.h"

enum { THREADS = 400, BLOCKS = 10 };
static const size_t sizes[BLOCKS] = {24, 43, 78, 141, 256, 463, 838, 1516, 2744, 4966};
static char *blocks[THREADS][BLOCKS];
static pthread_barrier_t turn;

static void *live(void *arg) {
    size_t id = (size_t)arg;
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    for (size_t i = 0; i < BLOCKS; i++) {
        CHECK(blocks[id][i] = malloc(sizes[i]));
        memset(blocks[id][i], (int)id, sizes[i]);
        if (i == 0) {
            pthread_barrier_wait(&turn);
            pthread_barrier_wait(&turn);
        }
    }
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    // Half of them free their own, half those of others; a few work on.
    size_t other = id % 2 ? id : (id + 2) % THREADS;
    for (size_t i = 0; i < BLOCKS; i++) {
        CHECK(all_bytes_are(blocks[other][i], sizes[i], (unsigned char)other));
        free(blocks[other][i]);
    }
    if (id % 50 == 0) use_sizes_up_to(64 * KIB, (unsigned)id);
    return NULL;
}

static long step(void) {
    pthread_barrier_wait(&turn);
    return status_kb("VmRSS:");
}

int main(void) {
    static pthread_t threads[THREADS];
    free(malloc(1));
    pthread_barrier_init(&turn, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++) threads[i] = start_thread(live, (void *)i);
    long bare = step();
    step();
    long one = step() - bare;
    step();
    long ten = step() - bare;
    NOTE("%ld KiB a thread of one block, %ld of ten, beside its stack", one / THREADS, ten / THREADS);
    CHECK(one < 2 * THREADS && ten < 20 * THREADS);
    for (size_t i = 1; i < THREADS; i++) CHECK((size_t)blocks[i][0] / 64 != (size_t)blocks[i - 1][0] / 64);
    step();
    for (size_t i = 0; i < THREADS; i++) join_thread(threads[i]);
    return 0;
}
