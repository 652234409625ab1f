// With HAKMEM_HARDENED=1 a block that grows, in place and by moving its pages, leaves no mapping behind, nor a count of one.
// env: HAKMEM_HARDENED=1 HAKMEM_HARD_LIMIT=512M
#include "check.h"

static long maps_lines(void) {
    static char text[65536];
    long lines = 0, n;
    int fd = open("/proc/self/maps", O_RDONLY);
    CHECK(fd >= 0);
    while ((n = read(fd, text, sizeof text)) > 0)
        for (long i = 0; i < n; i++) lines += text[i] == '\n';
    close(fd);
    return lines;
}

int main(void) {
    free(malloc(MIB));
    long size_before = status_kb("VmSize:"), lines_before = maps_lines();
    for (int round = 0; round < 4; round++) {
        size_t size = MIB;
        char *p = malloc(size);
        CHECK(p);
        stamp(p, size, 1);
        for (int growth = 0; growth < 50; growth++) {
            size_t more = growth < 49 ? size + size / 12 + 5000 : 64 * MIB;
            CHECK(p = realloc(p, more));
            CHECK(stamped(p, size, 1));
            size = more;
            stamp(p, size, 1);
            // Beside the block, and one more while it is copied: what is held back, 64 MiB at most.
            CHECK(status_kb("VmSize:") < size_before + (long)((2 * size + 80 * MIB) / 1024));
            CHECK(maps_lines() < lines_before + 150);
        }
        free(p);
        CHECK(status_kb("VmSize:") < size_before + 80 * 1024);
    }
    return 0;
}
