// A second free of a mid block (8192 bytes) after the free of another one is reported, at once or when the cache is flushed.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *a = malloc(8192), *b = malloc(8192);
    CHECK(a && b);
    free(a);
    free(b);
    free(launder(a));
    flush_everything(8192);
}
