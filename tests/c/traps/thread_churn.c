// 100,000 threads, eight at a time, each with blocks of a few sizes, half of them left to the next: memory does not grow.
#include "check.h"

static void *left[8][20];

static void *work(void *number) {
    void **row = left[(size_t)number];
    for (size_t i = 0; i < COUNT(left[0]); i++) {
        size_t size = i * 97 + 1;
        CHECK(!row[i] || stamped(row[i], size, (unsigned)i));
        free(row[i]);
        free(malloc(size * 2));
        CHECK(row[i] = malloc(size));
        stamp(row[i], size, (unsigned)i);
    }
    return NULL;
}

int main(void) {
    long early = 0;
    for (size_t wave = 0; wave < 12500; wave++) {
        pthread_t threads[8];
        for (size_t i = 0; i < 8; i++) threads[i] = start_thread(work, (void *)((i + wave) % 8));
        for (size_t i = 0; i < 8; i++) join_thread(threads[i]);
        if (wave == 500) early = rss_mb();
    }
    NOTE("RSS %ld MB after 4,000 threads, %ld after 100,000", early, rss_mb());
    CHECK(rss_mb() <= early + 8);
    return 0;
}
