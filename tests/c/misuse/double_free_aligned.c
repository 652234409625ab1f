// Two frees of a block from aligned_alloc are reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = aligned_alloc(4096, 4096);
    CHECK(p);
    free(p);
    free(launder(p));
    flush_everything(4096);
}
