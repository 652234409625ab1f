// What HAKMEM_THP says of all memory holds for large blocks too: new ones, those made where others were freed, and those that realloc grew. The kernel's
// note on the mapping is looked at.
// hakmem
// run: HAKMEM_THP=always $RUN hg && HAKMEM_THP=never $RUN nh && HAKMEM_HARDENED=1 HAKMEM_THP=never $RUN nh && env -u HAKMEM_THP $RUN none
#include "check.h"

// Whether the mapping that `at` lies in has a flag.
static int has(const void *at, const char *flag) {
    static char line[4096];
    FILE *maps = fopen("/proc/self/smaps", "r");
    CHECK(maps);
    int inside = 0, seen = 0, found = 0;
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (unsigned long)at >= from && (unsigned long)at < to;
        if (inside && strncmp(line, "VmFlags:", 8) == 0)
            seen = 1, found = !!strstr(line, flag);
    }
    fclose(maps);
    if (!seen) SKIP("no VmFlags in smaps");
    return found;
}

static void check(const char *block, size_t size, const char *flag) {
    CHECK(block);
    int none = !strcmp(flag, "none");
    for (size_t at = 0; at < size; at += size / 2 - 1)
        CHECK(has(block + at, " hg") == !strcmp(flag, "hg") && has(block + at, " nh") == (!none && !strcmp(flag, "nh")));
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    if (access("/sys/kernel/mm/transparent_hugepage", F_OK) != 0) SKIP("a kernel without huge pages");
    // In full, huge pages would open more than one has.
    const char *flag = is_full() && !strcmp(argv[1], "hg") ? "none" : argv[1];
    char *blocks[4];
    for (int i = 0; i < 4; i++) check(blocks[i] = malloc((5 + i) * MIB), (5 + i) * MIB, flag);
    check(blocks[0] = realloc(blocks[0], 20 * MIB), 20 * MIB, flag);
    for (int i = 0; i < 4; i++) memset(blocks[i], 1, 5 * MIB), free(blocks[i]);
    // Longer than any of them, and than all that lie side by side.
    char *joined = malloc(50 * MIB);
    check(joined, 50 * MIB, flag);
    free(joined);
    return 0;
}
