// Hardened, what uses a block of an arena that was destroyed faults, whatever is made since then: of a small block, one of many granules, and a large one;
// its free is reported as ever. They are held back within bounds: a thousand arenas more, and it is memory like any other.
// hakmem
// env: HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: free: not a block of this allocator, or free already \(0x[0-9a-f]+\)$
#include "check.h"
#include <hakmem.h>
#include <sys/wait.h>

static hak_arena *fill(hak_arena *arena, size_t size, int blocks, volatile char **last) {
    CHECK(arena);
    for (int i = 0; i < blocks; i++) CHECK((*last = hak_arena_malloc(arena, size))), **last = 1;
    return arena;
}

static int faults(volatile char *at, int writes) {
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) _exit(writes ? *at = 1 : *at);
    CHECK(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

int main(void) {
    static const size_t sizes[] = {16, 100, 5000, 60000, 900000, 3 * MIB};
    volatile char *gone[COUNT(sizes)], *other;
    struct hak_arena_options options = {.size = sizeof options, .flags = HAK_ARENA_SHARED};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        hak_arena_destroy(fill(hak_arena_new(i % 2 ? &options : NULL), sizes[i], 3, &gone[i]));
        fill(hak_arena_new(NULL), sizes[i], 200, &other);
        for (int n = 0; n < 200; n++) CHECK((other = malloc(sizes[i]))), *other = 1;
    }
    for (size_t i = 0; i < COUNT(sizes); i++) CHECK(faults(gone[i], 0) && faults(gone[i], 1));
    struct hak_stats before, after;
    CHECK(hak_stats_get(&before, sizeof before) == 0);
    for (int n = 0; n < 1000; n++) hak_arena_destroy(fill(hak_arena_new(NULL), sizes[n % 4], 30, &other));
    CHECK(hak_stats_get(&after, sizeof after) == 0 && after.mapped_bytes < before.mapped_bytes + 64 * MIB);
    hak_trim();
    CHECK(hak_stats_get(&after, sizeof after) == 0 && after.slots_active < before.slots_active + 8);
    free((void *)gone[1]);
    CHECK(!"a free after the end that nobody noticed");
}
