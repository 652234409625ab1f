// realloc of an address on the stack is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char local[256] __attribute__((aligned(16)));
    memset(local, 0, sizeof local);
    realloc(launder(local), 500);
    flush_everything(64);
}
