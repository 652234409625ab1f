// With HAKMEM_GUARD_RATE=2 one in two of the blocks up to 64 KiB is guarded, which ones is chance, whatever larger ones come between.
// env: HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=2
#include "check.h"

// An aligned block always asks whether it is its turn. A guarded one has exactly the bytes that were asked for.
static int is_guarded(size_t size) {
    void *p = aligned_alloc(64, size);
    CHECK(p);
    int guarded = malloc_usable_size(p) == size;
    free(p);
    return guarded;
}

int main(void) {
    size_t sizes[] = {70, 5000, 65000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        int guarded = 0, changes = 0, last = 0;
        for (int n = 0; n < 600; n++) {
            int now = is_guarded(sizes[i]);
            guarded += now;
            changes += n > 0 && now != last;
            last = now;
            CHECK(!is_guarded(100000));
        }
        // A coin each: 300 of either, by six standard deviations. In turn they would change each time.
        CHECK(guarded > 220 && guarded < 380 && changes > 220 && changes < 380);
    }
    return 0;
}
