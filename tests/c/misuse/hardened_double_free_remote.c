// With HAKMEM_HARDENED=1 a second free by a thread that did not allocate the block is reported at once, while its owner lives.
// env: HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: free: block is already free \(double free\) \(0x[0-9a-f]+\)$
#include "check.h"

static void *twice(void *p) {
    void *mine = malloc(50);
    free(p);
    free(mine);
    free(p);
    _exit(0);
}

int main(void) {
    void *p = malloc(200);
    CHECK(p);
    join_thread(start_thread(twice, p));
    _exit(0);
}
