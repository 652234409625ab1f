// free of a misaligned pointer 8 bytes into an 8 KiB block is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(8192);
    CHECK(p);
    free(launder(p + 8));
    flush_everything(8192);
}
