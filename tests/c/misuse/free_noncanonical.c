// free of an address no program can have is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    free(launder((void *)0xdeadbeefdeadbeef));
    flush_everything(64);
}
