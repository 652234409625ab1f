// 60,000 blocks of 16 to 76 KB, every second one freed, also after a trim: under 1,000 mappings of the 65,530 allowed.
// (hardened_malloc makes 33,083, then gets NULL; its light form and hz8 47,000.)
#include "check.h"

static char *blocks[60000];

int main(void) {
    if (getenv("HAKMEM_HARDENED")) SKIP("HAKMEM_HARDENED=1 closes pages behind large blocks");
    Random random = {21};
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(blocks[i] = malloc(random_between(&random, 16 * KIB, 76 * KIB)));
        blocks[i][0] = (char)i;
    }
    for (size_t i = 0; i < COUNT(blocks); i += 2) free(blocks[i]), blocks[i] = NULL;
    long freed = mappings();
    malloc_trim(0);
    long trimmed = mappings();
    NOTE("%ld maps, %ld after a trim", freed, trimmed);
    CHECK(freed < 1000 && trimmed < 1000);
    for (size_t i = 1; i < COUNT(blocks); i += 2) {
        CHECK(blocks[i][0] == (char)i);
        free(blocks[i]);
    }
    CHECK(mappings() < 1000);
    return 0;
}
