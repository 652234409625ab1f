// A free of a pointer 16 bytes into a block of 2 MiB, whose like come and go without a lock, is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: free: pointer into a block, not to its start \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = NULL;
    for (int i = 0; i < 100; i++) {
        free(p);
        CHECK(p = malloc(2 * MIB));
    }
    free(launder(p) + 16);
    CHECK(!"a pointer into a block that nobody noticed");
}
