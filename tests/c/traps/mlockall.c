// Under mlockall(MCL_FUTURE), where everything mapped writable becomes resident, a small program stays under 60 MB.
// (mimalloc and rpmalloc take 1 GB, snmalloc and Mesh hang over 68 to 260 GB.)
#include "check.h"
#include <sys/mman.h>
#include <sys/resource.h>

int main(void) {
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &limit);
    CHECK(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    if (mlockall(MCL_FUTURE) != 0) SKIP("mlockall is not permitted");
    void *map = mmap(NULL, 128 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (limit.rlim_cur != RLIM_INFINITY && map == MAP_FAILED) SKIP("only %ld bytes may be locked", (long)limit.rlim_cur);
    if (map != MAP_FAILED) munmap(map, 128 * MIB);
    long before = rss_mb();
    static void *blocks[2000];
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(blocks[i] = malloc(i));
        stamp(blocks[i], i, 1);
    }
    void *large = malloc(300000);
    CHECK(large);
    NOTE("RSS %ld MB, %ld before", rss_mb(), before);
    CHECK(rss_mb() < 60);
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(stamped(blocks[i], i, 1));
        free(blocks[i]);
    }
    free(large);
    return 0;
}
