// Blocks of 5 to 25 MB made, touched and freed in turn, four at a time: what is free is made longer, or its pages moved side by side where the
// kernel can, not given back and faulted in anew. A calloc gets zeroes all the same, and touches no page that it need not. A block of several
// pieces grows as any other.
// run: $RUN && env HAKMEM_DECAY_MS=-1 $RUN
// cflags: -O1
#include "check.h"
#include <sys/mman.h>
#include <sys/resource.h>

static char *blocks[4];
static size_t sizes[4];

static long faults(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt;
}

// Whether the kernel moves several mappings by one call, as Linux does from 6.17 on.
static int moves_together(void) {
    char *two = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *to = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(two != MAP_FAILED && to != MAP_FAILED && mprotect(two + 4096, 4096, PROT_NONE) == 0);
    return mremap(two, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to;
}

int main(void) {
    Random r = {88172645463325252ull};
    size_t pages = 0;
    long before = faults();
    for (int i = 0; i < 400; i++) {
        size_t k = random_between(&r, 0, COUNT(blocks) - 1), size = random_between(&r, 5000 * KIB, 25000 * KIB);
        for (size_t at = 0; at < sizes[k]; at += 4096) CHECK(blocks[k][at] == (char)(k + 1)); // moved pages come along, and stay its own
        free(blocks[k]);
        CHECK(blocks[k] = malloc(size));
        for (size_t at = 0; at < size; at += 4096) blocks[k][at] = (char)(k + 1);
        sizes[k] = size, pages += size / 4096;
    }
    NOTE("%ld faults for %zu pages", faults() - before, pages);
    CHECK(is_hardened() || (size_t)(faults() - before) < pages / (moves_together() ? 16 : 8)); // there nothing is joined: in full what is freed keeps no pages, in light they serve one of about the size
    CHECK(is_full() || (size_t)(faults() - before) < pages / 3);
    for (size_t k = 0; k < COUNT(blocks); k++) free(blocks[k]);

    for (size_t round = 0; round < 4; round++) {
        // Two of them freed, and both together asked for: none of theirs is seen, and what is written stays when it grows.
        for (size_t k = 0; k < COUNT(blocks); k++) CHECK((blocks[k] = malloc(9 * MIB)) && memset(blocks[k], 1, 9 * MIB));
        free(blocks[round]), free(blocks[(round + 2) % COUNT(blocks)]);
        char *both = calloc(1, 17 * MIB);
        CHECK(both);
        for (size_t at = 0; at < 17 * MIB; at += 512) CHECK(!both[at]);
        for (size_t at = 0; at < 17 * MIB; at += 4096) both[at] = (char)(at >> 12);
        for (size_t size = 20; size <= 40; size += 4) {
            CHECK(both = realloc(both, size * MIB));
            memset(both + 17 * MIB, 2, 3 * MIB);
        }
        for (size_t at = 0; at < 17 * MIB; at += 4096) CHECK(both[at] == (char)(at >> 12));
        free(both), free(blocks[(round + 1) % COUNT(blocks)]), free(blocks[(round + 3) % COUNT(blocks)]);
    }

    malloc_trim(0);
    char *first = malloc(30 * MIB);
    CHECK(first && memset(first, 1, 30 * MIB));
    free(first);
    long resident = rss_mb();
    char *zeroes = calloc(1, 100 * MIB);
    CHECK(zeroes);
    CHECK(rss_mb() <= resident + 32);
    for (size_t at = 0; at < 100 * MIB; at += 512) CHECK(!zeroes[at]);
    free(zeroes);
    return 0;
}
