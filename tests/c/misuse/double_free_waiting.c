// Two frees in a row of a block of 2 MiB, which waits as it was for its thread to want it again, are reported.
// expect-signal: 6
// expect-stderr: ^hakmem: free: not a block of this allocator, or free already \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = NULL;
    for (int i = 0; i < 100; i++) {
        free(p);
        CHECK(p = malloc(2 * MIB));
    }
    free(p);
    free(launder(p));
    CHECK(!"a second free that nobody noticed");
}
