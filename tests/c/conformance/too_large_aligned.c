// memalign, aligned_alloc and pvalloc beyond PTRDIFF_MAX, also after rounding up, give NULL and ENOMEM.
// (jemalloc and Scudo leave errno 0 on memalign.)
#include "check.h"

int main(void) {
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 4095, SIZE_MAX - 4096, SIZE_MAX / 2 + 1, SIZE_MAX / 2 - 1};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (size_t alignment = 8; alignment <= ((size_t)1 << 40); alignment *= 16) {
            errno = 0;
            CHECK(memalign(alignment, sizes[i]) == NULL && errno == ENOMEM);
            errno = 0;
            CHECK(aligned_alloc(alignment, sizes[i]) == NULL && errno == ENOMEM);
        }
        errno = 0;
        CHECK(pvalloc(sizes[i]) == NULL && errno == ENOMEM);
    }
    errno = 0; // an alignment that no address space has
    CHECK(aligned_alloc((size_t)1 << 62, (size_t)1 << 62) == NULL && errno == ENOMEM);
    return 0;
}
