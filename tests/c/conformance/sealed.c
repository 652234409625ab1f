// Once the library has started, what it calls or trusts lies in a page that nobody can write to: canaries' keys, functions, the switches that
// are read once. The others can still be set, and all works that looks at it. Where mprotect is refused it is as it was: all works.
// cflags: -Wl,-z,norelro
#include "check.h"
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

// The page behind what is the library's file: among its zeroes, and read-only. NULL: there is none. Another file may begin where they end.
static char *sealed_page(void) {
    char *found = NULL;
    unsigned long low, high, end = 0;
    char line[512], how[5];
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps);
    while (fgets(line, sizeof line, maps)) {
        CHECK(sscanf(line, "%lx-%lx %4s", &low, &high, how) == 3);
        if (strstr(line, "libhakmem")) {
            end = high;
        } else if (low == end && !strchr(line, '/') && !strstr(line, "[v")) {
            if (strcmp(how, "r--p") == 0) {
                CHECK(!found && high - low <= 65536);
                found = (char *)low;
            }
            end = high;
        }
    }
    fclose(maps);
    return found;
}

static int dies_of_a_write(char *at) {
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        *(volatile char *)at = 1;
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static void use_it(const char *library_name) {
    for (int i = 0; i < 3; i++) use_all_sizes((unsigned)i);
    int (*set)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_DEFAULT, "hak_option_set");
    int (*get)(const char *, char *, size_t) = (int (*)(const char *, char *, size_t))dlsym(RTLD_DEFAULT, "hak_option_get");
    char value[32];
    CHECK(set && get && set("HAKMEM_DECAY_MS", "7") == 0 && get("HAKMEM_DECAY_MS", value, sizeof value) >= 0);
    CHECK(strcmp(value, "7") == 0 && set("HAKMEM_DECAY_MS", "1000") == 0 && set("HAKMEM_QUARANTINE", "1") != 0);
    CHECK(get("HAKMEM_QUARANTINE", value, sizeof value) >= 0 && strcmp(value, "262144") == 0);
    CHECK(mallopt(M_TRIM_THRESHOLD, 1 << 20) == 1);
    void *library = dlopen(library_name, RTLD_NOW);
    CHECK(library && dlsym(library, "strtol"));
}

int main(int argc, char **argv) {
    if (argc > 1) {
        CHECK(!sealed_page());
        use_it("libc.so.6"); // loaded already
        return 0;
    }
    char *page = sealed_page();
    int filled = 0;
    CHECK(page);
    for (int i = 0; i < 4096; i++) filled += page[i] != 0;
    CHECK(filled >= 60); // keys, and functions
    CHECK(dies_of_a_write(page) && dies_of_a_write(page + 4095));
    use_it("libresolv.so.2");

    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mprotect, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4096, 0, 1), // the loader's own are of more pages
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT(filter), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) SKIP("seccomp is not permitted");
    // Where the library's own read-only part is one page too the loader gives up (127): then that can't be shown.
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        execl("/proc/self/exe", argv[0], "refused", NULL);
        _exit(126);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 127);
    return 0;
}
