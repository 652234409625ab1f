// A double free that is found when blocks go back to their spans is reported with no lock held either: a handler of SIGABRT
// may allocate and free every size. (Found in review: the report was made under the heap's lock, and the handler hung.)
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"
#include <signal.h>

static void on_abort(int signal) {
    for (size_t i = 0; i < 200; i++) free(malloc(i * 1000));
    _exit(0);
}

int main(void) {
    signal(SIGABRT, on_abort);
    void *a = launder(malloc(96)), *b = launder(malloc(96));
    free(a);
    free(b);
    free(a);
    malloc_trim(0);
    return 1;
}
