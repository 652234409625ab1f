// Two frees of a block from calloc, with a malloc of another size between them, are reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = calloc(6, 16);
    CHECK(p);
    free(p);
    free(malloc(500));
    free(launder(p));
    flush_everything(96);
}
