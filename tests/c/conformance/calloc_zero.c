// calloc returns zeros at every size, also from memory that was used, filled, freed and reused.
#include "check.h"

int main(void) {
    static unsigned char *blocks[200];
    for (size_t s = 0; s < COUNT(all_sizes); s++) {
        size_t n = all_sizes[s], count = n < 1024 ? COUNT(blocks) : n < 70000 ? 24 : 3;
        for (int round = 0; round < 3; round++) {
            for (size_t i = 0; i < count; i++) {
                CHECK(blocks[i] = malloc(n));
                memset(blocks[i], 0xA5, malloc_usable_size(blocks[i]));
            }
            for (size_t i = 0; i < count; i++) free(blocks[i]);
            for (size_t i = 0; i < count; i++) {
                CHECK(blocks[i] = round % 2 ? calloc(n, 1) : calloc(1, n));
                CHECK(all_bytes_are(blocks[i], n, 0));
                memset(blocks[i], 0x5A, n);
            }
            for (size_t i = 0; i < count; i++) free(blocks[i]);
        }
    }
    for (size_t n = 0; n < 5000; n += 3) { // smaller than the block that was there
        unsigned char *p = malloc(n + 64);
        memset(p, 0xFF, n + 64);
        free(p);
        p = calloc(n, 1);
        CHECK(p && all_bytes_are(p, n, 0));
        free(p);
    }
    return 0;
}
