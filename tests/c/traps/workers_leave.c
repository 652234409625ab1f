// Threads that end and leave their memory half free: who goes on takes what they left before anything fresh. And while it takes it, the blocks
// that they left in use are freed by others, resized, and handed on to new threads: none is lost, none is had twice.
// cflags: -O1
#include "check.h"

enum { WORKERS = 8, PER = 40000, SIZE = 200 };
static char **kept[WORKERS];
static void *worker(void *arg) {
    size_t id = (size_t)arg;
    char **p = malloc(PER * sizeof *p);
    for (size_t i = 0; i < PER; i++) CHECK((p[i] = malloc(SIZE)) && memset(p[i], (int)id + 1, SIZE));
    for (size_t i = 1; i < PER; i += 2) free(p[i]);
    kept[id] = p;
    return NULL;
}
static void leave_and_take(void) {
    static char *mine[WORKERS * PER / 2];
    pthread_t threads[WORKERS];
    for (size_t i = 0; i < WORKERS; i++) threads[i] = start_thread(worker, (void *)i);
    for (size_t i = 0; i < WORKERS; i++) join_thread(threads[i]);
    size_t count = COUNT(mine) * 9 / 10;
    for (size_t i = 0; i < count; i++) CHECK((mine[i] = malloc(SIZE)) && memset(mine[i], 99, SIZE));
    size_t live = ((size_t)WORKERS * PER / 2 + count) * SIZE / MIB;
    NOTE("%ld MB with %zu live", rss_mb(), live);
    if (!is_full()) CHECK((size_t)rss_mb() < live + live / 3 + 4); // where nobody takes what another left
    for (size_t w = 0; w < WORKERS; w++)
        for (size_t i = 0; i < PER; i += 2) CHECK(all_bytes_are(kept[w][i], SIZE, (unsigned char)(w + 1))), free(kept[w][i]);
    for (size_t i = 0; i < count; i++) CHECK(all_bytes_are(mine[i], SIZE, 99)), free(mine[i]);
    for (size_t w = 0; w < WORKERS; w++) free(kept[w]);
    malloc_trim(0);
    CHECK(rss_mb() < 16);
}

// Blocks that nobody has yet, and that anybody may take: swapped in, swapped out and checked.
struct block {
    size_t size;
    unsigned seed;
};
enum { PLACES = 6000, RUNS = 4, TURNS = 60 };
static ATOMIC(struct block *) places[PLACES];
static const size_t some[] = {40, 100, 200, 700, 2000, 5000, 20000, 90000};
static void drop(struct block *b) {
    if (!b) return;
    size_t size = b->size;
    unsigned seed = b->seed;
    CHECK(stamped(b + 1, size - sizeof *b, seed));
    free(b);
}
static void *short_life(void *arg) {
    Random r = {(size_t)arg * 77 + 1};
    for (int i = 0; i < 400; i++) {
        size_t size = some[next_random(&r) % COUNT(some)];
        if (size > 4096 && i % 8) size = 300;
        struct block *b = malloc(size);
        CHECK(b);
        b->size = size, b->seed = (unsigned)next_random(&r);
        stamp(b + 1, size - sizeof *b, b->seed);
        if (i % 16 == 0) {
            struct block *c = realloc(b, size + 24);
            CHECK(c && stamped_up_to(c + 1, size - sizeof *b, c->seed, size - sizeof *b));
            b = c;
        }
        drop(atomic_exchange(&places[next_random(&r) % PLACES], b));
    }
    return NULL;
}
static void *stream_of_threads(void *arg) {
    for (size_t i = 0; i < TURNS; i++) {
        pthread_t two[2];
        for (size_t k = 0; k < 2; k++) two[k] = start_thread(short_life, (void *)((size_t)arg * 1000 + i * 2 + k));
        for (size_t k = 0; k < 2; k++) join_thread(two[k]);
        short_life((void *)((size_t)arg * 5000 + i));
    }
    return NULL;
}

int main(void) {
    leave_and_take();
    pthread_t threads[RUNS];
    for (size_t i = 0; i < RUNS; i++) threads[i] = start_thread(stream_of_threads, (void *)(i + 1));
    for (size_t i = 0; i < RUNS; i++) join_thread(threads[i]);
    for (size_t i = 0; i < PLACES; i++) drop(places[i]);
    malloc_trim(0);
    CHECK(rss_mb() < 24);
    return 0;
}
