// realloc(NULL, n) and reallocarray(NULL, n, m) are malloc.
#include "check.h"

int main(void) {
    for (size_t i = 0; i < COUNT(all_sizes); i++) {
        void *p = realloc(NULL, all_sizes[i]), *q = reallocarray(NULL, all_sizes[i], 3);
        CHECK(p && q && p != q);
        stamp(p, all_sizes[i], 1);
        stamp(q, all_sizes[i] * 3, 2);
        CHECK(stamped(p, all_sizes[i], 1) && stamped(q, all_sizes[i] * 3, 2));
        free(p);
        free(q);
    }
    return 0;
}
