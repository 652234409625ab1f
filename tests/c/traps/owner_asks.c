// Threads that free a few blocks of another's and then sleep: before that one takes fresh memory it has those blocks back, however long they sleep.
// cflags: -O1
#include "check.h"
#include <semaphore.h>

enum { FREERS = 150, EACH = 3, BLOCKS = FREERS * EACH, SIZE = 2000 };
static void *blocks[BLOCKS], *again[BLOCKS];
static sem_t freed;

static void *freer(void *arg) {
    for (size_t i = 0; i < 2000; i++) free(launder(malloc(16 + i % 32))); // it has a heap by then
    for (size_t i = 0; i < EACH; i++) free(blocks[(size_t)arg * EACH + i]);
    sem_post(&freed);
    for (;;) sleep(1000);
}

int main(void) {
    if (is_full()) SKIP("hardened in full, what a thread frees is held back");
    sem_init(&freed, 0, 0);
    for (size_t i = 0; i < BLOCKS; i++) CHECK((blocks[i] = malloc(SIZE)) && memset(blocks[i], 1, SIZE));
    for (size_t i = 0; i < FREERS; i++) start_thread(freer, (void *)i);
    for (size_t i = 0; i < FREERS; i++) sem_wait(&freed);
    int same = 0;
    for (size_t i = 0; i < BLOCKS; i++) CHECK((again[i] = malloc(SIZE)) && memset(again[i], 2, SIZE));
    for (size_t i = 0; i < BLOCKS; i++)
        for (size_t k = 0; k < BLOCKS && again[i]; k++) same += again[i] == blocks[k];
    NOTE("%d of %d blocks came back", same, BLOCKS);
    CHECK(same >= BLOCKS * 3 / 4); // the others had room left in the last span
    _exit(0);
}
