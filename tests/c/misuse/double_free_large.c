// Two frees of a large block (1048576 bytes) in a row are reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(1048576);
    CHECK(p);
    free(p);
    free(launder(p));
    flush_everything(1048576);
}
