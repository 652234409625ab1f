// Once the program runs, the allocator needs mmap, munmap, madvise, mremap and futex, and write to report misuse. With all
// else but exit and rt_sigreturn punished by death, four threads and main still allocate, resize, exchange and trim.
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int permit_few(void) {
#define PERMIT(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        PERMIT(__NR_mmap), PERMIT(__NR_munmap), PERMIT(__NR_madvise), PERMIT(__NR_mremap), PERMIT(__NR_futex),
        PERMIT(__NR_write), PERMIT(__NR_exit), PERMIT(__NR_exit_group), PERMIT(__NR_rt_sigreturn),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {COUNT(filter), filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

static pthread_barrier_t barrier;
static void *handed[4][3000];

static void *work(void *number) {
    size_t me = (size_t)number;
    free(malloc(100));
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier); // under the filter from here on
    for (unsigned round = 0; round < 5; round++) {
        use_all_sizes((unsigned)me);
        for (size_t i = 0; i < COUNT(handed[0]); i++) {
            CHECK(handed[me][i] = malloc(i * 7));
            stamp(handed[me][i], i * 7, (unsigned)i);
        }
        pthread_barrier_wait(&barrier);
        void **theirs = handed[(me + 1) % COUNT(handed)];
        for (size_t i = 0; i < COUNT(handed[0]); i++) {
            CHECK(stamped(theirs[i], i * 7, (unsigned)i));
            free(theirs[i]);
        }
        malloc_trim(0);
        pthread_barrier_wait(&barrier);
    }
    pthread_barrier_wait(&barrier);
    for (;;) pthread_barrier_wait(&barrier);
    return NULL;
}

int main(void) {
    pid_t child = fork(); // does the filter bite?
    if (child == 0) {
        if (!permit_few()) _exit(77);
        syscall(SYS_getppid);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status)) SKIP("seccomp is not permitted");
    CHECK(pthread_barrier_init(&barrier, NULL, COUNT(handed) + 1) == 0);
    for (size_t i = 0; i < COUNT(handed); i++) start_thread(work, (void *)i);
    pthread_barrier_wait(&barrier);
    CHECK(permit_few());
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 11; i++) pthread_barrier_wait(&barrier); // meanwhile: nothing
    void *p = malloc(1);
    for (size_t n = 1; n <= 64 * MIB; n *= 3) {
        CHECK(p = realloc(p, n));
        stamp(p, n, 1);
    }
    free(p);
    static void *many[20000]; // so many records need memory of their own
    for (size_t i = 0; i < COUNT(many); i++) CHECK(many[i] = malloc(70000));
    for (size_t i = 0; i < COUNT(many); i++) free(many[i]);
    malloc_trim(0);
    _exit(0);
}
