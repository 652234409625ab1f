// The pages of a class's spans are made by one call a span once the class fills many, and not before: a small process has those that it touches.
// run: env -u HAKMEM_HARDENED -u HAKMEM_GUARD_RATE -u HAKMEM_THP $RUN
#include "check.h"
#include <stdint.h>
#include <sys/mman.h>

enum { SIZE = 64, SPAN = 64 * KIB, MANY = 8, SPANS = MANY + 4 };

static int resident(uintptr_t span, size_t pages) {
    unsigned char in[SPAN / 4096];
    CHECK(mincore((void *)span, SPAN, in) == 0);
    int count = 0;
    for (size_t i = 0; i < pages; i++) count += in[i] & 1;
    return count;
}

int main(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (page > 4096) SKIP("a span has %zu pages", SPAN / page);
    char *probe = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(probe != MAP_FAILED);
    if (madvise(probe, page, 23) != 0) SKIP("no MADV_POPULATE_WRITE");
    uintptr_t last = 0;
    int spans = 0;
    while (spans < SPANS) {
        uintptr_t block = (uintptr_t)malloc(SIZE), span = block & ~(uintptr_t)(SPAN - 1);
        CHECK(block);
        if (span == last) continue;
        last = span;
        int pages = resident(span, SPAN / page);
        spans++;
        // Of the first ones a page or two is used already.
        CHECK(spans > MANY || pages <= 3);
        CHECK(spans <= MANY + 1 || pages == (int)(SPAN / page));
    }
    return 0;
}
