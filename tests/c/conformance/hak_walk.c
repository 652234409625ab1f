// The visitor of hak_heap_walk may do what any code may: allocate, free, walk, ask, and leave by longjmp. No lock is held.
// env: HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=0
// hakmem
#include "check.h"
#include <hakmem.h>
#include <setjmp.h>
#include <sys/wait.h>

static jmp_buf out;
static char text[1 << 18];

static int work(const struct hak_heap_class *entry, void *arg) {
    struct hak_stats stats;
    use_sizes_up_to(100000, 3);
    CHECK(hak_stats_get(&stats, sizeof stats) == 0 && hak_stats_json(text, sizeof text) < sizeof text);
    hak_thread_flush();
    if (*(int *)arg == 0) { // one walk within another, a thread, and a fork
        int inner = 1;
        CHECK(hak_heap_walk(work, &inner) == 0);
        join_thread(start_thread((void *(*)(void *))(void *)hak_trim, NULL));
        pid_t child = fork();
        if (child == 0) use_sizes_up_to(100000, 4), _exit(0);
        int status;
        CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    }
    return entry->block_size > 500 && *(int *)arg == 0;
}
static int jump(const struct hak_heap_class *entry, void *arg) { longjmp(out, 5); }

static int sees(const struct hak_heap_class *entry, void *size) {
    if (entry->block_size != *(uint64_t *)size) return 0;
    *(uint64_t *)size = entry->resident_bytes;
    return 1;
}
static uint64_t resident(uint64_t size) {
    hak_heap_walk(sees, &size);
    return size;
}

int main(void) {
    static void *blocks[2000];
    int depth = 0;
    for (size_t i = 0; i < COUNT(blocks); i++) CHECK(blocks[i] = malloc(16384));
    CHECK(hak_heap_walk(work, &depth) == 1);
    for (int i = 0; i < 3; i++) {
        int jumped = setjmp(out);
        if (jumped == 0) hak_heap_walk(jump, NULL);
        CHECK(jumped == 5);
    }
    uint64_t untouched = resident(16384);
    CHECK(untouched < 8 * MIB); // of 32 MiB
    for (size_t i = 0; i < COUNT(blocks); i++) memset(blocks[i], 1, 16384);
    uint64_t touched = resident(16384);
    CHECK(touched >= COUNT(blocks) * 16384 && touched < 40 * MIB);
    for (size_t i = 0; i < COUNT(blocks); i++) if (i % 8) free(blocks[i]);
    hak_trim();
    CHECK(resident(16384) < touched / 4);
    struct hak_stats stats;
    CHECK(hak_stats_get(&stats, sizeof stats) == 0 && stats.span_absent_bytes > touched / 2 && stats.resident_bytes < touched / 2);
    for (size_t i = 0; i < COUNT(blocks); i += 8) free(blocks[i]);
    return 0;
}
