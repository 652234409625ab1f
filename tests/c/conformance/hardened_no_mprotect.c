// With HAKMEM_HARDENED=1 and HAKMEM_GUARD_RATE a program that is killed for mprotect lives: pages are opened by mmap.
// env: HAKMEM_HARDENED=1 HAKMEM_GUARD_RATE=2
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

int main(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mprotect, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT(filter), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) SKIP("seccomp is not permitted");
    for (int i = 0; i < 3; i++) use_all_sizes((unsigned)i);
    char *p = malloc(100000);
    for (size_t size = 100000; size < 8 * MIB; size += size / 20) {
        CHECK(p = realloc(p, size));
        memset(p, 1, size);
    }
    free(p);
    return 0;
}
