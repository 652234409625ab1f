// A trivial program's peak memory is within 1.5 MB of what it is with the system's malloc (smallest of five runs each).
// run: a=999999; b=999999; for i in 1 2 3 4 5; do x=$($EMULATOR $BIN); y=$($RUN); [ $x -lt $a ] && a=$x; [ $y -lt $b ] && b=$y; done; echo "note: $b kB, $a without"; [ $((b - a)) -le 1536 ]
#include "check.h"

int main(void) {
    char *p = malloc(100);
    CHECK(p);
    p[0] = 1;
    free(p);
    printf("%ld\n", status_kb("VmHWM:"));
    return 0;
}
