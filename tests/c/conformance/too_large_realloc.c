// realloc and reallocarray beyond PTRDIFF_MAX give NULL and ENOMEM, and the old block is as it was.
// (mimalloc gives 75 from reallocarray.)
#include "check.h"

int main(void) {
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 4096, SIZE_MAX / 2 + 1, SIZE_MAX / 2};
    for (size_t i = 1; i < COUNT(all_sizes); i++) {
        size_t n = all_sizes[i];
        void *p = malloc(n);
        CHECK(p);
        stamp(p, n, 5);
        for (size_t j = 0; j < COUNT(sizes); j++) {
            errno = 0;
            CHECK(realloc(p, sizes[j]) == NULL && errno == ENOMEM);
            errno = 0;
            CHECK(reallocarray(p, sizes[j], 2) == NULL && errno == ENOMEM);
            errno = 0;
            CHECK(reallocarray(p, (size_t)1 << 33, (size_t)1 << 33) == NULL && errno == ENOMEM);
        }
        CHECK(stamped(p, n, 5));
        free(p);
    }
    return 0;
}
