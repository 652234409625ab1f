// free_sized and free_aligned_sized (C23) free what malloc, calloc, realloc and aligned_alloc gave, take NULL, keep errno.
// (gperftools 2.18 had to fix a crash on blocks that came from realloc.)
// run: $RUN && env HAKMEM_HARDENED=1 $RUN && env HAKMEM_HARDENED=light $RUN && env HAKMEM_GUARD_RATE=1 $RUN
#include "check.h"
#include <dlfcn.h>

int main(void) {
    void (*free_sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
    void (*free_aligned_sized)(void *, size_t, size_t) = (void (*)(void *, size_t, size_t))dlsym(RTLD_DEFAULT, "free_aligned_sized");
    CHECK(free_sized && free_aligned_sized);
    errno = 4321;
    free_sized(NULL, 0);
    free_sized(NULL, 10);
    free_aligned_sized(NULL, 64, 64);
    CHECK(errno == 4321);
    for (size_t i = 0; i < COUNT(all_sizes); i++)
        for (int round = 0; round < 100; round++) {
            size_t n = all_sizes[i];
            void *p = malloc(n), *q = calloc(n, 1), *r = realloc(malloc(n / 2), n + 1), *s = aligned_alloc(64, n), *t = realloc(malloc(n * 2 + 1), n + 1);
            CHECK(p && q && r && s && t);
            errno = 4321;
            free_sized(p, n);
            free_sized(q, n);
            free_sized(r, n + 1);
            free_sized(t, n + 1);
            free_aligned_sized(s, 64, n);
            CHECK(errno == 4321);
        }
    for (size_t alignment = 8; alignment <= 4 * MIB; alignment *= 2) {
        void *p = aligned_alloc(alignment, alignment * 2);
        CHECK(p);
        free_aligned_sized(p, alignment, alignment * 2);
    }
    void *p = aligned_alloc(131072, 0);
    CHECK(p);
    free_aligned_sized(p, 131072, 0);
    CHECK(peak_mb() < 100); // they do free
    return 0;
}
