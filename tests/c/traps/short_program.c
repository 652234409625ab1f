// A program that hardly allocates starts with few page faults more than on libc's malloc: a build and a shell script start thousands of them.
#include "check.h"
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

// Of 15 runs of this program as `what`, the median: where the kernel maps things, and with that how many faults map them, is chance.
static long faults(char *self, char *what, char **env) {
    long seen[15];
    for (int run = 0; run < 15; run++) {
        pid_t child;
        int status;
        struct rusage usage;
        CHECK(posix_spawn(&child, self, NULL, NULL, (char *[]){self, what, NULL}, env) == 0);
        CHECK(wait4(child, &status, 0, &usage) == child && status == 0);
        int at = run;
        for (; at > 0 && seen[at - 1] > usage.ru_minflt; at--) seen[at] = seen[at - 1];
        seen[at] = usage.ru_minflt;
    }
    return seen[7];
}

int main(int argc, char **argv) {
    if (argc > 1) {
        for (size_t size = 24; strcmp(argv[1], "ten") == 0 && size < 24 << 10; size *= 2) memset(malloc(size), 1, size);
        return 0;
    }
    if (sysconf(_SC_PAGESIZE) != 4096) SKIP("other pages");
    char *with[256], *without[256];
    size_t all = 0, others = 0;
    for (char **at = environ; *at && all < COUNT(with) - 1; at++) {
        if (strncmp(*at, "HAKMEM_", 7) == 0) continue; // what reads options is not among what every process runs
        with[all++] = *at;
        if (strncmp(*at, "LD_PRELOAD=", 11) != 0) without[others++] = *at;
    }
    with[all] = without[others] = NULL;
    if (all == others) SKIP("not preloaded");
    long nothing = faults(argv[0], "nothing", with) - faults(argv[0], "nothing", without);
    long ten = faults(argv[0], "ten", with) - faults(argv[0], "ten", without);
    put_line(1, "note: %ld, with ten sizes %ld", nothing, ten);
    CHECK(nothing <= 13 && ten <= 39);
    return 0;
}
