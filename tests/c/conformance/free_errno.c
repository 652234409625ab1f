// free keeps errno, for every size, also when big blocks are unmapped or memory is purged on the way (POSIX 2024).
#include "check.h"

int main(void) {
    static void *blocks[300];
    errno = 4321;
    free(NULL);
    CHECK(errno == 4321);
    for (size_t i = 0; i < COUNT(all_sizes); i++) {
        size_t count = all_sizes[i] < 70000 ? COUNT(blocks) : 8;
        for (size_t j = 0; j < count; j++) {
            CHECK(blocks[j] = malloc(all_sizes[i]));
            stamp(blocks[j], all_sizes[i], 1);
        }
        for (size_t j = 0; j < count; j++) {
            errno = 4321;
            free(blocks[j]);
            CHECK(errno == 4321);
        }
    }
    for (size_t n = MIB; n <= GIB; n *= 4) {
        void *p = malloc(n), *q = memalign(4 * MIB, n);
        CHECK(p && q);
        ((char *)p)[0] = ((char *)q)[n - 1] = 1;
        errno = 4321;
        free(p);
        free(q);
        CHECK(errno == 4321);
    }
    return 0;
}
