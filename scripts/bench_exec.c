// bench_exec RESULT [NAME=VALUE...] COMMAND...: runs COMMAND with these variables set and writes what it
// cost to the file RESULT: "wall_ns cpu_user_us cpu_system_us peak_rss_kib faults", the whole tree's, the
// peak that of its largest process. Exits as COMMAND did, 128 + n after signal n.
//
// Not Python's own wait4: ru_maxrss survives exec, so a process forked from a fat interpreter never
// counts less than the interpreter did. This one is small.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long microseconds(struct timeval t) { return t.tv_sec * 1000000ll + t.tv_usec; }

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int fail(const char *what)
{
    fprintf(stderr, "bench_exec: %s: %s\n", what, strerror(errno));
    return 125;
}

int main(int argc, char **argv)
{
    int at = 2;
    while (at < argc && strchr(argv[at], '='))
        at++;
    if (at >= argc) {
        fprintf(stderr, "usage: bench_exec RESULT [NAME=VALUE...] COMMAND...\n");
        return 2;
    }
    long long begin = now();
    pid_t child = fork();
    if (child < 0)
        return fail("fork");
    if (child == 0) {
        for (int i = 2; i < at; i++)
            putenv(argv[i]);
        execvp(argv[at], argv + at);
        _exit(fail(argv[at]));
    }
    int status;
    struct rusage usage;
    while (wait4(child, &status, 0, &usage) < 0) {
        if (errno != EINTR)
            return fail("wait4");
    }
    long long wall = now() - begin;
    FILE *result = fopen(argv[1], "w");
    if (!result)
        return fail(argv[1]);
    fprintf(result, "%lld %lld %lld %ld %ld\n", wall, microseconds(usage.ru_utime), microseconds(usage.ru_stime),
        usage.ru_maxrss, usage.ru_minflt + usage.ru_majflt);
    if (fclose(result))
        return fail(argv[1]);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
