// Two frees in a row of a block of 1 MiB, whose size the program has used so often that its thread keeps such blocks, are reported.
// expect-signal: 6
// expect-stderr: ^hakmem: free: .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = NULL;
    for (int i = 0; i < 100; i++) {
        free(p);
        CHECK(p = malloc(1048576));
    }
    free(p);
    free(launder(p));
    CHECK(!"a second free that nobody noticed");
}
