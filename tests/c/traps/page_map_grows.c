// What the allocator knows of addresses is as much as what is live, not as all that ever was: 400 blocks that nobody touches, each a good
// part of the machine's memory, are replaced 40,000 times by others of other sizes, which begin elsewhere in terabytes of addresses.
#include "check.h"

static void *blocks[400];
static size_t sizes[COUNT(blocks)];

int main(void) {
    size_t memory = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    Random random = {1};
    long before = rss_mb(), after[2];
    for (int half = 0; half < 2; half++) {
        for (int i = 0; i < 20000; i++) {
            size_t n = random_between(&random, 0, COUNT(blocks) - 1);
            if (blocks[n]) {
                CHECK(malloc_usable_size(blocks[n]) >= sizes[n]);
                free(blocks[n]);
            }
            blocks[n] = launder(malloc(sizes[n] = random_between(&random, memory / 64, memory / 4)));
            // Where all that could ever be touched counts (vm.overcommit_memory, a container's limit).
            if (!blocks[n]) SKIP("the kernel does not grant more than there is");
        }
        after[half] = rss_mb();
    }
    for (size_t n = 0; n < COUNT(blocks); n++) free(blocks[n]);
    malloc_trim(0);
    NOTE("%ld MiB resident, after 20,000 blocks %ld, after as many more %ld, without any %ld", before, after[0], after[1], rss_mb());
    // Four MiB of it are the hot table's: it has an entry for each granule of 32 GiB, and no more.
    // Hardened the records of closed addresses come to it.
    if (is_hardened()) before += 2;
    CHECK(after[0] < before + 10 && after[1] < after[0] + 3 && rss_mb() < before + 8);
    return 0;
}
