// A free of a pointer into a block of 300 KB, whose size the program has used often, is reported: at once or at a flush.
// expect-signal: 6
// expect-stderr: ^hakmem: free: .+ \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = NULL;
    for (int i = 0; i < 100; i++) {
        free(p);
        CHECK(p = malloc(300000));
    }
    free(launder(p) + 70000);
    malloc_trim(0);
    CHECK(!"a pointer into a block that nobody noticed");
}
