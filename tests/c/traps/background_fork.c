// A child of fork has no background thread until it allocates, then one of its own that works; the parent keeps its. Forks
// in the middle of purges, generations of children, and a child of vfork that allocates starts none.
// env: HAKMEM_BACKGROUND=1 HAKMEM_DECAY_MS=40
// cflags: -O1
#include "check.h"
#include <dirent.h>
#include <sys/wait.h>

static int threads(void) {
    int n = -2, fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
    char buffer[4096];
    CHECK(fd >= 0);
    for (ssize_t got; (got = getdents64(fd, buffer, sizeof buffer)) > 0;)
        for (ssize_t at = 0; at < got; at += ((struct dirent64 *)(buffer + at))->d_reclen) n++;
    close(fd);
    return n;
}

static void *blocks[200000];
static void peak(void) {
    for (size_t i = 0; i < COUNT(blocks); i++) memset(blocks[i] = malloc(500), 1, 500);
    CHECK(rss_mb() > 90);
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
}
static void purged(void) {
    for (int tick = 0; tick < 100 && rss_mb() >= 20; tick++) sleep_ms(20);
    CHECK(rss_mb() < 20);
}

static void family(int generations) {
    if (generations == 0) return;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(threads() == 1);
        peak();
        CHECK(threads() == 2);
        family(generations - 1);
        purged();
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

int main(void) {
    peak();
    CHECK(threads() == 2);
    family(3);
    purged();
    peak();
    for (int round = 0; round < 100; round++) {
        for (size_t i = 0; i < COUNT(blocks); i += 50) blocks[i] = malloc(3000);
        for (size_t i = 0; i < COUNT(blocks); i += 50) free(blocks[i]);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) use_sizes_up_to(100000, 1), _exit(0);
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    CHECK(threads() == 2);
    purged();
    return 0;
}
