// Five phases of different sizes, 20 MB each, every 50th block kept. After a trim no more is resident than the pages that hold
// a kept block, computed here from where the blocks lie, and 6 MB: nothing else is held, whatever is fragmented.
#include "check.h"
#include <malloc.h>
#include <sys/mman.h>

static const size_t sizes[] = {48, 200, 700, 3000, 90};
enum { PHASE = 20 << 20, KEEP = 50, PAGE = 4096 };

static char *kept[20000];
static size_t kept_count, kept_bytes;
static unsigned char pages[1 << 24]; // of the 64 GiB around the first block

static void phase(size_t size) {
    size_t count = PHASE / size;
    char **blocks = mmap(NULL, count * sizeof *blocks, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(blocks != MAP_FAILED);
    for (size_t i = 0; i < count; i++) {
        CHECK(blocks[i] = malloc(size));
        memset(blocks[i], 1, size);
    }
    for (size_t i = 0; i < count; i++) {
        if (i % KEEP) {
            free(blocks[i]);
            continue;
        }
        CHECK(kept_count < COUNT(kept));
        kept[kept_count++] = blocks[i];
        kept_bytes += size;
        for (size_t at = (size_t)blocks[i] / PAGE; at <= ((size_t)blocks[i] + size - 1) / PAGE; at++) {
            size_t page = at - (size_t)kept[0] / PAGE + COUNT(pages) / 2;
            CHECK(page < COUNT(pages));
            pages[page] = 1;
        }
    }
    munmap(blocks, count * sizeof *blocks);
}

int main(void) {
    memset(pages, 0, sizeof pages);
    memset(kept, 0, sizeof kept);
    long before = rss_mb();
    for (size_t i = 0; i < COUNT(sizes); i++) phase(sizes[i]);
    malloc_trim(0);
    size_t used = 0;
    for (size_t i = 0; i < COUNT(pages); i++) used += pages[i];
    long floor_mb = (long)(used * PAGE >> 20), resident = rss_mb() - before;
    NOTE("%ld MB resident, %ld MB of pages with %ld KB live: resident / live %ld", resident, floor_mb, (long)(kept_bytes >> 10),
         resident * 1024 / (long)(kept_bytes >> 10));
    CHECK(resident <= floor_mb + (is_full() ? 12 : 6)); // in full, with claims of all blocks that there were
    CHECK(floor_mb < 60); // 51 for these classes: larger ones would keep more pages
    return 0;
}
