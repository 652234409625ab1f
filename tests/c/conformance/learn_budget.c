// A thousand threads, each of which would like deep magazines of every class: 64 KiB of cached blocks each at most, on
// average. One thread alone may have more than that.
// alone
#include "../../../include/hakmem.h"
#include "check.h"
#include <dlfcn.h>

static pthread_barrier_t full, looked;
static int (*stats_get)(struct hak_stats *, size_t);

static unsigned draw(unsigned *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

static void churn(unsigned seed) {
    enum { SLOTS = 2000 };
    static _Thread_local void *slots[SLOTS];
    for (int i = 0; i < 10000; i++) {
        void **slot = &slots[draw(&seed) % SLOTS];
        free(*slot);
        CHECK(*slot = malloc(draw(&seed) % 16 ? 1 + draw(&seed) % 1024 : 1 + draw(&seed) % 65536));
    }
    for (int i = 0; i < SLOTS; i++) free(slots[i]);
}

static void *body(void *seed) {
    churn((unsigned)(uintptr_t)seed * 2654435761u + 1);
    pthread_barrier_wait(&full);
    pthread_barrier_wait(&looked);
    return NULL;
}

static uint64_t cached(void) {
    struct hak_stats stats;
    CHECK(stats_get(&stats, sizeof stats) == 0);
    return stats.cached_bytes;
}

int main(void) {
    static pthread_t threads[1000];
    stats_get = (int (*)(struct hak_stats *, size_t))dlsym(RTLD_DEFAULT, "hak_stats_get");
    CHECK(stats_get);
    churn(7);
    uint64_t alone = cached();
    pthread_barrier_init(&full, NULL, COUNT(threads) + 1);
    pthread_barrier_init(&looked, NULL, COUNT(threads) + 1);
    for (size_t i = 0; i < COUNT(threads); i++) threads[i] = start_thread(body, (void *)i);
    pthread_barrier_wait(&full);
    uint64_t all = cached();
    NOTE("one thread alone %lu KiB, then %lu KiB a thread", (unsigned long)alone / 1024, (unsigned long)(all / COUNT(threads) / 1024));
    CHECK(alone > 64 * KIB);
    CHECK(all < COUNT(threads) * 64 * KIB);
    pthread_barrier_wait(&looked);
    for (size_t i = 0; i < COUNT(threads); i++) join_thread(threads[i]);
    return 0;
}
