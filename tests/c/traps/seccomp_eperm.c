// With madvise, mremap, prctl, getrandom, membarrier and mbind all refused with EPERM from the program's first instruction,
// everything works: all sizes, threads, growing and shrinking, trim, zeroed memory, fork. (hz8 dies.)
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void refuse(void) {
#define DENY(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        DENY(__NR_madvise), DENY(__NR_mremap), DENY(__NR_prctl), DENY(__NR_getrandom), DENY(__NR_membarrier), DENY(__NR_mbind),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT(filter), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) SKIP("seccomp is not permitted");
}

static void *work(void *seed) {
    for (int i = 0; i < 5; i++) use_all_sizes((unsigned)(uintptr_t)seed);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc == 1) {
        refuse();
        execl("/proc/self/exe", argv[0], "again", (char *)NULL); // start-up happens under the filter as well
        CHECK(!"exec");
    }
    CHECK(prctl(PR_GET_DUMPABLE) == -1 && errno == EPERM);
    pthread_t threads[4];
    for (uintptr_t i = 0; i < COUNT(threads); i++) threads[i] = start_thread(work, (void *)i);
    for (size_t i = 0; i < COUNT(threads); i++) join_thread(threads[i]);
    unsigned char *p = NULL;
    for (size_t n = MIB; n <= 64 * MIB; n *= 2) {
        CHECK(p = realloc(p, n));
        stamp(p, n, 1);
        CHECK(p = realloc(p, n + 100000));
        CHECK(stamped(p, n, 1));
    }
    CHECK(p = realloc(p, 100000));
    free(p);
    static unsigned char *blocks[4000];
    for (int round = 0; round < 3; round++) { // memory that could not be purged is not zero by itself
        for (size_t i = 0; i < COUNT(blocks); i++) memset(blocks[i] = malloc(10000), 0xEE, 10000);
        for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
        malloc_trim(0);
        for (size_t n = 100; n < 10 * MIB; n *= 3) {
            CHECK(p = calloc(1, n));
            CHECK(all_bytes_are(p, n, 0));
            memset(p, 0xEE, n);
            free(p);
        }
    }
    pid_t child = fork();
    if (child == 0) use_all_sizes(3), _exit(0);
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    return 0;
}
