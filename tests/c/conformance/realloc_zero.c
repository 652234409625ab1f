// realloc(p, 0) frees p and returns NULL, as in glibc; the block really is free again: nothing grows.
// (mimalloc and hardened_malloc return a pointer, which programs written for glibc leak.)
#include "check.h"

int main(void) {
    for (size_t i = 0; i < COUNT(all_sizes); i++) {
        void *p = malloc(all_sizes[i]);
        CHECK(p && realloc(p, 0) == NULL);
        p = malloc(all_sizes[i]);
        CHECK(p && reallocarray(p, 0, 5) == NULL);
    }
    for (int i = 0; i < 100000; i++) { // 400 MB if it leaked
        void *p = malloc(4000);
        CHECK(p);
        stamp(p, 4000, 1);
        CHECK(realloc(p, 0) == NULL);
    }
    CHECK(peak_mb() < 60);
    return 0;
}
