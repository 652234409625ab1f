// HAKMEM_HARD_LIMIT where the kernel refuses to move mappings (mremap): each growth is copied, and a thousand of them leave nothing
// charged: what the limit allows can still be had at the end.
// env: HAKMEM_HARD_LIMIT=64M
// cflags: -O1
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define WORD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
int main(void) {
    // No room to grow in place (flags 0), and no move.
    struct sock_filter filter[] = {
        WORD(nr),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mremap, 0, 3),
        WORD(args[3]),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOMEM),
    };
    struct sock_fprog program = {COUNT(filter), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        SKIP("no seccomp filter: %s", strerror(errno));
    for (int i = 0; i < 1000; i++) {
        char *p = malloc(8 * MIB);
        CHECK(p);
        stamp(p, 8 * MIB, 1);
        CHECK((p = realloc(p, 12 * MIB)) && stamped_up_to(p, 8 * MIB, 1, 8 * MIB));
        free(p);
        if (i % 8 == 0) malloc_trim(0);
    }
    void *all = malloc(50 * MIB);
    CHECK(all);
    free(all);
    return 0;
}
