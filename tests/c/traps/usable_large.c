// malloc_usable_size of large blocks: enough, writable to the end, at most half as much again and 64 KiB more; right after realloc and memalign.
#include "check.h"

int main(void) {
    for (size_t n = 65537; n < 300 * MIB; n = n * 5 / 4 + 1) {
        char *p = malloc(n);
        CHECK(p);
        size_t usable = malloc_usable_size(p);
        CHECK(usable >= n && usable <= n + n / 2 + 65536);
        p[usable - 1] = 1;
        CHECK(p = realloc(p, n / 2));
        CHECK(malloc_usable_size(p) >= n / 2);
        p[malloc_usable_size(p) - 1] = 1;
        CHECK(p = realloc(p, n * 2));
        CHECK(malloc_usable_size(p) >= n * 2);
        p[malloc_usable_size(p) - 1] = 1;
        free(p);
        CHECK(p = memalign(MIB, n));
        CHECK(malloc_usable_size(p) >= n);
        p[malloc_usable_size(p) - 1] = 1;
        free(p);
    }
    return 0;
}
