// realloc of a pointer to the middle of an 8 KiB block is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(8192);
    CHECK(p);
    p = realloc(launder(p + 4096), 8192 * 3);
    flush_everything(8192);
}
