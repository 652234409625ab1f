// Huge pages are asked for where a large heap of small blocks grows that has hardly any free, and for nothing else: not where most of it is free, nor
// for blocks above a page, of which some is never touched. The kernel's note on the mapping is looked at.
// hakmem
// run: env -u HAKMEM_THP -u HAKMEM_HARDENED $RUN dense && env -u HAKMEM_THP -u HAKMEM_HARDENED $RUN sparse && env -u HAKMEM_THP -u HAKMEM_HARDENED $RUN large
#include "check.h"

enum { MOST = 4 << 20, SPAN = 64 << 10 };
static char *blocks[MOST];

static int is_huge(const void *at) { return has_vm_flag(at, " hg"); }

int main(int argc, char **argv) {
    CHECK(argc == 2);
    if (access("/sys/kernel/mm/transparent_hugepage", F_OK) != 0) SKIP("a kernel without huge pages");
    int sparse = !strcmp(argv[1], "sparse"), large = !strcmp(argv[1], "large");
    size_t size = large ? 6000 : 100, count = 64 * MIB / size;
    // Of each span one block stays, and what is free in them takes more than it.
    for (size_t i = 0; i < count; i++) CHECK(blocks[i] = malloc(size));
    CHECK(!is_huge(blocks[0]) && is_huge(blocks[count - 1]) == !large);
    if (sparse) {
        for (size_t i = 0; i < count; i++)
            if (i % (SPAN / 112) != 0) free(blocks[i]), blocks[i] = NULL;
        char *last = NULL;
        for (size_t i = 0; i < 32 * MIB / 1000; i++) CHECK(last = malloc(1000)); // leaked: the process ends
        CHECK(!is_huge(last));
        return 0;
    }
    if (!large) {
        // Every second block but for the first half: pages in huge ones go, and the kernel is told not to make them whole again.
        char *last = blocks[count - 1];
        for (size_t i = count / 2; i < count; i++)
            if ((uintptr_t)blocks[i] / 4096 % 2 == 0) free(blocks[i]), blocks[i] = NULL;
        malloc_trim(0);
        CHECK(!is_huge(last));
    }
    for (size_t i = 0; i < count; i++) free(blocks[i]);
    return 0;
}
