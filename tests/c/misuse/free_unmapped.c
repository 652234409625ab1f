// A second free of a 40 MiB block, after a trim has unmapped it, is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(40 * MIB);
    CHECK(p);
    free(p);
    malloc_trim(0);
    free(launder(p));
    flush_everything(64);
}
