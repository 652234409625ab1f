// With HAKMEM_GUARD_RATE=2 every second block that fits in a page is guarded, whatever larger ones come between.
// env: HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=2
#include "check.h"

// An aligned block always asks whether it is its turn. A guarded one has exactly the bytes that were asked for.
static int small_is_guarded(void) {
    void *p = aligned_alloc(64, 70);
    CHECK(p);
    int guarded = malloc_usable_size(p) == 70;
    free(p);
    return guarded;
}

int main(void) {
    for (int round = 0; round < 2; round++) {
        int guarded = 0;
        for (int pair = 0; pair < 40; pair++) {
            guarded += small_is_guarded();
            free(aligned_alloc(64, 100000));
        }
        CHECK(guarded >= 15 && guarded <= 25);
        small_is_guarded(); // the other way round: the large ones come where small ones were before
    }
    return 0;
}
