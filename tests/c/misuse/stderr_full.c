// A report to a pipe nobody reads and that is full, set non-blocking, does not hang: the program aborts.
// expect-signal: 6
#include "check.h"

int main(void) {
    int ends[2];
    char *p = malloc(64);
    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    while (write(ends[1], "full", 4) > 0) {
    }
    CHECK(dup2(ends[1], 2) == 2);
    free(p);
    free(launder(p));
    flush_everything(64);
}
