// 70,000 live blocks at multiples of 128 KiB, 10,000 at 2 MiB and at 8 MiB: all to be had, whatever vm.max_map_count is; every second one freed
// is had again, in no more memory; a trim after the last free leaves records only. Hardened, in either form, each of them is a mapping of its own to the
// kernel, most between closed pages: 20,000 at a time then, and no promise of how many mappings there are.
// cflags: -O1
#include "check.h"

static char *blocks[70000];

static void many(size_t count, size_t align, size_t size) {
    if (is_hardened() && count > 20000) count = 20000;
    double start = cpu_seconds();
    for (size_t i = 0; i < count; i++) {
        void *p;
        CHECK(posix_memalign(&p, align, size) == 0 && aligned_to(p, align) && malloc_usable_size(p) >= size);
        blocks[i] = p;
        stamp(p, size, (unsigned)i);
    }
    long full = rss_mb();
    long maps = mappings();
    for (size_t i = 0; i < count; i += 2) CHECK(stamped(blocks[i], size, (unsigned)i)), free(blocks[i]);
    for (size_t i = 0; i < count; i += 2) {
        CHECK(blocks[i] = memalign(align, size));
        CHECK(aligned_to(blocks[i], align));
        stamp(blocks[i], size, (unsigned)i);
    }
    CHECK(rss_mb() <= full + full / 8 + 8);
    for (size_t i = 0; i < count; i++) CHECK(stamped(blocks[i], size, (unsigned)i)), free(blocks[i]);
    NOTE("%zu at %zu KiB: %ld MB, %ld mappings, %.1f us each", count, align / KIB, full, maps, (cpu_seconds() - start) * 1e6 / (double)count);
    CHECK(maps < 5000 || is_hardened());
}

int main(void) {
    many(70000, 128 * KIB, 1000);
    many(10000, 2 * MIB, 1000);
    many(10000, 8 * MIB, 1000);
    many(3000, 256 * KIB, 100000);
    many(300, MIB, MIB);
    malloc_trim(0);
    NOTE("at the end %ld MB, %ld mappings", rss_mb(), mappings());
    CHECK(rss_mb() < 64 && (mappings() < 300 || is_hardened()));
    return 0;
}
