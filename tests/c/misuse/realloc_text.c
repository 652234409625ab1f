// realloc of a function is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    realloc(launder((void *)main), 500);
    flush_everything(64);
}
