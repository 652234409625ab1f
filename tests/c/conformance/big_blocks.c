// Blocks of 64 KiB to 1 MiB: whole, apart, aligned, kept over realloc up and down, zero from calloc, freed by another thread; and what is idle goes.
#include "check.h"

static unsigned rng = 1;
static size_t draw(size_t low, size_t high) {
    rng = rng * 1664525 + 1013904223;
    return low + (rng >> 8) % (high - low + 1);
}
static unsigned char *blocks[48];
static size_t sizes[48];

static void *free_half(void *unused) {
    (void)unused;
    for (size_t i = 0; i < COUNT(blocks); i += 2) {
        CHECK(stamped(blocks[i], sizes[i], (unsigned)i));
        free(blocks[i]);
        blocks[i] = NULL;
    }
    return NULL;
}

int main(void) {
    for (int round = 0; round < 40; round++) {
        for (size_t i = 0; i < COUNT(blocks); i++) {
            size_t size = draw(60000, 1100000);
            if (blocks[i] && draw(0, 1)) {
                size_t kept = size < sizes[i] ? size : sizes[i];
                CHECK(stamped(blocks[i], sizes[i], (unsigned)i));
                unsigned char *moved = realloc(blocks[i], size);
                CHECK(moved);
                stamp(moved, kept, (unsigned)i);
                blocks[i] = moved;
            } else {
                if (blocks[i]) CHECK(stamped(blocks[i], sizes[i], (unsigned)i));
                free(blocks[i]);
                size_t align = (size_t)16 << draw(0, 12);
                switch (draw(0, 2)) {
                case 0: CHECK(blocks[i] = malloc(size)); break;
                case 1:
                    CHECK(blocks[i] = calloc(1, size));
                    for (size_t at = 0; at < size; at++) CHECK(blocks[i][at] == 0);
                    break;
                default: CHECK(blocks[i] = aligned_alloc(align, size)); CHECK((uintptr_t)blocks[i] % align == 0);
                }
            }
            sizes[i] = size;
            CHECK(malloc_usable_size(blocks[i]) >= size && (uintptr_t)blocks[i] % 16 == 0);
            stamp(blocks[i], size, (unsigned)i);
        }
        join_thread(start_thread(free_half, NULL));
    }
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    malloc_trim(0);
    CHECK(rss_mb() < 20);
    return 0;
}
