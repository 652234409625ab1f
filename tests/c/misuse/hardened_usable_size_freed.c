// With HAKMEM_HARDENED=light malloc_usable_size of a free block is reported.
// env: HAKMEM_HARDENED=light
// expect-signal: 6
// expect-stderr: ^hakmem: malloc_usable_size: not a block of this allocator, or free already \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(100);
    CHECK(p && malloc_usable_size(p) == 100 && malloc_usable_size(NULL) == 0);
    free(p);
    malloc_usable_size(launder(p));
    _exit(0);
}
