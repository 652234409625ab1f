// Every power of two up to 1 GiB is honoured by posix_memalign, aligned_alloc and memalign, at small and large sizes.
// (jemalloc does not align a block of size 0; rpmalloc returns NULL from 2 MiB up, Scudo from 32 MiB.)
#include "check.h"

int main(void) {
    static const size_t sizes[] = {0, 1, 16, 65, 1000, 4096, 5000, 65536, 70000, 1048577, 3000000};
    for (size_t alignment = 1; alignment <= GIB; alignment *= 2)
        for (size_t i = 0; i < COUNT(sizes); i++) {
            size_t n = sizes[i];
            void *p = NULL, *q = aligned_alloc(alignment, n), *r = memalign(alignment, n);
            if (alignment >= sizeof(void *)) CHECK(posix_memalign(&p, alignment, n) == 0 && p && aligned_to(p, alignment));
            CHECK(q && aligned_to(q, alignment) && malloc_usable_size(q) >= n);
            CHECK(r && aligned_to(r, alignment) && malloc_usable_size(r) >= n && q != r);
            if (p) stamp(p, n, 1);
            stamp(q, n, 2);
            stamp(r, n, 3);
            CHECK(!p || stamped(p, n, 1));
            CHECK(stamped(q, n, 2) && stamped(r, n, 3));
            free(r);
            free(p);
            free(q);
        }
    return 0;
}
