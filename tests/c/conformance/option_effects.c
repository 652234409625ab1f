// Options that nothing else looks at do what their line in the table says: HAKMEM_TRIM_THRESHOLD, HAKMEM_PURGE_BATCH, HAKMEM_TINY_HEAP_V2_STATS.
// env: HAKMEM_GUARD_RATE=0
// run: env HAKMEM_TRIM_THRESHOLD=1G HAKMEM_DECAY_MS=50 $RUN stays && env HAKMEM_TRIM_THRESHOLD=1 $RUN goes && env HAKMEM_PURGE_BATCH=1 $RUN batch && env HAKMEM_PURGE_BATCH=0 $RUN single && $RUN stats
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { BLOCKS = 120000 }; // of 500 bytes
static char *blocks[BLOCKS];

static void fill_and_free(void) {
    for (size_t i = 0; i < BLOCKS; i++) CHECK((blocks[i] = malloc(500))), memset(blocks[i], 1, 500);
    // Every tenth page keeps a block: what is free between them is many ranges.
    for (size_t i = 0; i < BLOCKS; i++)
        if (i % 80) free(blocks[i]);
}

static void trim(bool stays) {
    long before = rss_mb();
    fill_and_free();
    for (size_t i = 0; i < BLOCKS; i += 80) free(blocks[i]);
    // So that somebody looks at the clock.
    for (int passed = 0; passed < 300; passed += 10) {
        for (int i = 0; i < 100; i++) free(launder(malloc(2 * MIB)));
        sleep_ms(10);
    }
    NOTE("%ld MB of 60 stay", rss_mb() - before);
    CHECK(stays ? rss_mb() - before > 40 : rss_mb() - before < 15);
}

static volatile sig_atomic_t batches;
static void on_refused(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    if (info->si_syscall == __NR_process_madvise) batches++;
}

static void batch(bool together) {
    struct sigaction action = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGSYS, &action, NULL) == 0);
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_process_madvise, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT(filter), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) SKIP("seccomp is not permitted");
    long before = rss_mb();
    fill_and_free();
    CHECK(malloc_trim(0) == 1);
    NOTE("%d calls for many ranges, %ld MB of 60 stay", (int)batches, rss_mb() - before);
    // It is refused here, and what it was to do is done one by one.
    CHECK((batches > 0) == together && rss_mb() - before < 30);
}

static void stats(void) {
    char *const child[] = {"/proc/self/exe", "nothing", NULL};
    int ends[2], status;
    char said[4096] = "";
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) dup2(ends[1], 2), setenv("HAKMEM_TINY_HEAP_V2_STATS", "1", 1), execv(child[0], child), _exit(127);
    close(ends[1]);
    for (ssize_t got, len = 0; (got = read(ends[0], said + len, sizeof said - 1 - len)) > 0;) len += got, said[len] = 0;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(strstr(said, "hakmem: T-HEAP by class") && strstr(said, "refills"));
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    if (!strcmp(argv[1], "stats")) stats();
    else if (!strcmp(argv[1], "batch") || !strcmp(argv[1], "single")) batch(*argv[1] == 'b');
    else if (strcmp(argv[1], "nothing")) trim(!strcmp(argv[1], "stays"));
    return 0;
}
