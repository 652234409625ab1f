// HAKMEM_STATS=1 dumps the statistics to stderr when the program exits, not before, and not to stdout.
// env: HAKMEM_STATS=1
// expect-stderr-any: .
// run: $RUN >out 2>err; s=$?; cat err >&2; [ $s = 0 ] && [ ! -s out ] && [ -s err ]
#include "check.h"
#include <sys/stat.h>

int main(void) {
    struct stat err;
    use_all_sizes(1);
    CHECK(fstat(2, &err) == 0 && err.st_size == 0);
    return 0;
}
