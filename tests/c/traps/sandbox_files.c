// A process that a filter kills for opening a file, and for starting a thread, lives: by default the allocator does neither.
// With HAKMEM_PRESSURE=always it reads the kernel's files, leaves none open, keeps errno, and does without where they are
// refused; so it does in a chroot without /proc and /sys, and the background thread where it can't be started or look.
// run: $RUN kill && env HAKMEM_PRESSURE=always $RUN refuse && env HAKMEM_PRESSURE=always $RUN chroot && env HAKMEM_BACKGROUND=1 $RUN refuse && env HAKMEM_BACKGROUND=1 $RUN chroot && env HAKMEM_BACKGROUND=1 HAKMEM_PRESSURE=never $RUN refuse
// env: HAKMEM_DECAY_MS=40
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static void filter(unsigned what) {
#define ON(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, what)
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ON(__NR_open), ON(__NR_openat), ON(__NR_close_range), ON(__NR_clone), ON(__NR_clone3), ON(__NR_prctl),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT(filter), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) SKIP("seccomp is not permitted");
}

static void *blocks[100000];

int main(int argc, char **argv) {
    CHECK(argc > 1);
    for (int fd = 3; fd < 20; fd++) close(fd);
    if (argv[1][0] == 'k') filter(SECCOMP_RET_KILL_PROCESS);
    if (argv[1][0] == 'r') filter(SECCOMP_RET_ERRNO | EPERM);
    if (argv[1][0] == 'c') {
        if (chroot("/proc/self/fdinfo") != 0 || chdir("/") != 0) SKIP("chroot is not permitted");
        CHECK(open("/proc/self/status", O_RDONLY) < 0);
    }
    for (int round = 0; round < 6; round++) {
        for (size_t i = 0; i < COUNT(blocks); i++) {
            errno = 1234;
            CHECK(blocks[i] = malloc(i % 4000));
            CHECK(errno == 1234);
        }
        for (size_t i = 0; i < COUNT(blocks); i++) {
            free(blocks[i]);
            CHECK(errno == 1234);
        }
        sleep_ms(25);
    }
    for (int fd = 3; fd < 20; fd++) CHECK(fcntl(fd, F_GETFD) == -1);
    return 0;
}
