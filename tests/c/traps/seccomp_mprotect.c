// With mprotect refused as well as madvise and mremap, once the program runs, one thread can still allocate all sizes.
// (hardened_malloc, Scudo, hz8 and snmalloc -checks die.)
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static void refuse(void) {
#define DENY(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        DENY(__NR_madvise), DENY(__NR_mremap), DENY(__NR_mprotect),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT(filter), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) SKIP("seccomp is not permitted");
}

int main(void) {
    refuse();
    for (int i = 0; i < 5; i++) use_all_sizes((unsigned)i);
    static unsigned char *blocks[30000];
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT(blocks); i++) {
            CHECK(blocks[i] = malloc(i / 3));
            stamp(blocks[i], i / 3, (unsigned)i);
        }
        for (size_t i = 0; i < COUNT(blocks); i++) {
            CHECK(stamped(blocks[i], i / 3, (unsigned)i));
            free(blocks[i]);
        }
        malloc_trim(0);
    }
    unsigned char *p = NULL;
    for (size_t n = MIB; n <= 64 * MIB; n *= 2) {
        CHECK(p = realloc(p, n));
        stamp(p, n, 1);
    }
    free(p);
    return 0;
}
