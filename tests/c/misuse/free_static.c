// free of a static object is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

static char object[100000] __attribute__((aligned(65536)));

int main(void) {
    free(launder(object));
    flush_everything(64);
}
