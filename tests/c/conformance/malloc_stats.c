// malloc_stats prints its report to stderr and nothing to stdout.
// stderr: any
#include "check.h"
#include <sys/stat.h>

int main(void) {
    int err = open("err", O_RDWR | O_CREAT | O_TRUNC, 0600), out = open("out", O_RDWR | O_CREAT | O_TRUNC, 0600), keep = dup(2);
    CHECK(err >= 0 && out >= 0 && keep >= 0);
    void *p = malloc(100);
    fflush(NULL);
    CHECK(dup2(err, 2) == 2 && dup2(out, 1) == 1);
    malloc_stats();
    fflush(NULL);
    CHECK(dup2(keep, 2) == 2);
    struct stat to_err, to_out;
    CHECK(fstat(err, &to_err) == 0 && to_err.st_size > 0);
    CHECK(fstat(out, &to_out) == 0 && to_out.st_size == 0);
    free(p);
    return 0;
}
