// What decay takes of the holes in spans goes in steps of a MiB, too, not as many pages as a list of ranges holds: no call waits for dozens of the kernel's.
// hakmem
// env: HAKMEM_DECAY_MS=1000
// stderr: any
#include "check.h"

enum { BYTES = 1024, SPANS = 400 };

int main(void) {
    static char *held[SPANS * 64];
    for (size_t i = 0; i < COUNT(held); i++)
        CHECK((held[i] = malloc(BYTES))), *held[i] = 1;
    // 24 MiB, below what may be dirty. One block stays of each span.
    for (size_t i = 0; i < COUNT(held); i++)
        if (i % 64) free(held[i]);
    if (getenv("HAKMEM_HARDENED")) return 0; // at once, page by page
    static void *others[64];
    uint64_t state = 88172645463325252u;
    long most = 0, sum = 0;
    for (int calls = 0; calls < 4000 && sum < 12 << 10; calls++, usleep(1000))
        for (int n = 0; n < 4; n++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            void **at = &others[state % COUNT(others)];
            long full = status_kb("VmRSS:");
            if (*at) free(*at), *at = NULL;
            else *at = malloc(30000 + (state >> 32) % 30000);
            long gone = full - status_kb("VmRSS:");
            sum += gone > 0 ? gone : 0;
            most = gone > most ? gone : most;
        }
    fprintf(stderr, "note: %ld KiB went, %ld at most by one call\n", sum, most);
    CHECK(sum > 8 << 10 && most <= 2 << 10);
    return 0;
}
