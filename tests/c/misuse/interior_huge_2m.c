// free of a pointer 2 MiB into a 20 MiB block is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(20971520);
    CHECK(p);
    free(launder(p + 2097152));
    flush_everything(20971520);
}
