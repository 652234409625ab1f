// 4,000 short threads in waves of 16, each freeing blocks of the wave before: heaps are orphaned and adopted all the time,
// and memory does not grow.
#include "check.h"

static void *handed[16][50];

static void *work(void *number) {
    void **row = handed[(size_t)number];
    for (size_t i = 0; i < COUNT(handed[0]); i++) {
        CHECK(!row[i] || stamped(row[i], i * 40, (unsigned)i));
        free(row[i]);
        CHECK(row[i] = malloc(i * 40));
        stamp(row[i], i * 40, (unsigned)i);
    }
    return NULL;
}

int main(void) {
    for (int wave = 0; wave < 250; wave++) {
        pthread_t threads[16];
        for (size_t i = 0; i < 16; i++) threads[i] = start_thread(work, (void *)((i + (size_t)wave * 3) % 16));
        for (size_t i = 0; i < 16; i++) join_thread(threads[i]);
    }
    NOTE("peak %ld MB with 1 live", peak_mb());
    CHECK(peak_mb() < 60);
    return 0;
}
