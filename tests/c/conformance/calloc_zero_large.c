// calloc is zero after large blocks were dirtied, shrunk or grown by realloc, freed, trimmed, and cut up for other sizes.
#include "check.h"

int main(void) {
    static const size_t sizes[] = {65536, 65537, 100000, 262144, 524288, 1048576, 1500000, 2097152, 4194304, 9000000};
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (size_t j = 0; j < COUNT(sizes); j++) {
            unsigned char *p = malloc(sizes[i]);
            CHECK(p);
            memset(p, 0xA5, sizes[i]);
            if (i > j) CHECK(p = realloc(p, sizes[j]));
            free(p);
            if (i % 3 == 2) malloc_trim(0);
            p = calloc(sizes[j] / 2, 2);
            CHECK(p && all_bytes_are(p, sizes[j] / 2 * 2, 0));
            memset(p, 0x5A, sizes[j] / 2 * 2);
            free(p);
            p = calloc(3, 7000);
            CHECK(p && all_bytes_are(p, 21000, 0));
            free(p);
        }
    return 0;
}
