// Blocks of 5 to 25 MB made, touched and freed in turn, four at a time: what is free is made longer, not given back and faulted in anew. A
// calloc gets zeroes all the same, and touches no page that it need not.
// run: $RUN && env HAKMEM_DECAY_MS=-1 $RUN
// cflags: -O1
#include "check.h"
#include <sys/resource.h>

static char *blocks[4];
static size_t sizes[4];

static long faults(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt;
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
    CHECK((size_t)(faults() - before) < pages / 8);
    for (size_t k = 0; k < COUNT(blocks); k++) free(blocks[k]);

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
