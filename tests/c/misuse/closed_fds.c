// With stdin, stdout and stderr closed a report has nowhere to go: the program still aborts at once and does not hang.
// expect-signal: 6
#include "check.h"

int main(void) {
    char *p = malloc(64);
    close(0);
    close(1);
    close(2);
    free(p);
    free(launder(p));
    flush_everything(64);
}
