// Stray writes into memory that was never handed out: calloc returns zeroes all the same, or says what it found.
// run: for form in 1 light; do env HAKMEM_HARDENED=$form $RUN 2>said || { [ $? = 134 ] && [ "$(grep -c '^hakmem: malloc: block was written to after free, ' said)" = 1 ]; } || { echo "with $form"; exit 1; }; done
#include "check.h"

int main(void) {
    char *p = malloc(3000), *end = (char *)((uintptr_t)p | (64 * KIB - 1));
    CHECK(p);
    // Whatever may lie in blocks of this class: nobody else has one.
    for (char *q = p + 4000; q + 100 < end; q += 1500) memset(q, 'y', 8);
    for (int i = 0; i < 60; i++) {
        char *q = calloc(1, 3000);
        CHECK(q);
        for (int at = 0; at < 3000; at++) CHECK(!q[at]);
    }
    _exit(0);
}
