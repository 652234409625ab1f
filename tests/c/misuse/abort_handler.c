// The report ends in a SIGABRT that the program can handle: crash reporters see it, and the library holds no lock then that
// a handler's free and malloc could wait for.
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"
#include <signal.h>

static void on_abort(int signal) {
    for (size_t i = 0; i < 200; i++) free(malloc(i * 100));
    _exit(0);
}

int main(void) {
    signal(SIGABRT, on_abort);
    free(launder((void *)0xdeadbeef000));
    return 1;
}
