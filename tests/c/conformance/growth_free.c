// A large process that grows does not pay with what lies idle in another shape, as a small one does (traps/idle_small): its next blocks would miss it.
#include "check.h"
#include <sys/resource.h>

static long faults(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt;
}

static void grow(size_t bytes) {
    for (size_t i = 0; i < bytes / 1000; i++) CHECK(memset(malloc(1000), 1, 1000));
}

int main(void) {
    if (is_hardened()) SKIP("hardened, what is freed is closed");
    grow(128 * MIB);
    free(memset(malloc(4 * MIB), 1, 4 * MIB));
    grow(8 * MIB);
    long start = faults();
    char *again = memset(malloc(4 * MIB), 1, 4 * MIB);
    NOTE("%ld faults in a block of 4 MiB", faults() - start);
    CHECK(again[MIB] == 1 && faults() - start < 100);
    return 0;
}
