// Huge pages are asked for where a large heap of small blocks grows that is resident throughout, and for nothing else: not where most of it went back,
// nor for blocks above a page, of which some is never touched. The kernel's note on the mapping is looked at.
// hakmem
// run: for how in dense thinned sparse large; do env -u HAKMEM_THP -u HAKMEM_HARDENED $RUN $how || exit; done
#include "check.h"

enum { MOST = 4 << 20, SPAN = 64 << 10 };
static char *blocks[MOST];

static int is_huge(const void *at) { return has_vm_flag(at, " hg"); }

int main(int argc, char **argv) {
    CHECK(argc == 2);
    if (access("/sys/kernel/mm/transparent_hugepage", F_OK) != 0) SKIP("a kernel without huge pages");
    int sparse = !strcmp(argv[1], "sparse"), thinned = !strcmp(argv[1], "thinned"), large = !strcmp(argv[1], "large");
    size_t size = large ? 6000 : 100, count = 64 * MIB / size;
    for (size_t i = 0; i < count; i++) CHECK(blocks[i] = malloc(size));
    CHECK(!is_huge(blocks[0]) && is_huge(blocks[count - 1]) == !large);
    if (sparse || thinned) {
        // Of each span one block stays, and the pages beside it go; or of each page one, and none goes.
        size_t step = (sparse ? SPAN : 3000) / 112;
        for (size_t i = 0; i < count; i++)
            if (i % step != 0) free(blocks[i]), blocks[i] = NULL;
        char *last = NULL;
        for (size_t i = 0; i < 32 * MIB / 1000; i++) CHECK(last = malloc(1000)); // leaked: the process ends
        CHECK(is_huge(last) == thinned);
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
