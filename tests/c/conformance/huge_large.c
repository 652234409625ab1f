// What HAKMEM_THP says of all memory holds for large blocks too: new ones, those made where others were freed, and those that realloc grew. The kernel's
// note on the mapping is looked at.
// hakmem
// run: HAKMEM_THP=always $RUN hg && HAKMEM_THP=never $RUN nh && HAKMEM_HARDENED=1 HAKMEM_THP=never $RUN nh && env -u HAKMEM_THP $RUN none
#include "check.h"

static void check(const char *block, size_t size, const char *flag) {
    CHECK(block);
    int none = !strcmp(flag, "none");
    for (size_t at = 0; at < size; at += size / 2 - 1)
        CHECK(has_vm_flag(block + at, " hg") == !strcmp(flag, "hg") && has_vm_flag(block + at, " nh") == (!none && !strcmp(flag, "nh")));
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
