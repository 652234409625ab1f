// Statistics in all forms, walks, trims, flushes and options, from threads beside threads that allocate and free each other's
// blocks, with forks in between: nothing hangs, every answer is whole, and in the end nothing is lost.
// hakmem
// run: $RUN && HAKMEM_TINY_HEAP_V2=0 $RUN
#include "check.h"
#include <hakmem.h>
#include <sys/wait.h>

static ATOMIC(void *) shelf[4096];
static ATOMIC(int) stop;
static char texts[2][1 << 17];

static void *work(void *arg) {
    Random random = {(uint64_t)(size_t)arg + 99};
    while (!stop) {
        size_t size = next_random(&random) >> 57 ? random_between(&random, 1, 2000) : random_between(&random, 1, 300000);
        char *block = malloc(size);
        CHECK(block && hak_is_ours(block));
        block[0] = block[size - 1] = 1;
        free(atomic_exchange(&shelf[next_random(&random) >> 52], block));
    }
    return NULL;
}

static int count(const struct hak_heap_class *entry, void *arg) {
    *(uint64_t *)arg += entry->live_bytes;
    return 0;
}
static void *ask(void *arg) {
    char *text = texts[(size_t)arg % 2];
    struct hak_stats stats;
    for (int i = 0; !stop; i++) {
        uint64_t live = 0;
        CHECK(hak_stats_get(&stats, sizeof stats) == 0 && stats.size == sizeof stats && stats.mapped_bytes < 4 * GIB);
        size_t length = (i % 3 == 0 ? hak_stats_json : i % 3 == 1 ? hak_stats_text : hak_stats_prometheus)(text, sizeof texts[0]);
        CHECK(length < sizeof texts[0] && strlen(text) == length);
        CHECK(hak_heap_walk(count, &live) == 0 && live < 4 * GIB);
        if (i % 16 == 0) hak_trim();
        hak_thread_flush();
        CHECK(hak_option_set("HAKMEM_DECAY_MS", i % 2 ? "5" : "1000") == 0);
        CHECK(hak_option_get("HAKMEM_DECAY_MS", text, sizeof texts[0]) == 0);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[6];
    struct hak_stats stats;
    for (size_t i = 0; i < 6; i++) threads[i] = start_thread(i < 4 ? work : ask, (void *)i);
    for (int i = 0; i < 30; i++) {
        sleep_ms(20);
        pid_t child = fork();
        if (child == 0) { // alone in here, whatever the others were doing
            CHECK(hak_stats_get(&stats, sizeof stats) == 0 && hak_stats_json(NULL, 0) > 1000);
            hak_trim();
            CHECK(hak_option_set("HAKMEM_STATS", "0") == 0);
            _exit(0);
        }
        int status;
        CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    }
    stop = 1;
    for (size_t i = 0; i < 6; i++) join_thread(threads[i]);
    for (size_t i = 0; i < COUNT(shelf); i++) free(atomic_exchange(&shelf[i], NULL));
    hak_thread_flush();
    hak_trim();
    CHECK(hak_stats_get(&stats, sizeof stats) == 0 && stats.live_blocks < 100 && stats.live_bytes < MIB && stats.dirty_bytes == 0);
    CHECK(stats.remote_pending_bytes == 0);
    return 0;
}
