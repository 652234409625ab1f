// realloc of a tiny block (64 bytes) that was freed is reported, at the latest when what it frees is flushed.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(64);
    CHECK(p);
    free(p);
    p = realloc(launder(p), 64 * 3);
    flush_everything(64);
}
