// Threads that only free, a few blocks each, and then wait for work (200 of them, blocks of ten others, of up to 60 KB): what they hold is 8 KiB
// each and 1 MiB in all, and a trim or a second of light work has even that.
// cflags: -O1
#include "check.h"
#include <semaphore.h>

enum { OWNERS = 10, FREERS = 200, ROUNDS = 10 };
static char *blocks[OWNERS][FREERS];
static sem_t own[OWNERS], go[FREERS], made, freed;
static size_t least = 4000, most = 60000;

static void *owner(void *arg) {
    size_t id = (size_t)arg;
    Random r = {id + 1};
    for (;;) {
        sem_wait(&own[id]);
        for (int i = 0; i < FREERS; i++) {
            size_t size = random_between(&r, least, most);
            CHECK((blocks[id][i] = malloc(size)) && memset(blocks[id][i], 1, size));
        }
        sem_post(&made);
    }
}
static void *freer(void *arg) {
    size_t id = (size_t)arg;
    for (;;) {
        sem_wait(&go[id]);
        for (int o = 0; o < OWNERS; o++) free(blocks[o][id]);
        sem_post(&freed);
    }
}
static void rounds(void) {
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < OWNERS; i++) sem_post(&own[i]);
        for (int i = 0; i < OWNERS; i++) sem_wait(&made);
        for (int i = 0; i < FREERS; i++) sem_post(&go[i]);
        for (int i = 0; i < FREERS; i++) sem_wait(&freed);
    }
}

int main(void) {
    if (is_full()) SKIP("hardened in full, 256 KiB of what a thread frees are held back");
    sem_init(&made, 0, 0);
    sem_init(&freed, 0, 0);
    for (size_t i = 0; i < OWNERS; i++) sem_init(&own[i], 0, 0), start_thread(owner, (void *)i);
    for (size_t i = 0; i < FREERS; i++) sem_init(&go[i], 0, 0), start_thread(freer, (void *)i);
    least = most = 16;
    rounds(); // every thread has what it needs to begin with
    malloc_trim(0);
    long before = rss_mb();
    least = 4000, most = 60000;
    rounds();
    malloc_trim(0);
    long trimmed = rss_mb() - before;

    // Of 16 bytes hardly anything waits in bytes, but its pages do: without a trim they go when they are old.
    least = most = 700;
    rounds();
    for (int i = 0; i < 1500; i++) {
        free(launder(malloc(2000)));
        free(launder(malloc(100000 + (size_t)i)));
        sleep_ms(1);
    }
    NOTE("%ld MB after a trim, %ld MB after light work", trimmed, rss_mb() - before);
    CHECK(trimmed <= 8 && rss_mb() - before <= 24);
    _exit(0);
}
