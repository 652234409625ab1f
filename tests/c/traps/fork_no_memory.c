// While a thread forks, another asks for memory when the kernel has no more to give (RLIMIT_AS): it gets what lies idle once the fork is over, not null
// env: HAKMEM_DECAY_MS=-1
#include "check.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { IDLE = 64 };
static const size_t sizes[] = {116, 5000, 40000, 300000};
static ATOMIC(int) forks, served, asked;

static void *ask(void *unused) {
    while (!forks) sleep_ms(1);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        unsigned char *block = malloc(sizes[i]);
        if (!i) asked = 1; // the first that had to wait; the others come at any time
        CHECK(block);
        memset(block, 1, sizes[i]);
        CHECK(malloc_usable_size(block) >= sizes[i]);
        free(block);
        served++;
    }
    return unused;
}

// Runs after the library's own handler: till it is done nothing that lies idle can be had. Longer than anybody waits in the hope that it is done.
static void prepare(void) {
    forks = 1;
    sleep_ms(60);
    CHECK(!asked);
}
static void early(int n, char **arg, char **vars) {
    (void)n, (void)arg, (void)vars;
    pthread_atfork(prepare, NULL, NULL);
}
__attribute__((section(".preinit_array"), used)) static void (*const early_entry)(int, char **, char **) = early;

int main(void) {
    static void *idle[IDLE];
    for (int i = 0; i < IDLE; i++) memset(idle[i] = malloc(100000), 1, 100000);
    for (int i = 0; i < IDLE; i++) free(idle[i]);
    pthread_t thread = start_thread(ask, NULL);
    sleep_ms(20);
    struct rlimit as = {(rlim_t)status_kb("VmSize:") << 10, RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_AS, &as) == 0);
    CHECK(mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    pid_t child = fork();
    CHECK(child >= 0);
    if (!child) _exit(0);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(served == COUNT(sizes));
    return 0;
}
