// malloc(0), calloc with a zero and realloc(NULL, 0) give unique pointers that are not NULL and can be freed.
#include "check.h"

static int by_address(const void *a, const void *b) {
    uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return x < y ? -1 : x > y;
}

int main(void) {
    static void *blocks[4000];
    for (size_t i = 0; i < COUNT(blocks); i++) {
        blocks[i] = i % 4 == 0 ? malloc(0) : i % 4 == 1 ? calloc(0, 8) : i % 4 == 2 ? calloc(8, 0) : realloc(NULL, 0);
        CHECK(blocks[i]);
    }
    static void *sorted[COUNT(blocks)];
    memcpy(sorted, blocks, sizeof blocks);
    qsort(sorted, COUNT(sorted), sizeof *sorted, by_address);
    for (size_t i = 1; i < COUNT(sorted); i++) CHECK(sorted[i] != sorted[i - 1]);
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    return 0;
}
