// With HAKMEM_NAMES=1 mappings get names: blocks, large, records; each is given to what is mapped, and once. By default none is asked for.
// A filter plays the kernel: the one that runs here may not know names.
// run: env HAKMEM_NAMES=1 $RUN named && env -u HAKMEM_NAMES $RUN none && env HAKMEM_NAMES=0 $RUN none
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

// What becomes of prctl(PR_SET_VMA, …).
static void filter(unsigned action) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_prctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_VMA, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT(filter), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) SKIP("seccomp is not permitted");
}

static struct { size_t at, length; const char *name; } seen[4096];
static size_t count;

static void look(int number, siginfo_t *info, void *context) {
    (void)number, (void)info;
#ifdef __x86_64__
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    size_t at = (size_t)r[REG_RDX], length = (size_t)r[REG_R10], name = (size_t)r[REG_R8];
    r[REG_RAX] = 0;
#else
    unsigned long long *r = ((ucontext_t *)context)->uc_mcontext.regs;
    size_t at = r[2], length = r[3], name = r[4];
    r[0] = 0;
#endif
    if (count < COUNT(seen)) seen[count].at = at, seen[count].length = length, seen[count].name = (const char *)name, count++;
}

static size_t bytes_of(const char *name) {
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += strcmp(seen[i].name, name) == 0 ? seen[i].length : 0;
    return sum;
}

int main(int argc, char **argv) {
    int named = argc > 1 && strcmp(argv[1], "named") == 0;
    if (argc < 3) {
        filter(named ? SECCOMP_RET_ERRNO : SECCOMP_RET_KILL_PROCESS);
        execl("/proc/self/exe", argv[0], argc > 1 ? argv[1] : "none", "again", (char *)NULL); // from the first instruction on
        CHECK(!"exec");
    }
    if (named) {
        struct sigaction action = {.sa_sigaction = look, .sa_flags = SA_SIGINFO | SA_NODEFER};
        CHECK(sigaction(SIGSYS, &action, NULL) == 0);
        filter(SECCOMP_RET_TRAP);
    }
    static void *blocks[400], *large[8];
    for (size_t i = 0; i < COUNT(blocks); i++) CHECK(blocks[i] = malloc(60000));
    for (size_t i = 0; i < COUNT(large); i++) CHECK(large[i] = malloc(5 * MIB));
    static void *many[300000];
    for (size_t i = 0; i < COUNT(many); i++) CHECK(many[i] = malloc(100));
    if (!named) return 0;
    size_t in_blocks = bytes_of("hakmem: blocks"), in_large = bytes_of("hakmem: large"), in_records = bytes_of("hakmem: records");
    NOTE("%zu mappings named: %zu MiB of blocks, %zu of large ones, %zu KiB of records", count, in_blocks >> 20, in_large >> 20, in_records >> 10);
    CHECK(count < COUNT(seen) && in_blocks >= 40 * MIB && in_large >= 40 * MIB && in_records >= 64 << 10);
    CHECK(count <= 200); // one for each mapping, and a SuperSlab is 2 MiB
    unsigned char resident[1];
    for (size_t i = 0; i < count; i++) CHECK(mincore((void *)seen[i].at, 1, resident) == 0); // mapped
    return 0;
}
