// Many aligned blocks live at once: each keeps its alignment, its usable size and its bytes, also through realloc and free
// in random order.
#include "check.h"

static struct {
    unsigned char *at;
    size_t size;
} blocks[2000];

int main(void) {
    Random random = {11};
    for (unsigned step = 0; step < 30000; step++) {
        size_t i = random_between(&random, 0, COUNT(blocks) - 1);
        size_t alignment = (size_t)1 << random_between(&random, 3, 14), size = random_between(&random, 1, (size_t)1 << random_between(&random, 3, 15));
        unsigned char *p = blocks[i].at;
        CHECK(!p || (malloc_usable_size(p) >= blocks[i].size && stamped(p, blocks[i].size, (unsigned)i)));
        if (p && step % 5 == 0) {
            CHECK(p = realloc(p, size));
            CHECK(stamped_up_to(p, blocks[i].size, (unsigned)i, size));
        } else {
            free(p);
            CHECK(p = step % 2 ? aligned_alloc(alignment, size) : memalign(alignment, size));
            CHECK(aligned_to(p, alignment));
        }
        blocks[i].at = p;
        blocks[i].size = size;
        stamp(p, size, (unsigned)i);
    }
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(!blocks[i].at || stamped(blocks[i].at, blocks[i].size, (unsigned)i));
        free(blocks[i].at);
    }
    return 0;
}
