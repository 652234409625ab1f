// realloc of a large block (1048576 bytes) that was freed is reported, at the latest when what it frees is flushed.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(1048576);
    CHECK(p);
    free(p);
    p = realloc(launder(p), 1048576 * 3);
    flush_everything(1048576);
}
