// valloc gives page-aligned blocks; pvalloc too, with at least the size rounded up to whole pages.
#include "check.h"

int main(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t n = 0; n < 40000; n += 777) {
        void *p = valloc(n), *q = pvalloc(n);
        CHECK(p && aligned_to(p, page) && malloc_usable_size(p) >= n);
        CHECK(q && aligned_to(q, page) && malloc_usable_size(q) >= (n + page - 1) / page * page);
        stamp(p, n, 1);
        stamp(q, malloc_usable_size(q), 2);
        CHECK(stamped(p, n, 1));
        free(p);
        free(q);
    }
    return 0;
}
