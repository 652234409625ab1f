// Writes 16 bytes past the end of a block of 2 MB, frees it and works on.
#include "check.h"

int main(void) {
    char *p = malloc(2000000), *q = malloc(2000000);
    CHECK(p && q);
    memset((char *)launder(p) + malloc_usable_size(p), 0x41, 16);
    free(p);
    free(q);
    use_all_sizes(1);
    malloc_trim(0);
    return 0;
}
