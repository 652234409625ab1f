// aligned_alloc: an alignment that is no power of two gives NULL and EINVAL (glibc since 2.38); any size is taken.
// (mimalloc returns NULL with errno 0; Scudo and hz3 reject size 65 at alignment 64.)
#include "check.h"

int main(void) {
    static const size_t bad[] = {0, 3, 5, 6, 7, 12, 24, 48, 100, 1000, 4095, 4097, 6144, SIZE_MAX, SIZE_MAX / 2};
    for (size_t i = 0; i < COUNT(bad); i++) {
        errno = 0;
        CHECK(aligned_alloc(bad[i], 64) == NULL && errno == EINVAL);
    }
    for (size_t alignment = 1; alignment <= 65536; alignment *= 2)
        for (size_t n = 0; n < 300; n += 13) {
            unsigned char *p = aligned_alloc(alignment, n);
            CHECK(p && aligned_to(p, alignment));
            stamp(p, n, 1);
            free(p);
        }
    return 0;
}
