// realloc of a block of 2 MiB that is free, and waits as it was for its thread to want it again, is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: realloc: not a block of this allocator, or free already \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = NULL;
    for (int i = 0; i < 100; i++) {
        free(p);
        CHECK(p = malloc(2 * MIB));
    }
    free(p);
    p = realloc(launder(p), 3 * MIB);
    CHECK(!p && p && !"a block that was free and nobody noticed");
}
