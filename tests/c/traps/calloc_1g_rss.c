// calloc of 1 GiB that nobody touches costs no memory, and is zero where one looks.
// (gperftools, snmalloc, rpmalloc, Mesh, hz3 and hz8 clear it: 1 GiB of RSS.)
#include "check.h"

int main(void) {
    for (int round = 0; round < 3; round++) {
        char *p = calloc(GIB, 1);
        CHECK(p);
        for (size_t i = 0; i < GIB; i += 64 * MIB + 5) CHECK(p[i] == 0);
        CHECK(rss_mb() < 20);
        p[GIB / 2] = 1;
        free(p);
    }
    CHECK(peak_mb() < 20);
    return 0;
}
