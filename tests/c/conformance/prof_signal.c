// HAKMEM_PROF_SIGNAL: the first signal starts the profiler, the next writes a profile and stops it; with HAKMEM_PROF=1 each writes one. No file comes
// from the handler, errno is kept, a child of fork is not asked, and one signal may ask for the statistics too.
// hakmem
// stderr: any
// env: HAKMEM_PROF_SIGNAL=USR2 HAKMEM_PROF_RATE=4096
// run: command -v python3 >/dev/null || { echo "there is no python3"; exit 77; }; export HAKMEM_PROF_FILE=%n.pb; $RUN >said && python3 $here/pprof.py 1.pb <said >out || { cat out; exit 1; }; [ -e 2.pb ] && ! [ -e 3.pb ] && rm ?.pb && HAKMEM_PROF=1 $RUN always && [ -e 3.pb ] && ! [ -e 4.pb ] && rm ?.pb && HAKMEM_STATS=text:stats HAKMEM_STATS_SIGNAL=USR2 $RUN >said && [ -s stats ] && [ -e 2.pb ]
#include "check.h"
#include <hakmem.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SITE(name, result, ...) \
    extern char __start_at_##name[], __stop_at_##name[]; \
    __attribute__((noinline, section("at_" #name))) static result name(__VA_ARGS__)
#define SAY(name, size, allocated, live) \
    printf(#name " %zx %zx %zu %zu %zu\n", (size_t)__start_at_##name, (size_t)__stop_at_##name, (size_t)(size), (size_t)(allocated), (size_t)(live))

enum { BLOCKS = 300 };
static void *kept[3][BLOCKS];
static volatile int never;
#define FILL(row) \
    for (int i = 0; i < BLOCKS; i++) CHECK((kept[row][i] = malloc(30000)) || never)
SITE(before, void, void) { FILL(0); }
SITE(during, void, void) { FILL(1); }
SITE(after, void, void) { FILL(2); }

static int exists(const char *path) {
    struct stat stat;
    return lstat(path, &stat) == 0;
}
static void *some(void *unused) {
    void *blocks[20];
    for (int i = 0; i < 20; i++) CHECK((blocks[i] = malloc(300000)));
    for (int i = 0; i < 20; i++) free(blocks[i]);
    return unused;
}

int main(int argc, char **argv) {
    int always = argc > 1;
    some(NULL);
    before();
    CHECK(raise(SIGUSR2) == 0);
    pid_t child = fork();
    if (child == 0) {
        some(NULL);
        _exit(hak_prof_dump("child.pb") != (always ? 0 : ENODATA) && !exists("1.pb"));
    }
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(!exists("1.pb"));
    errno = 77;
    some(NULL);
    CHECK(errno == 77 && exists("1.pb") == always);
    during();
    CHECK(raise(SIGUSR2) == 0 && exists("1.pb") == always && !exists("2.pb"));
    errno = 77;
    join_thread(start_thread(some, NULL)); // any thread answers
    CHECK(errno == 77 && exists("1.pb") && exists("2.pb") == always);
    after();
    if (!always) {
        SAY(before, 30000, 0, 0), SAY(during, 30000, BLOCKS, BLOCKS), SAY(after, 30000, 0, 0);
        CHECK(raise(SIGUSR2) == 0);
        some(NULL);
        CHECK(raise(SIGUSR2) == 0);
        some(NULL);
    }
    return 0;
}
