// With HAKMEM_HARDENED=1 a block that grows, in place and by moving its pages, leaves no mapping behind, nor a count of one. The addresses
// where it was hold nothing but large blocks from then on: all of them at once the first time, and the same ones the next.
// env: HAKMEM_HARDENED=1 HAKMEM_HARD_LIMIT=512M
#include "check.h"

int main(void) {
    free(malloc(MIB));
    long size_before = status_kb("VmSize:"), lines_before = mappings();
    long most = size_before + 16 * 64 * 1024;
    for (int round = 0; round < 4; round++) {
        size_t size = MIB;
        char *p = malloc(size);
        CHECK(p);
        stamp(p, size, 1);
        for (int growth = 0; growth < 50; growth++) {
            size_t more = growth < 49 ? size + size / 12 + 5000 : 64 * MIB;
            CHECK(p = realloc(p, more));
            CHECK(stamped(p, size, 1));
            size = more;
            stamp(p, size, 1);
            CHECK(status_kb("VmSize:") < most);
            CHECK(mappings() < lines_before + 150);
        }
        free(p);
        if (round == 0) most = status_kb("VmSize:") + 256 * 1024;
    }
    return 0;
}
