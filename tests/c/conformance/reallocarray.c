// reallocarray grows and shrinks like realloc of the product, keeping the content.
#include "check.h"

int main(void) {
    unsigned char *p = NULL;
    size_t size = 0;
    for (size_t i = 1; i < COUNT(all_sizes); i++) {
        unsigned char *q = reallocarray(p, all_sizes[i], 3);
        CHECK(q && malloc_usable_size(q) >= all_sizes[i] * 3 && stamped(q, size, 8));
        p = q;
        size = all_sizes[i] * 3;
        stamp(p, size, 8);
    }
    p = reallocarray(p, 10, 10);
    CHECK(p && stamped_up_to(p, size, 8, 100));
    free(p);
    return 0;
}
