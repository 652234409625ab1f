// A second free of a tiny block (64 bytes) after the free of another one is reported, at once or when the cache is flushed.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *a = malloc(64), *b = malloc(64);
    CHECK(a && b);
    free(a);
    free(b);
    free(launder(a));
    flush_everything(64);
}
