// Writes one byte past the end of a 20-byte block, then frees it: into what the size class has over.
#include "check.h"

int main(void) {
    char *p = malloc(20);
    CHECK(p);
    launder(p);
    p[20] = 1;
    free(p);
    use_sizes_up_to(1024, 1);
    return 0;
}
