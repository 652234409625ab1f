// memalign with an alignment that is no power of two takes the next one, as glibc does; an impossible one gives NULL.
#include "check.h"

int main(void) {
    static const size_t asked[][2] = {{0, 16}, {3, 16}, {5, 16}, {17, 32}, {24, 32}, {33, 64}, {48, 64}, {100, 128}, {1000, 1024}, {4097, 8192}, {5000, 8192}, {70000, 131072}, {3000000, 4194304}};
    for (size_t i = 0; i < COUNT(asked); i++)
        for (size_t n = 0; n < 10000; n = n * 3 + 1)
            for (int many = 0; many < 4; many++) {
                void *p = memalign(asked[i][0], n);
                CHECK(p && aligned_to(p, asked[i][1]));
                stamp(p, n, 1);
                free(p);
            }
    errno = 0;
    CHECK(memalign(SIZE_MAX, 10) == NULL && (errno == EINVAL || errno == ENOMEM));
    errno = 0;
    CHECK(memalign(SIZE_MAX / 2 + 2, 10) == NULL && (errno == EINVAL || errno == ENOMEM));
    return 0;
}
