// Threads that each live for a thousand blocks, free what the one before left and start their successor: memory stays near what is live. What
// is freed while its span changes hands goes to the new owner at once, not from inbox to inbox.
// cflags: -O1
#include "check.h"

enum { BLOCKS = 1024, THREADS = 8000 };
static void *blocks[BLOCKS];
static Random draws = {12345};
static pthread_barrier_t end;
static size_t begun, most;

static void *one(void *arg) {
    (void)arg;
    for (int i = 0; i < BLOCKS; i++) {
        size_t place = next_random(&draws) % BLOCKS, size = 8 + next_random(&draws) % 992;
        free(blocks[place]);
        CHECK(blocks[place] = malloc(size));
        *(char *)blocks[place] = 1;
    }
    size_t now = (size_t)rss_mb();
    if (now > most) most = now;
    while (status_kb("Threads:") > 4) sleep_ms(1); // of those that are about to end each has what it held
    pthread_t next;
    if (++begun == THREADS) {
        pthread_barrier_wait(&end);
    } else {
        next = start_thread(one, NULL);
        pthread_detach(next);
    }
    return NULL;
}

int main(void) {
    pthread_barrier_init(&end, NULL, 2);
    pthread_detach(start_thread(one, NULL));
    pthread_barrier_wait(&end);
    NOTE("%zu MB resident at most, half a MB live", most);
    CHECK(most < (is_full() ? 20 : 12)); // in full, two threads hold back what they freed
    return 0;
}
