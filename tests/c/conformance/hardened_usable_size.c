// With HAKMEM_HARDENED=1 malloc_usable_size is what was asked for: all of it may be written, and the canary is behind it.
// env: HAKMEM_HARDENED=1
#include "check.h"

int main(void) {
    for (size_t i = 0; i < COUNT(all_sizes); i++) {
        size_t size = all_sizes[i];
        char *p = malloc(size);
        CHECK(p && malloc_usable_size(p) == size);
        memset(p, 0xA5, malloc_usable_size(p));
        CHECK(p = realloc(p, size + 3));
        CHECK(malloc_usable_size(p) == size + 3 && (size == 0 || p[size - 1] == (char)0xA5));
        memset(p, 0x5A, size + 3);
        CHECK(p = realloc(p, size / 2 + 1));
        CHECK(malloc_usable_size(p) == size / 2 + 1 && p[size / 2] == 0x5A);
        free(p);
        CHECK(p = calloc(1, size + 1));
        for (size_t at = 0; at < size; at++) CHECK(p[at] == 0);
        free(p);
    }
    return 0;
}
