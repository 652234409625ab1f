// A path that can't be written to, or is too long once expanded, costs one line on stderr and nothing else.
// stderr: any
// run: long=$(printf '%%p%.0s' $(seq 120)); for f in /proc/no/such/x /dev/full . "$long"; do HAKMEM_STATS=json:$f $RUN >out 2>err || exit 1; [ "$(cat out)" = served ] && [ "$(wc -l <err)" = 1 ] && grep -q '^hakmem: HAKMEM_STATS=json:.*: can.t write (errno [1-9]' err || { cat err; exit 1; }; done
#include "check.h"

int main(void) {
    use_sizes_up_to(5000, 1);
    put_line(1, "served\n");
    return 0;
}
