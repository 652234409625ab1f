// What succeeds leaves errno alone, whatever the kernel refuses on the way: malloc, calloc, realloc (in place, moved, cut), the
// aligned forms, free and trim, at every size, with growing and purging refused by ENOMEM, EPERM and EINVAL in turn.
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { MINE = 4321 };
#define KEEPS(e) (errno = MINE, (e) ? (void)0 : check_failed(__FILE__, __LINE__, #e, errno), CHECK(errno == MINE))

static void refuse(int why) {
#define DENY(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)why)
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        DENY(__NR_madvise), DENY(__NR_mremap), DENY(__NR_process_madvise), DENY(__NR_prctl), DENY(__NR_getrandom),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT(filter), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) SKIP("seccomp is not permitted");
}

static void every_size(void) {
    void *blocks[COUNT(all_sizes)];
    for (size_t i = 0; i < COUNT(all_sizes); i++) {
        size_t n = all_sizes[i];
        void *p, *q;
        KEEPS(p = malloc(n));
        KEEPS(q = calloc(3, n));
        KEEPS(p = realloc(p, n * 3 + 1));
        KEEPS(p = realloc(p, n + 1));
        KEEPS(p = reallocarray(p, 2, n + 1));
        KEEPS((free(p), free(q), 1));
        for (size_t align = 16; align <= 8 * MIB; align *= 8) {
            KEEPS(p = memalign(align, n));
            KEEPS((free(p), 1));
            KEEPS((p = aligned_alloc(align, n)) != NULL);
            KEEPS(posix_memalign(&q, align, n) == 0);
            KEEPS((free(p), free(q), 1));
        }
        KEEPS(blocks[i] = malloc(n));
    }
    for (size_t i = 0; i < COUNT(all_sizes); i++) KEEPS((free(blocks[i]), 1));
    KEEPS((malloc_trim(0), 1));
}

// The classic loop: errno = 0 before it, a growing array in it, something behind that array, errno looked at after it.
static void grow(void) {
    void *behind[64];
    size_t pins = 0;
    void *p = NULL;
    for (size_t n = 1000; n < 64 * MIB; n += n / 3) {
        KEEPS(p = realloc(p, n));
        if (pins < COUNT(behind)) KEEPS(behind[pins++] = malloc(n / 3 + 70000));
    }
    for (size_t n = 48 * MIB; n > 1000; n -= n / 3) KEEPS(p = realloc(p, n));
    free(p);
    while (pins) KEEPS((free(behind[--pins]), 1));
}

static void *work(void *unused) {
    every_size();
    grow();
    return NULL;
}

int main(void) {
    static const int reasons[] = {ENOMEM, EPERM, EINVAL};
    work(NULL);
    for (size_t i = 0; i < COUNT(reasons); i++) {
        pid_t child = fork();
        if (child == 0) {
            refuse(reasons[i]);
            work(NULL);
            join_thread(start_thread(work, NULL));
            _exit(0);
        }
        int status;
        CHECK(child > 0 && waitpid(child, &status, 0) == child);
        if (status >> 8 == 77) SKIP("seccomp is not permitted");
        CHECK(status == 0);
    }
    return 0;
}
