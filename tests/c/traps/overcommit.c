// With vm.overcommit_memory = 2 (FULL=1 and root only: it is the whole machine's), where every private writable page counts:
// half of what is left can be had in blocks, asking for more gives null, and all of it can be had again.
// alone
#include "check.h"

static const char *const path = "/proc/sys/vm/overcommit_memory";
static char was[16];

static int set(const char *value) {
    int fd = open(path, O_WRONLY);
    if (fd < 0) return 0;
    ssize_t n = write(fd, value, strlen(value));
    close(fd);
    return n > 0;
}
static void restore(void) { set(was); }

static size_t left(void) { // bytes until the limit
    char text[4096];
    int fd = open("/proc/meminfo", O_RDONLY);
    CHECK(fd >= 0);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    char *limit = strstr(text, "CommitLimit:"), *used = strstr(text, "Committed_AS:");
    CHECK(limit && used);
    return (size_t)(atol(limit + 12) - atol(used + 13)) * KIB;
}

int main(void) {
    if (!getenv("FULL")) SKIP("it changes the whole machine: FULL=1");
    int fd = open(path, O_RDONLY);
    if (fd < 0 || read(fd, was, sizeof was - 1) <= 0) SKIP("no %s", path);
    close(fd);
    if (!set("2")) SKIP("%s can't be written", path);
    atexit(restore);
    size_t size = 300 * KIB, count = left() / 2 / size, n = 0;
    void **blocks = (void **)malloc(count * sizeof *blocks);
    if (!blocks) restore(), check_failed(__FILE__, __LINE__, "blocks", errno);
    int failed = 0;
    for (int round = 0; round < 2 && !failed; round++) {
        for (n = 0; n < count; n++)
            if (!(blocks[n] = malloc(size))) break;
        failed = n < count;
        errno = 0;
        void *more = malloc(left() + GIB);
        failed |= more != NULL || errno != ENOMEM;
        while (n > 0) free(blocks[--n]);
        malloc_trim(0);
    }
    restore();
    CHECK(!failed);
    NOTE("%zu MiB in blocks", count * size / MIB);
    return 0;
}
