// A child of fork that frees a twentieth of its parent's blocks copies hardly a page of theirs: nothing is written into a
// free block, nor beside it. (The baseline links them through themselves, and hardened mode zeroes them.)
// env: HAKMEM_TINY_HEAP_V2=1 HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=0
#include "check.h"
#include <sys/wait.h>

static void *blocks[200000];

static long private_kib(void) {
    char text[4096];
    int fd = open("/proc/self/smaps_rollup", O_RDONLY);
    if (fd < 0) SKIP("no /proc/self/smaps_rollup");
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    CHECK(length > 0);
    text[length] = 0;
    char *line = strstr(text, "\nPrivate_Dirty:");
    CHECK(line);
    return atol(line + sizeof "\nPrivate_Dirty:" - 1);
}

int main(void) {
    for (size_t i = 0; i < COUNT(blocks); i++) memset(blocks[i] = malloc(100), 1, 100); // 22 MB
    pid_t child = fork();
    CHECK(child >= 0);
    if (!child) {
        long before = private_kib();
        for (size_t i = 0; i < COUNT(blocks); i += 20) free(blocks[i]);
        long copied = private_kib() - before;
        put_line(1, "note: %ld KiB copied", copied);
        CHECK(copied < 1024);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    return 0;
}
