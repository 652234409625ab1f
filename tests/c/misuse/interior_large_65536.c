// free of a pointer 64 KiB into a 1 MiB block is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(1048576);
    CHECK(p);
    free(launder(p + 65536));
    flush_everything(1048576);
}
