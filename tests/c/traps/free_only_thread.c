// One thread allocates 4 GB in all, another frees, 64 MB live at most, the sizes moving from tiny to large: the peak stays
// under 250 MB. (mimalloc 1364: 437 MB became 1.8 GB because the freeing thread hoards.)
// cflags: -O1
#include "check.h"
#include <sched.h>

#define SLOTS (1 << 20)
static struct {
    char *at;
    size_t size;
} ring[SLOTS];
static ATOMIC(size_t) sent, received, freed_bytes;

static void *free_all(void *unused) {
    for (;;) {
        size_t i = received, end = sent;
        if (i == end) sched_yield();
        for (; i != end; i++) {
            char *p = ring[i % SLOTS].at;
            size_t size = ring[i % SLOTS].size;
            if (!p) return unused;
            CHECK(p[0] == (char)size && p[size - 1] == (char)size);
            free(p);
            freed_bytes += size;
            received = i + 1;
        }
    }
}

int main(void) {
    static const struct {
        size_t low, high, total;
    } phases[] = {{64, 200, 150}, {200, 1024, 400}, {1000, 8000, 700}, {8000, 65536, 1000}, {65536, 1048576, 1500}, {64, 300, 100}, {1000, 30000, 250}};
    Random random = {5};
    pthread_t consumer = start_thread(free_all, NULL);
    size_t made = 0;
    for (size_t i = 0; i < COUNT(phases); i++)
        for (size_t end = made + phases[i].total * MIB; made < end;) {
            size_t size = random_between(&random, phases[i].low, phases[i].high);
            while (made + size - freed_bytes > 64 * MIB || sent - received >= SLOTS - 1) sched_yield();
            char *p = malloc(size);
            CHECK(p);
            for (size_t at = 0; at < size; at += 4096) p[at] = (char)size;
            p[size - 1] = (char)size;
            ring[sent % SLOTS].at = p;
            ring[sent % SLOTS].size = size;
            made += size;
            sent++;
        }
    ring[sent % SLOTS].at = NULL;
    sent++;
    join_thread(consumer);
    NOTE("peak %ld MB", peak_mb());
    CHECK(peak_mb() < 250);
    return 0;
}
