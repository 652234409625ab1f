// free of a pointer one byte into a 64-byte block is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(64);
    CHECK(p);
    free(launder(p + 1));
    flush_everything(64);
}
