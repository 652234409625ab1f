// A wild free that is the first call of all is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    free(launder((void *)0x123456789000));
    flush_everything(64);
}
