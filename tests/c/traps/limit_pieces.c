// HAKMEM_HARD_LIMIT: a buffer that took in what lay free behind it is two mappings to the kernel, which it does not move as one; it grows as far as the
// limit has room all the same, with all that it holds.
// env: HAKMEM_HARD_LIMIT=64M
#include "check.h"

int main(void) {
    if (is_full()) SKIP("hardened in full, closed pages count, too");
    unsigned char *p, *behind, *q;
    CHECK((p = malloc(3 * MIB)) && (behind = malloc(2 * MIB)));
    memset(behind, 1, 2 * MIB);
    stamp(p, 3 * MIB, 1);
    CHECK(p = realloc(p, 30 * MIB)); // moved, below `behind`
    int meets = p + 30 * MIB == behind;
    stamp(p, 30 * MIB, 1);
    free(behind);
    CHECK(p = realloc(p, 31 * MIB));
    CHECK(meets == (p + 30 * MIB == behind)); // it took that in
    stamp(p, 31 * MIB, 1);
    size_t n;
    for (n = 32 * MIB; (q = realloc(p, n)); n += MIB) CHECK(stamped_up_to(p = q, 31 * MIB, 1, 31 * MIB));
    put_line(1, "note: two mappings: %d, up to %zu MiB\n", meets, n / MIB - 1);
    // Hardened, a block with closed pages around it is copied.
    CHECK(errno == ENOMEM && n > (is_hardened() ? 31 : 55) * MIB && stamped_up_to(p, 31 * MIB, 1, 31 * MIB));
    free(p);
    use_sizes_up_to(10 * MIB, 3);
    return 0;
}
