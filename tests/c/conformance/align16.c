// Every block is 16-byte aligned, at every size from 0 to 70000 and at a sample up to 1 GiB, and holds what was asked for.
// (mimalloc, jemalloc and gperftools return 8-aligned blocks for sizes up to 8.)
#include "check.h"

static void try_size(size_t n) {
    unsigned char *a = malloc(n), *b = calloc(1, n), *c = realloc(NULL, n), *d = memalign(1, n), *e = aligned_alloc(8, n);
    CHECK(a && b && c && d && e);
    CHECK(aligned_to(d, 16) && aligned_to(e, 16));
    free(d);
    free(e);
    CHECK(aligned_to(a, 16) && aligned_to(b, 16) && aligned_to(c, 16));
    CHECK(malloc_usable_size(a) >= n && malloc_usable_size(b) >= n && malloc_usable_size(c) >= n);
    if (n > 0 && n <= 70000) a[0] = a[n - 1] = b[0] = b[n - 1] = c[0] = c[n - 1] = 0xA5;
    free(a);
    free(b);
    free(c);
}

int main(void) {
    for (size_t n = 0; n <= 70000; n++) try_size(n);
    for (size_t n = 70001; n <= GIB; n += n / 7 + 1) try_size(n);
    for (size_t n = 128 * KIB; n <= GIB; n *= 2) try_size(n - 1), try_size(n), try_size(n + 1);
    return 0;
}
