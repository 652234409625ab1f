// A sleeping thread's million blocks are all freed by others, three times over: no crash, no log storm, nothing hoarded.
// (A fixed pool of remote-free nodes runs out here.)
// cflags: -O1
#include "check.h"

static void *blocks[1000000];
static pthread_barrier_t barrier;

static void *owner(void *unused) {
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT(blocks); i++) {
            CHECK(blocks[i] = malloc(64));
            *(size_t *)blocks[i] = i;
        }
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier); // asleep while the others free
    }
    return unused;
}

static void *free_quarter(void *quarter) {
    for (size_t i = (size_t)quarter; i < COUNT(blocks); i += 4) {
        CHECK(*(size_t *)blocks[i] == i);
        free(blocks[i]);
    }
    return NULL;
}

int main(void) {
    CHECK(pthread_barrier_init(&barrier, NULL, 2) == 0);
    pthread_t thread = start_thread(owner, NULL), threads[4];
    for (int round = 0; round < 3; round++) {
        pthread_barrier_wait(&barrier);
        for (size_t i = 0; i < 4; i++) threads[i] = start_thread(free_quarter, (void *)i);
        for (size_t i = 0; i < 4; i++) join_thread(threads[i]);
        pthread_barrier_wait(&barrier);
    }
    join_thread(thread);
    NOTE("peak %ld MB of 64 live", peak_mb());
    CHECK(peak_mb() < 200);
    return 0;
}
