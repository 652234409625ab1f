// Blocks above 1 MiB that are made and freed again and again keep their pages. What waits for its thread is free all the same: a trim
// takes it, other threads get it before new addresses are mapped, a child of fork has it, and nothing is handed out twice.
// run: $RUN && env HAKMEM_BACKGROUND=1 $RUN && env HAKMEM_DECAY_MS=0 $RUN none && (ulimit -v 400000; $RUN)
// cflags: -O1
#include "check.h"
#include <sys/resource.h>
#include <sys/wait.h>

enum { THREADS = 8, ROUNDS = 20000 };

static long faults(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt;
}

static long at_first;

static long idle_mb(void) {
    return rss_mb() - at_first;
}

static void pairs(size_t bytes, int rounds) {
    for (int i = 0; i < rounds; i++) {
        char *p = malloc(bytes);
        CHECK(p && malloc_usable_size(p) >= bytes);
        for (size_t at = 0; at < bytes; at += 4096) p[at] = (char)i;
        free(p);
    }
}

// Blocks go round: made by one, freed by whoever finds them.
static ATOMIC(size_t *) slots[16];

static void *swap(void *seed) {
    Random r = {(uint64_t)(uintptr_t)seed};
    for (int i = 0; i < ROUNDS; i++) {
        size_t bytes = random_between(&r, 17, 24) * 64 * KIB, *p = malloc(bytes);
        CHECK(p);
        p[0] = bytes, p[bytes / sizeof *p - 1] = (size_t)p;
        p = atomic_exchange(&slots[random_between(&r, 0, COUNT(slots) - 1)], p);
        if (!p) continue;
        CHECK(p[p[0] / sizeof *p - 1] == (size_t)p); // had by two, one of them would have written here
        free(p);
    }
    return NULL;
}

static void *make(void *bytes) {
    pairs((size_t)bytes, 10);
    return NULL;
}

static void run(pthread_t *thread, void *(*body)(void *), size_t argument) {
    CHECK(pthread_create(thread, NULL, body, (void *)argument) == 0);
}

int main(int argc, char **argv) {
    int none = argc > 1;
    at_first = rss_mb();
    pairs(2 * MIB, 100);
    long before = faults();
    pairs(2 * MIB, 2000);
    NOTE("%ld faults in 2000 pairs of 2 MiB", faults() - before);
    struct rlimit addresses;
    CHECK(getrlimit(RLIMIT_AS, &addresses) == 0);
    int closed = is_full() || (is_hardened() && addresses.rlim_cur != RLIM_INFINITY); // what is freed keeps no pages then
    CHECK(none || closed || faults() - before < 64);

    pairs(20 * MIB, 20);
    NOTE("%ld MiB wait", idle_mb());
    CHECK(none ? idle_mb() < 2 : closed || idle_mb() >= 18);
    malloc_trim(0);
    CHECK(idle_mb() < 2);

    pthread_t threads[THREADS];
    long mapped = status_kb("VmSize:");
    for (int i = 0; i < 200; i++) run(threads, make, 3 * MIB), CHECK(pthread_join(threads[0], NULL) == 0);
    NOTE("%ld KiB of addresses for 200 threads in turn", status_kb("VmSize:") - mapped);
    CHECK(status_kb("VmSize:") - mapped < 100 << 10); // a stack of 8 MiB, libc's arena of addresses

    for (size_t i = 0; i < THREADS; i++) run(&threads[i], swap, i + 1);
    // Children in the midst of it: what waits is there for them too, and all counts are right.
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            pairs(2 * MIB, 20);
            pairs(20 * 64 * KIB, 20);
            malloc_trim(0);
            CHECK(idle_mb() < 8);
            _exit(0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    for (size_t i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    for (size_t i = 0; i < COUNT(slots); i++) free(atomic_exchange(&slots[i], NULL));
    malloc_trim(0);
    NOTE("%ld MiB idle after a trim", idle_mb());
    CHECK(idle_mb() < 4);
    return 0;
}
