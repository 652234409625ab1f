// Memory that was locked (mlock'ed blocks freed without munlock, here and there in the heap; mlockall) goes back when it is free, where the kernel
// can take it (5.18); and under mlockall a large block locks what was asked for, to the page.
// cflags: -O1
#include "check.h"
#include <sys/mman.h>
#include <sys/resource.h>

static char *blocks[200000];
int main(void) {
    struct rlimit most;
    CHECK(getrlimit(RLIMIT_MEMLOCK, &most) == 0);
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_MEMLOCK, &most);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (madvise(page, 4096, 24) != 0) SKIP("no MADV_DONTNEED_LOCKED");
    long before = rss_mb();
    int locked = 0;
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK((blocks[i] = malloc(500)) && memset(blocks[i], 1, 500));
        if (i % 400 == 0) locked += mlock(blocks[i], 500) == 0;
    }
    for (size_t i = 0; i < COUNT(blocks); i++) if (i % 97) free(blocks[i]);
    malloc_trim(0);
    NOTE("%d blocks locked, %ld MB left", locked, rss_mb() - before);
    CHECK(rss_mb() - before < 15); // the pages of 2,000 blocks

    if (most.rlim_max < 512 * MIB && geteuid() != 0) SKIP("RLIMIT_MEMLOCK is too low");
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) SKIP("mlockall: %s", strerror(errno));
    // Blocks of a page more than a granule's multiple.
    before = rss_mb();
    for (size_t i = 0; i < 100; i++) CHECK(blocks[i] = malloc(17 * 64 * KIB + 1));
    NOTE("%ld MB for 100 blocks of 17 granules and a byte", rss_mb() - before);
    CHECK(rss_mb() - before < 110); // 107 to 109
    for (size_t i = 0; i < 100; i++) free(blocks[i]);
    malloc_trim(0);
    CHECK(rss_mb() - before < 12);
    return 0;
}
