// Buffers of 33 to 64 MiB one after the other, as a document's conversion uses them, beside smaller ones that come and go: the peak is that of the
// largest and not of two.
// cflags: -O1
#include "check.h"

int main(void) {
    Random r = {7};
    static void *small[40];
    long least = rss_mb();
    for (int i = 0; i < 30; i++) {
        for (size_t k = 0; k < COUNT(small); k++) { // teaches it that ranges are wanted back
            size_t size = random_between(&r, MIB, 4 * MIB) / 4;
            free(small[k]);
            CHECK((small[k] = malloc(size)) && memset(small[k], 1, size));
        }
        size_t size = random_between(&r, 33 * MIB, 64 * MIB);
        char *p = malloc(size);
        CHECK(p && memset(p, 1, size));
        free(p);
    }
    NOTE("peak %ld MB", peak_mb() - least);
    CHECK(peak_mb() - least < 64 + 40 + 24);
    return 0;
}
