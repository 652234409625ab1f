// HAKMEM_STATS to a pipe that nobody reads does not hang the program's exit: one line says so. One that is read gets the report.
// stderr: any
// run: mkfifo pipe; HAKMEM_STATS=json:pipe timeout 10 $RUN 2>err || exit 1; [ "$(wc -l <err)" = 1 ] && grep -q '^hakmem: HAKMEM_STATS=json:pipe: nobody reads it' err || exit 2; (exec 3<>pipe; HAKMEM_STATS=json:pipe timeout 10 $RUN 2>err || exit 3; head -c 10 <&3 | grep -q schema) && [ ! -s err ]
#include "check.h"

int main(void) {
    use_sizes_up_to(5000, 1);
    return 0;
}
