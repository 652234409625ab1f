// mallinfo2 tells the truth: uordblks grows by at least what is allocated and falls when 50 MB are freed; mallinfo follows.
// (mimalloc, jemalloc, snmalloc, Mesh and hz3 report zeros.)
#include "check.h"

static void *blocks[10000];

int main(void) {
    size_t before = mallinfo2().uordblks;
    for (size_t i = 0; i < COUNT(blocks); i++) CHECK(blocks[i] = malloc(5000));
    size_t during = mallinfo2().uordblks;
    CHECK(during >= before + COUNT(blocks) * 5000);
    CHECK(during < before + COUNT(blocks) * 5000 * 2);
    CHECK(mallinfo().uordblks >= (int)(COUNT(blocks) * 5000));
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    size_t after = mallinfo2().uordblks;
    CHECK(after < during && during - after > 40000000);

    struct mallinfo2 small = mallinfo2(); // one large block counts as well, in use or mapped
    void *large = malloc(50 * MIB);
    CHECK(large);
    struct mallinfo2 big = mallinfo2();
    CHECK(big.uordblks + big.hblkhd >= small.uordblks + small.hblkhd + 50 * MIB);
    free(large);
    big = mallinfo2();
    CHECK(big.uordblks + big.hblkhd < small.uordblks + small.hblkhd + 10 * MIB);
    return 0;
}
