// With HAKMEM_HARDENED=light the pages of a freed large block serve the next one: elsewhere, so that using the freed one faults whatever came since, and cleared.
// Two threads; few faults; what waits goes back to the kernel.
// env: HAKMEM_HARDENED=light HAKMEM_GUARD_RATE=0 HAKMEM_BACKGROUND=0
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>

enum { ROUNDS = 300, LIVE = 8 };
static __thread sigjmp_buf back;
static int alone = 1; // else the other thread may free as many blocks meanwhile as hold a freed one's addresses back

static void on_fault(int signal) { siglongjmp(back, signal); }

static int faults(volatile char *p) { // whether a read of it is a fault
    if (sigsetjmp(back, 1)) return 1;
    (void)*p;
    return 0;
}

static int is_zero(const char *p, size_t size) {
    return p[0] == 0 && memcmp(p, p + 1, size - 1) == 0;
}

static void *work(void *seed) {
    unsigned random = (unsigned)(uintptr_t)seed;
    char *live[LIVE] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        char **slot = &live[rand_r(&random) % LIVE], *old = *slot;
        size_t size = 300000 + (size_t)rand_r(&random) % 1000000;
        free(old);
        CHECK(!alone || !old || (faults(old) && faults(old + 250000)));
        CHECK(*slot = malloc(size));
        CHECK(is_zero(*slot, size) && faults(*slot + size + 4096) && (!alone || !old || faults(old)));
        memset(*slot, 0xA5, round % 3 ? size : size / 2);
        if (round % 50 == 0) CHECK(*slot = realloc(*slot, 2 * size));
    }
    for (int i = 0; i < LIVE; i++) free(live[i]);
    return NULL;
}

int main(void) {
    struct rusage before, after;
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    work((void *)1);
    getrusage(RUSAGE_SELF, &before);
    alone = 0;
    pthread_t other = start_thread(work, (void *)2);
    work((void *)3);
    join_thread(other);
    getrusage(RUSAGE_SELF, &after);
    long pages = 2L * ROUNDS * 800000 / sysconf(_SC_PAGESIZE);
    CHECK(after.ru_minflt - before.ru_minflt < pages / 2);
    long resident = status_kb("VmRSS:");
    malloc_trim(0);
    CHECK(status_kb("VmRSS:") < resident - 2000);
    return 0;
}
