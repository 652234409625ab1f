// A block that is cut by realloc (a receive buffer cut to what came) gives back what is cut off: at most two thirds of its need are kept
// beyond it from 1 KiB to 4 MiB, whichever way it was made, and its content stays.
// cflags: -O1
#include "check.h"

static double kept(size_t from, size_t to, int grown, int twice) {
    static char *blocks[30000];
    size_t count = 48 * MIB / to;
    CHECK(count <= COUNT(blocks));
    malloc_trim(0);
    long before = status_kb("VmRSS:");
    for (size_t i = 0; i < count; i++) {
        char *p = malloc(grown ? from / 2 : from);
        if (grown) p = realloc(p, from); // a run of slots, which can grow again
        CHECK(p && memset(p, 7, from));
        stamp(p, from, 1);
        if (twice) CHECK(p = realloc(p, from / 8 * 5 + 100)); // a little more than must stay
        CHECK((p = realloc(p, to)) && stamped_up_to(p, from, 1, to) && malloc_usable_size(p) >= to);
        blocks[i] = p;
    }
    malloc_trim(0); // what idles is bounded elsewhere (contract_*)
    double ratio = (double)(status_kb("VmRSS:") - before) * 1024 / (double)(count * to);
    for (size_t i = 0; i < count; i++) CHECK(stamped_up_to(blocks[i], from, 1, to)), free(blocks[i]);
    return ratio;
}

int main(void) {
    static const size_t cuts[][2] = {{3000, 1700}, {8192, 4200}, {20000, 11000}, {65536, 33000}, {200000, 101000},
                                     {524288, 270000}, {1000000, 540000}, {1048576, 130000}, {4 * MIB, 2 * MIB + 100}};
    for (size_t i = 0; i < COUNT(cuts); i++)
        for (int way = 0; way < 4; way++) {
            int grown = way & 1, twice = way & 2;
            double ratio = kept(cuts[i][0], cuts[i][1], grown, twice);
            put_line(1, "%zu to %zu%s%s: %d %%\n", cuts[i][0], cuts[i][1], grown ? ", grown before" : "",
                     twice ? ", cut twice" : "", (int)(ratio * 100));
            CHECK(ratio < 1.67);
        }
    return 0;
}
